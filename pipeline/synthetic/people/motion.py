"""From keyframes to motion: step planning, planted feet, and a pelvis within reach of both legs."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from pipeline.synthetic.people.actions import ACTIONS, ROAM_MM, gesture
from pipeline.synthetic.people.body import SIGNS, BodyPoses, Controls, rotation, solve_pose
from pipeline.synthetic.people.person import Person
from pipeline.synthetic.people.script import HANDS, LIFTS, Jump, Script

MIN_RATE_HZ = 25.0  # lowest rate at which steps are planned
STANDING = 0.99  # height of the hips above the ankles when standing, in leg lengths
MAX_STRETCH = 0.996  # largest distance from hip to ankle, in leg lengths


@dataclass(frozen=True)
class Clip:
    """A person's motion, sampled at a constant rate."""

    bodies: BodyPoses
    planted: np.ndarray  # (T, 2) bool: the left or right foot stands still on the floor
    airborne: np.ndarray  # (T,) bool: flight phase of a jump


@dataclass(frozen=True)
class Steps:
    """Motion of the feet over T frames."""

    ankles_mm: np.ndarray  # (T, 2, 3)
    yaw: np.ndarray  # (T, 2) radians
    pitch: np.ndarray  # (T, 2) radians, positive for toes down
    planted: np.ndarray  # (T, 2) bool


def animate(person: Person, action: str, seconds: float, fps: float, rng: np.random.Generator) -> Clip:
    """Animate a person who performs mostly `action`, with walking and gestures in between.

    The clip has `round(seconds * fps)` frames. `action` is a key of `ACTIONS`.
    """
    warm_up_s = 1.0
    angle, radius = rng.uniform(0, 2 * np.pi), 0.7 * ROAM_MM * np.sqrt(rng.random())
    start = radius * np.array([np.cos(angle), np.sin(angle)])
    script = Script(person, rng, start, rng.uniform(-np.pi, np.pi))
    while script.now < seconds + warm_up_s:
        ACTIONS[action](script)
        if rng.random() < 0.55:
            gesture(script)
        ACTIONS["walk"](script)
    every = int(np.ceil(MIN_RATE_HZ / fps))
    times = warm_up_s + np.arange(round(seconds * fps) * every) / (fps * every)
    lead = np.arange(0, warm_up_s, 1 / (fps * every))
    times = np.concatenate([lead, times])
    clip = perform(script, times)
    rows = slice(len(lead), None, every)
    return Clip(clip.bodies[rows], clip.planted[rows], clip.airborne[rows])


def perform(script: Script, times_s: np.ndarray) -> Clip:
    """Evaluate a script at evenly spaced times that start at 0."""
    person, dt = script.person, float(times_s[1] - times_s[0])
    path = _path(script, times_s, dt)
    steps = plan_steps(script, path, times_s, dt)
    rise, airborne = _jump_height(script.jumps, times_s)
    tracks = {name: script.sample(name, times_s) for name in script.keys}
    sway = _sway(script, times_s)
    yaw = rotation("z", path[:, 2])
    tilt = tracks["tilt"] + [person.style.lean_rad * 0.5, 0]
    pelvis = yaw @ rotation("x", -tilt[:, 1]) @ rotation("y", tilt[:, 0])
    ankles, pitch = _raise_feet(script, steps, tracks, path, rise * airborne)
    root = _root(script, tracks, path, pelvis, ankles, rise, sway, dt)
    walking = _stride(steps, path)
    spine = tracks["spine"] + sway[:, 2:5] + [person.style.slouch_rad, 0, 0]
    spine[:, 2] -= 0.25 * walking
    head = tracks["head"] + sway[:, 5:8] - [0.6 * person.style.slouch_rad, 0, 0]
    feet = rotation("z", steps.yaw) @ rotation("y", pitch)
    controls = Controls(
        root_mm=root, pelvis=pelvis, spine_rad=spine, head_rad=head, shrug_rad=tracks["shrug"],
        wrists=_wrists(script, tracks, walking, sway), palm_rad=tracks["palms"],
        elbow_out=tracks["elbows"] + person.style.elbow_out, ankles_mm=ankles, feet=feet,
        knee_out_rad=np.repeat(tracks["knees_out"], 2, 1),
    )  # fmt: skip
    planted = steps.planted & ~airborne[:, None] & (np.abs(np.stack([tracks[n] for n in LIFTS], 1)).max(-1) < 1e-9)
    return Clip(solve_pose(person.build, controls), planted, airborne)


def _path(script: Script, times_s: np.ndarray, dt: float) -> np.ndarray:
    """Position (x, y) and heading (T, 3) of the point midway between the feet."""
    keys = np.array(script.path)
    path = np.stack([np.interp(times_s, keys[:, 0], keys[:, i]) for i in (1, 2, 3)], -1)
    return np.asarray(gaussian_filter1d(path, 0.18 / dt, axis=0, mode="nearest"))


