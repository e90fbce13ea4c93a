"""Scripts: what a person does when, as key values of tracks; between two keys a track moves with least jerk."""

from dataclasses import dataclass, field

import numpy as np

from pipeline.synthetic.people.person import Person

GRAVITY_MM_S2 = 9810.0
# Tracks, and where each rests. Wrists are in arm lengths from the shoulder: forward, outward, up.
REST: dict[str, tuple[float, ...]] = {
    "drop_mm": (0.0,),  # of the pelvis, below standing
    "shift_mm": (0.0, 0.0),  # of the pelvis, forward and left of the middle of the feet
    "tilt": (0.0, 0.0),  # of the pelvis, forward and left
    "spine": (0.0, 0.0, 0.0), "head": (0.0, 0.0, 0.0), "shrug": (0.0, 0.0),
    "wrist_l": (0.06, 0.14, -0.955), "wrist_r": (0.06, 0.14, -0.955),
    "swing": (1.0, 1.0),  # how far the arms swing with the steps: left, right
    "elbows": (0.0, 0.0), "palms": (0.0, 0.0), "knees_out": (0.0,),
    "lift_l": (0.0, 0.0, 0.0), "lift_r": (0.0, 0.0, 0.0),  # of a free foot: forward and up in leg lengths, pitch
}  # fmt: skip
HANDS = ("wrist_l", "wrist_r")
LIFTS = ("lift_l", "lift_r")


@dataclass(frozen=True)
class Jump:
    """A jump on the spot: when it leaves the floor, how high it goes, how deep the crouches are."""

    crouch_s: float
    leave_s: float
    apex_mm: float
    depth_mm: float

    @property
    def speed_mm_s(self) -> float:
        """Upward speed at take-off."""
        return float(np.sqrt(2 * GRAVITY_MM_S2 * self.apex_mm))

    @property
    def land_s(self) -> float:
        """When the feet touch the floor again."""
        return self.leave_s + 2 * self.speed_mm_s / GRAVITY_MM_S2

    @property
    def end_s(self) -> float:
        """When the body stands again."""
        return self.land_s + 0.75


@dataclass
class Script:
    """Keys under construction; `now` is the time up to which the script is written, in seconds."""

    person: Person
    rng: np.random.Generator
    start_mm: np.ndarray  # (2,)
    start_yaw: float
    now: float = 0.0
    path: list[tuple[float, float, float, float]] = field(default_factory=list)  # time, x, y, yaw
    keys: dict[str, list[tuple[float, np.ndarray]]] = field(default_factory=dict)
    planted: list[tuple[float, float]] = field(default_factory=list)  # spans in which no step is made
    jumps: list[Jump] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.append((0.0, *self.start_mm, self.start_yaw))
        for name, rest in REST.items():
            self.keys[name] = [(-1.0, np.array(rest))]

    def at(self) -> np.ndarray:
        """The place at the end of the path, (2,)."""
        return np.array(self.path[-1][1:3])

    def yaw(self) -> float:
        """The heading at the end of the path."""
        return self.path[-1][3]

    def move(self, track: str, value: np.ndarray | tuple[float, ...], seconds: float, after: float = 0.0) -> None:
        """Move a track to a value within `seconds`, starting `after` seconds from now."""
        keys = self.keys[track]
        start = max(self.now + after, keys[-1][0])
        keys.append((start, keys[-1][1]))
        keys.append((start + max(seconds / self.person.style.tempo, 0.12), np.asarray(value, float)))

    def rest(self, seconds: float, *tracks: str) -> None:
        """Move tracks (all that are away, if none is named) back to rest."""
        for track in tracks or REST:
            if tuple(self.keys[track][-1][1]) != REST[track]:
                self.move(track, REST[track], seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass, scaled by the person's tempo."""
        self.now += seconds / self.person.style.tempo

    def stay(self, seconds: float) -> None:
        """Let time pass on planted feet."""
        start = self.now
        self.wait(seconds)
        self.planted.append((start, self.now))

    def go(self, to_mm: np.ndarray, yaw: float | None = None) -> None:
        """Walk to a place, facing where one walks, and face `yaw` there if given."""
        speed, way = self.person.style.speed_mm_s, to_mm - self.at()
        distance = float(np.linalg.norm(way))
        if distance > 250:
            self._turn_to(np.arctan2(way[1], way[0]))
            self._go_on(distance / speed, to_mm, self.yaw())
        if yaw is not None:
            self._turn_to(yaw)

    def _turn_to(self, yaw: float) -> None:
        change = (yaw - self.yaw() + np.pi) % (2 * np.pi) - np.pi
        self._go_on(abs(change) / 2.4 + 0.05, self.at(), self.yaw() + change)

    def _go_on(self, seconds: float, to_mm: np.ndarray, yaw: float) -> None:
        if self.now > self.path[-1][0]:
            self.path.append((self.now, *self.at(), self.yaw()))
        self.now += seconds
        self.path.append((self.now, *to_mm, yaw))

    def sample(self, track: str, times_s: np.ndarray) -> np.ndarray:
        """A track (T, n) at the given times."""
        keys = self.keys[track]
        when, values = np.array([t for t, _ in keys]), np.stack([v for _, v in keys])
        if track in HANDS:
            values = _flatten(values)
        at = np.clip(np.searchsorted(when, times_s, side="right") - 1, 0, len(when) - 1)
        after = np.minimum(at + 1, len(when) - 1)
        share = np.clip((times_s - when[at]) / np.maximum(when[after] - when[at], 1e-6), 0, 1)
        share = share**3 * (10 + share * (6 * share - 15))
        values = values[at] + share[:, None] * (values[after] - values[at])
        return _unflatten(values) if track in HANDS else values


# A straight way between two places of a hand may lead through the shoulder, where the arm would whip around. Hands
# move on a map of the directions around the shoulder instead, whose middle is before and beside the body and whose
# far edge is the direction no arm can take: back and inwards.
_MIDDLE = np.array([0.8, 0.6, 0.0])
_BASIS = np.array([[-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])


def _flatten(places: np.ndarray) -> np.ndarray:
    """Places (n, 3) as stereographic coordinates of their direction and distance."""
    distance = np.maximum(np.linalg.norm(places, axis=-1, keepdims=True), 1e-6)
    direction = places / distance
    return np.concatenate([direction @ _BASIS.T / np.maximum(1 + direction @ _MIDDLE, 0.05)[:, None], distance], -1)


def _unflatten(maps: np.ndarray) -> np.ndarray:
    """The inverse of `_flatten`."""
    flat, distance = maps[:, :2], maps[:, 2:]
    square = (flat**2).sum(-1, keepdims=True)
    return distance * (2 * flat @ _BASIS + (1 - square) * _MIDDLE) / (1 + square)
