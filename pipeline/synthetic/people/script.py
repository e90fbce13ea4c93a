"""Scripts: an animation as keyframes per track, interpolated with minimum jerk."""

from dataclasses import dataclass, field

import numpy as np

from pipeline.synthetic.people.person import Person

GRAVITY_MM_S2 = 9810.0
# The tracks with their rest values. Wrists are relative to the shoulder, in arm lengths: forward, outward, up.
REST: dict[str, tuple[float, ...]] = {
    "drop_mm": (0.0,),  # pelvis below its standing height
    "shift_mm": (0.0, 0.0),  # pelvis forward and left of the point midway between the feet
    "tilt": (0.0, 0.0),  # pelvis, forward and left
    "spine": (0.0, 0.0, 0.0), "head": (0.0, 0.0, 0.0), "shrug": (0.0, 0.0),
    "wrist_l": (0.06, 0.14, -0.955), "wrist_r": (0.06, 0.14, -0.955),
    "swing": (1.0, 1.0),  # amplitude of the arm swing in walking: left, right
    "elbows": (0.0, 0.0), "palms": (0.0, 0.0), "knees_out": (0.0,),
    "lift_l": (0.0, 0.0, 0.0), "lift_r": (0.0, 0.0, 0.0),  # raised foot: forward and up in leg lengths, pitch
}  # fmt: skip
HANDS = ("wrist_l", "wrist_r")
LIFTS = ("lift_l", "lift_r")


@dataclass(frozen=True)
class Jump:
    """A jump on the spot: times of crouch and take-off, height of flight, depth of the crouch."""

    crouch_s: float
    leave_s: float
    apex_mm: float
    depth_mm: float

    @property
    def speed_mm_s(self) -> float:
        """Upward speed at take-off, in mm/s."""
        return float(np.sqrt(2 * GRAVITY_MM_S2 * self.apex_mm))

    @property
    def land_s(self) -> float:
        """Time of landing, in seconds."""
        return self.leave_s + 2 * self.speed_mm_s / GRAVITY_MM_S2

    @property
    def end_s(self) -> float:
        """Time at which the person stands upright again, in seconds."""
        return self.land_s + 0.75


@dataclass
class Script:
    """Keyframes under construction; `now` is the time in seconds up to which the script is complete."""

    person: Person
    rng: np.random.Generator
    start_mm: np.ndarray  # (2,)
    start_yaw: float
    now: float = 0.0
    path: list[tuple[float, float, float, float]] = field(default_factory=list)  # time, x, y, yaw
    keys: dict[str, list[tuple[float, np.ndarray]]] = field(default_factory=dict)
    planted: list[tuple[float, float]] = field(default_factory=list)  # time spans without steps
    jumps: list[Jump] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.append((0.0, *self.start_mm, self.start_yaw))
        for name, rest in REST.items():
            self.keys[name] = [(-1.0, np.array(rest))]

    def at(self) -> np.ndarray:
        """Position at the end of the path (2,), in mm."""
        return np.array(self.path[-1][1:3])

    def yaw(self) -> float:
        """Heading at the end of the path, in radians."""
        return self.path[-1][3]

    def move(self, track: str, value: np.ndarray | tuple[float, ...], seconds: float, after: float = 0.0) -> None:
        """Append keys that bring a track to `value` within `seconds`, starting `after` seconds from now."""
        keys = self.keys[track]
        start = max(self.now + after, keys[-1][0])
        keys.append((start, keys[-1][1]))
        keys.append((start + max(seconds / self.person.style.tempo, 0.12), np.asarray(value, float)))

    def rest(self, seconds: float, *tracks: str) -> None:
        """Bring the named tracks back to rest; without names, all that are not at rest."""
        for track in tracks or REST:
            if tuple(self.keys[track][-1][1]) != REST[track]:
                self.move(track, REST[track], seconds)

    def wait(self, seconds: float) -> None:
        """Advance the time, scaled by the person's tempo."""
        self.now += seconds / self.person.style.tempo

    def stay(self, seconds: float) -> None:
        """Advance the time without steps."""
        start = self.now
        self.wait(seconds)
        self.planted.append((start, self.now))

    def go(self, to_mm: np.ndarray, yaw: float | None = None) -> None:
        """Walk to a place (2,), facing the direction of travel, then turn to the heading `yaw` if given."""
        speed, offset = self.person.style.speed_mm_s, to_mm - self.at()
        distance = float(np.linalg.norm(offset))
        if distance > 250:
            self._turn_to(np.arctan2(offset[1], offset[0]))
            self._append_path(distance / speed, to_mm, self.yaw())
        if yaw is not None:
            self._turn_to(yaw)

    def _turn_to(self, yaw: float) -> None:
        change = (yaw - self.yaw() + np.pi) % (2 * np.pi) - np.pi
        self._append_path(abs(change) / 2.4 + 0.05, self.at(), self.yaw() + change)

    def _append_path(self, seconds: float, to_mm: np.ndarray, yaw: float) -> None:
        if self.now > self.path[-1][0]:
            self.path.append((self.now, *self.at(), self.yaw()))
        self.now += seconds
        self.path.append((self.now, *to_mm, yaw))

    def sample(self, track: str, times_s: np.ndarray) -> np.ndarray:
        """Evaluate a track at the given times (T,); returns (T, n)."""
        keys = self.keys[track]
        when, values = np.array([t for t, _ in keys]), np.stack([v for _, v in keys])
        if track in HANDS:
            values = _to_stereographic(values)
        at = np.clip(np.searchsorted(when, times_s, side="right") - 1, 0, len(when) - 1)
        after = np.minimum(at + 1, len(when) - 1)
        share = np.clip((times_s - when[at]) / np.maximum(when[after] - when[at], 1e-6), 0, 1)
        share = share**3 * (10 + share * (6 * share - 15))
        values = values[at] + share[:, None] * (values[after] - values[at])
        return _from_stereographic(values) if track in HANDS else values


# A straight line between two wrist positions can pass through the shoulder, where the arm would flip. Wrists are
# therefore interpolated in stereographic coordinates of their direction from the shoulder. The centre of the projection
# is in front of and beside the body; its singularity is the direction no arm can take, backwards and inwards.
_MIDDLE = np.array([0.8, 0.6, 0.0])
_BASIS = np.array([[-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])


def _to_stereographic(positions: np.ndarray) -> np.ndarray:
    """Convert positions (n, 3) to stereographic coordinates of their direction, and distance."""
    distance = np.maximum(np.linalg.norm(positions, axis=-1, keepdims=True), 1e-6)
    direction = positions / distance
    return np.concatenate([direction @ _BASIS.T / np.maximum(1 + direction @ _MIDDLE, 0.05)[:, None], distance], -1)


def _from_stereographic(maps: np.ndarray) -> np.ndarray:
    """Invert `_to_stereographic`."""
    flat, distance = maps[:, :2], maps[:, 2:]
    square = (flat**2).sum(-1, keepdims=True)
    return np.asarray(distance * (2 * flat @ _BASIS + (1 - square) * _MIDDLE) / (1 + square))