def _homes(script: Script, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standing position (T, 2, 2) and heading (T, 2) of each foot along the path."""
    style = script.person.style
    left = np.stack([-np.sin(path[:, 2]), np.cos(path[:, 2])], -1)
    place = path[:, None, :2] + 0.5 * style.stance_mm * SIGNS[:, None] * left[:, None]
    return place, path[:, 2:3] + SIGNS * style.toe_out_rad


def plan_steps(script: Script, path: np.ndarray, times_s: np.ndarray, dt: float) -> Steps:
    """Plan steps that keep the feet under the path (T, 3), one foot at a time and none while the script plants both."""
    n, build = len(times_s), script.person.build
    homes, yaws = _homes(script, path)
    free = np.ones(n, bool)
    for start, stop in script.planted:
        free &= (times_s < start) | (times_s > stop)
    swing_n = max(3, round(0.42 / script.person.style.tempo**0.5 / dt))
    pause_n = max(1, round(0.07 / dt))
    place, yaw = homes[0].copy(), yaws[0].copy()
    ankles, turns = np.empty((n, 2, 3)), np.empty((n, 2))
    pitch, planted = np.zeros((n, 2)), np.ones((n, 2), bool)
    ankles[..., 2] = build.ankle
    busy_until, last = 0, 1
    ankles[:, :, :2], turns[:] = place, yaw
    for i in range(n):
        if i < busy_until or not free[i] or not free[min(i + swing_n, n - 1)]:
            continue
        aim = min(i + swing_n // 2, n - 1)
        error = np.linalg.norm(homes[aim] - place, axis=-1) + 260 * np.abs(yaws[aim] - yaw)
        foot = 1 - last if error[1 - last] > 45 else int(np.argmax(error))
        if error[foot] < 45:
            continue
        goal = min(i + swing_n + (swing_n + 2 * pause_n) // 2, n - 1)
        rows = slice(i, min(i + swing_n, n))
        _swing(build.foot, ankles[rows, foot], turns[rows, foot], pitch[rows, foot], swing_n,
               (place[foot], homes[goal, foot]), (yaw[foot], yaws[goal, foot]))  # fmt: skip
        planted[rows, foot] = False
        place[foot], yaw[foot] = homes[goal, foot], yaws[goal, foot]
        ankles[i + swing_n :, foot, :2], turns[i + swing_n :, foot] = place[foot], yaw[foot]
        busy_until, last = i + swing_n + pause_n, foot
    return Steps(ankles, turns, pitch, planted)


def _swing(
    foot_mm: float, ankles: np.ndarray, turns: np.ndarray, pitch: np.ndarray, n: int,
    places: tuple[np.ndarray, np.ndarray], yaws: tuple[float, float],
) -> None:  # fmt: skip
    """Write one step in place: minimum jerk along the floor, with heel-off and heel strike."""
    share = (np.arange(len(ankles)) + 1) / n
    smooth = share**3 * (10 + share * (6 * share - 15))
    length = float(np.linalg.norm(places[1] - places[0]))
    ankles[:, :2] = places[0] + smooth[:, None] * (places[1] - places[0])
    turns[:] = yaws[0] + smooth * (yaws[1] - yaws[0])
    amount = min(1.0, length / 500)
    heel_off, heel_down = np.clip(share / 0.55, 0, 1), np.clip((share - 0.5) / 0.5, 0, 1)
    pitch[:] = amount * (0.75 * np.sin(np.pi * heel_off) ** 2 - 0.3 * np.sin(np.pi * heel_down) ** 2)
    lift = (35 + 40 * amount) * np.sin(np.pi * share) ** 2
    # Keep the toes or the heel of a pitched foot above the floor.
    clearance = np.where(pitch > 0, 0.6 * foot_mm, 0.25 * foot_mm) * np.abs(np.sin(pitch))
    ankles[:, 2] += np.maximum(lift, clearance)


def _jump_height(jumps: list[Jump], times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height of the pelvis above standing (T,) during jumps in mm, and whether the feet are in the air (T,)."""
    rise, airborne = np.zeros(len(times_s)), np.zeros(len(times_s), bool)
    for leap in jumps:
        up_s = 0.26
        keys = (
            (leap.crouch_s, leap.leave_s - up_s, 0.0, -leap.depth_mm, 0.0, 0.0),
            (leap.leave_s - up_s, leap.leave_s, -leap.depth_mm, 0.0, 0.0, leap.speed_mm_s),
            (leap.land_s, leap.land_s + 0.25, 0.0, -0.8 * leap.depth_mm, -leap.speed_mm_s, 0.0),
            (leap.land_s + 0.25, leap.end_s, -0.8 * leap.depth_mm, 0.0, 0.0, 0.0),
        )
        for start, stop, *ends in keys:
            inside = (times_s >= start) & (times_s < stop)
            rise[inside] = _hermite((times_s[inside] - start) / (stop - start), stop - start, *ends)
        flight = (times_s >= leap.leave_s) & (times_s < leap.land_s)
        t = times_s[flight] - leap.leave_s
        rise[flight], airborne[flight] = leap.speed_mm_s * t - 0.5 * 9810 * t * t, True
    return rise, airborne


def _hermite(s: np.ndarray, seconds: float, a: float, b: float, va: float, vb: float) -> np.ndarray:
    """Cubic Hermite interpolation at s in 0-1 between the values a and b with the speeds va and vb per second."""
    return np.asarray(
        a * (1 + 2 * s) * (1 - s) ** 2 + va * seconds * s * (1 - s) ** 2
        + b * s * s * (3 - 2 * s) - vb * seconds * s * s * (1 - s)
    )  # fmt: skip


def _raise_feet(
    script: Script, steps: Steps, tracks: dict[str, np.ndarray], path: np.ndarray, flight_mm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ankles (T, 2, 3) and pitch (T, 2) with raised feet and jumps added."""
    ankles, pitch = steps.ankles_mm.copy(), steps.pitch.copy()
    forward = np.stack([np.cos(path[:, 2]), np.sin(path[:, 2])], -1)
    for side, name in enumerate(LIFTS):
        lift = tracks[name] * [script.person.build.leg, script.person.build.leg, 1]
        ankles[:, side, :2] += lift[:, :1] * forward
        ankles[:, side, 2] += lift[:, 1]
        pitch[:, side] += lift[:, 2]
    ankles[..., 2] += flight_mm[:, None]
    pitch += np.minimum(flight_mm / 120, 0.6)[:, None]
    return ankles, pitch


def _root(
    script: Script, tracks: dict[str, np.ndarray], path: np.ndarray, pelvis: np.ndarray, ankles: np.ndarray,
    rise: np.ndarray, sway: np.ndarray, dt: float,
) -> np.ndarray:  # fmt: skip
    """Position of the pelvis (T, 3): above the path, at the scripted height or as high as both legs reach."""
    build = script.person.build
    shift = tracks["shift_mm"] + sway[:, :2]
    cosine, sine = np.cos(path[:, 2]), np.sin(path[:, 2])
    root = np.empty((len(path), 3))
    root[:, 0] = path[:, 0] + cosine * shift[:, 0] - sine * shift[:, 1]
    root[:, 1] = path[:, 1] + sine * shift[:, 0] + cosine * shift[:, 1]
    hips = pelvis[:, None, :, 1] * (SIGNS * build.hip)[:, None]
    away = np.linalg.norm(root[:, None, :2] + hips[..., :2] - ankles[..., :2], axis=-1)
    reach = MAX_STRETCH * build.leg
    room = np.sqrt(np.maximum(reach**2 - away**2, (0.3 * build.leg) ** 2)) - hips[..., 2]
    limit = (room + ankles[..., 2] - np.maximum(rise, 0)[:, None] * (rise > 0)[:, None]).min(1)
    half = max(1, round(0.16 / dt))
    limit = gaussian_filter1d(minimum_filter1d(limit, 2 * half + 1, mode="nearest"), half / 2, truncate=2.0)
    standing = build.ankle + STANDING * build.leg
    root[:, 2] = np.minimum(standing - tracks["drop_mm"][:, 0], limit) + rise
    return root


def _stride(steps: Steps, path: np.ndarray) -> np.ndarray:
    """Forward distance of the left foot from the right (T,), as a share of a long step."""
    offset = steps.ankles_mm[:, 0, :2] - steps.ankles_mm[:, 1, :2]
    forward = np.stack([np.cos(path[:, 2]), np.sin(path[:, 2])], -1)
    return np.asarray(np.clip((offset * forward).sum(-1) / 600, -1, 1))


def _wrists(script: Script, tracks: dict[str, np.ndarray], walking: np.ndarray, sway: np.ndarray) -> np.ndarray:
    """Wrist targets (T, 2, 3) of the script, plus the arm swing of walking."""
    wrists = np.stack([tracks[name] for name in HANDS], 1)
    for side, sign in enumerate(SIGNS):
        hanging = np.clip((-wrists[:, side, 2] - 0.7) / 0.2, 0, 1) * tracks["swing"][:, side]
        swing = -sign * 0.5 * script.person.style.arm_swing * walking * hanging
        wrists[:, side, 0] += swing
        wrists[:, side, 2] += 0.25 * np.maximum(swing, 0) + 0.15 * np.abs(swing)
        wrists[:, side] += sway[:, 8 + 3 * side : 11 + 3 * side]
    return wrists


def _sway(script: Script, times_s: np.ndarray) -> np.ndarray:
    """Small involuntary movements (T, 14): pelvis shift (mm), spine and head (rad), wrists (arm lengths)."""
    sizes = np.array([9, 9, 0.02, 0.015, 0.03, 0.04, 0.025, 0.06, *[0.012] * 6]) * script.person.style.sway
    rates = script.rng.uniform(0.12, 0.7, (4, len(sizes)))
    phases = script.rng.uniform(0, 2 * np.pi, (4, len(sizes)))
    return np.asarray(sizes * np.sin(2 * np.pi * rates * times_s[:, None, None] + phases).mean(1))
