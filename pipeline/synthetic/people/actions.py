"""Actions: each function appends keyframes to a script."""

from collections.abc import Callable

import numpy as np

from pipeline.synthetic.people.script import HANDS, LIFTS, REST, Jump, Script

STOOL_MM = np.array([-150.0, 1150.0])  # middle of the stool's seat
STOOL_SIZE_MM = np.array([360.0, 360.0, 440.0])
STOOL_YAW = -np.pi / 2  # heading of a seated person
ROAM_MM = 900.0  # radius around the middle of the room within which people walk


def walk(script: Script) -> None:
    """Walk to one or two other places, then turn."""
    for _ in range(script.rng.integers(1, 3)):
        script.go(_draw_place(script))
        if script.rng.random() < 0.4:
            script.move("head", (0.1, 0, script.rng.uniform(-0.8, 0.8)), 0.6)
    script.go(script.at(), script.yaw() + script.rng.uniform(-1.5, 1.5))
    script.rest(0.5, "head")


def _draw_place(script: Script) -> np.ndarray:
    """Draw a place within the roaming radius, at some distance from the current place and from the stool."""
    while True:
        angle, radius = script.rng.uniform(0, 2 * np.pi), ROAM_MM * np.sqrt(script.rng.random())
        place: np.ndarray = radius * np.array([np.cos(angle), np.sin(angle)])
        if np.linalg.norm(place - script.at()) > 650 and np.linalg.norm(place - STOOL_MM) > 560:
            return place


def reach(script: Script) -> None:
    """Reach for several points with one hand or both, leaning and looking towards them."""
    rng = script.rng
    _turn_randomly(script)
    for _ in range(rng.integers(2, 4)):
        azimuth, elevation = rng.uniform(-0.5, 1.4), rng.uniform(-0.7, 1.35)
        distance = rng.uniform(0.75, 0.99)
        hands = _draw_hands(script, both=0.3)
        target = distance * _direction(azimuth, elevation)
        for hand in hands:
            script.move(HANDS[hand], target + rng.normal(0, 0.03, 3), rng.uniform(0.6, 1.0))
        side = 0.0 if len(hands) == 2 else (1 - 2 * hands[0])
        script.move("spine", (0.25 - 0.35 * elevation * 0.6, 0.1 * side, 0.35 * side * azimuth), 0.8)
        script.move("tilt", (max(0.0, 0.2 - 0.3 * elevation), 0), 0.8)
        script.move("shift_mm", (rng.uniform(-30, 70), 40 * side), 0.8)
        script.move("head", (-0.5 * elevation, 0, 0.6 * side * azimuth), 0.6)
        script.move("palms", tuple(rng.uniform(-0.8, 0.8, 2)), 0.6)
        script.wait(rng.uniform(0.9, 1.4))
        if rng.random() < 0.4:
            script.rest(0.6)
    script.rest(0.7)
    script.wait(0.4)


def squat(script: Script) -> None:
    """Squat with the arms forward, hanging or on the knees, then stand up."""
    rng, leg = script.rng, script.person.build.leg
    _turn_randomly(script)
    script.stay(0.3)
    for _ in range(rng.integers(1, 3)):
        deep = rng.uniform(0.25, 0.6)
        down = rng.uniform(0.7, 1.2)
        script.move("drop_mm", (deep * leg,), down)
        script.move("shift_mm", (-160 * deep, 0), down)
        script.move("tilt", (0.15 + 0.5 * deep, 0), down)
        script.move("spine", (rng.uniform(0.1, 0.5), 0, rng.uniform(-0.2, 0.2)), down)
        script.move("head", (rng.uniform(-0.5, 0.1), 0, rng.uniform(-0.3, 0.3)), down)
        script.move("knees_out", (rng.uniform(0.05, 0.35),), down)
        arms = [(0.9, 0.05, 0.0), (0.45, 0.0, -0.6), (0.5, -0.2, -0.35), (0.15, 0.35, -0.85)][rng.integers(4)]
        for hand in HANDS:
            script.move(hand, np.array(arms) + rng.normal(0, 0.05, 3), down)
        script.stay(down + rng.uniform(0.2, 0.9))
        script.rest(rng.uniform(0.7, 1.0))
        script.stay(0.9)


def sit(script: Script) -> None:
    """Walk to the stool, sit down, move arms and trunk, and stand up."""
    rng, build = script.rng, script.person.build
    feet = STOOL_MM + 340 * build.leg / 850 * np.array([np.cos(STOOL_YAW), np.sin(STOOL_YAW)])
    script.go(feet, STOOL_YAW)
    script.wait(0.5)
    script.stay(0.2)
    seat = STOOL_SIZE_MM[2] + 92 * build.height / 1750
    drop = build.ankle + 0.985 * build.leg - seat
    script.move("drop_mm", (drop,), 1.2)
    script.move("shift_mm", (-330 * build.leg / 850, 0), 1.2)
    script.move("tilt", (0.45, 0), 0.6)
    script.move("spine", (0.4, 0, 0), 0.6)
    script.move("knees_out", (rng.uniform(0, 0.25),), 1.0)
    for hand in HANDS:
        script.move(hand, (0.55, -0.02, -0.6), 1.0)
    script.stay(0.7)
    script.move("tilt", (rng.uniform(-0.15, 0.1), 0), 0.7)
    script.move("spine", (rng.uniform(0.0, 0.3), 0, 0), 0.7)
    script.stay(1.0)
    for _ in range(rng.integers(2, 5)):
        _seated_gesture(script)
    script.move("tilt", (0.5, 0), 0.6)
    script.move("spine", (0.45, 0, 0), 0.6)
    script.stay(0.5)
    script.rest(1.1)
    script.stay(1.2)


def _seated_gesture(script: Script) -> None:
    rng = script.rng
    script.move("spine", (rng.uniform(-0.1, 0.6), rng.uniform(-0.15, 0.15), rng.uniform(-0.4, 0.4)), 0.7)
    script.move("head", (rng.uniform(-0.3, 0.4), 0, rng.uniform(-0.8, 0.8)), 0.5)
    for hand in _draw_hands(script, both=0.5):
        script.move(HANDS[hand], _draw_hand_place(rng), 0.7)
    if rng.random() < 0.35:
        lift = LIFTS[rng.integers(2)]
        script.move(lift, (rng.uniform(0.2, 0.45), rng.uniform(0.05, 0.3), -0.2), 0.6)
        script.move(lift, REST[lift], 0.6, after=0.8)
    script.stay(rng.uniform(0.8, 1.3))


def wave(script: Script) -> None:
    """Wave with one raised hand, sometimes with both."""
    rng = script.rng
    _turn_randomly(script)
    hands = _draw_hands(script, both=0.25)
    for hand in hands:
        raised = np.array([rng.uniform(0.1, 0.4), rng.uniform(0.25, 0.5), rng.uniform(0.25, 0.75)])
        script.move(HANDS[hand], raised, 0.7)
        for i in range(rng.integers(4, 8)):
            swing = np.array([0, 0.22 if i % 2 else -0.12, -0.05 * (i % 2)])
            script.move(HANDS[hand], raised + swing, rng.uniform(0.26, 0.38))
        script.move(HANDS[hand], REST["wrist_l"], 0.7)
    script.move("palms", tuple(rng.uniform(-0.4, 1.2, 2)), 0.6)
    script.move("head", (-0.1, 0, rng.uniform(-0.5, 0.5)), 0.6)
    script.move("shift_mm", (0, rng.uniform(-50, 50)), 0.8)
    script.wait(3.2)
    script.rest(0.6)
    script.wait(0.3)


def bend(script: Script) -> None:
    """Bend forward towards the knees or the floor, or sideways, then straighten up."""
    rng, leg = script.rng, script.person.build.leg
    _turn_randomly(script)
    script.stay(0.3)
    for _ in range(rng.integers(1, 3)):
        seconds = rng.uniform(0.8, 1.3)
        if rng.random() < 0.25:
            side = rng.choice([-1.0, 1.0])
            script.move("spine", (0.05, 0.5 * side, rng.uniform(-0.3, 0.3)), seconds)
            script.move(HANDS[int(side > 0)], (0.05, 0.1, 0.93), seconds)
        else:
            depth = rng.uniform(0.5, 1.0)
            script.move("tilt", (0.95 * depth, 0), seconds)
            script.move("spine", (0.75 * depth, 0, rng.uniform(-0.35, 0.35)), seconds)
            script.move("shift_mm", (-150 * depth, 0), seconds)
            script.move("drop_mm", (rng.uniform(0.0, 0.22) * leg,), seconds)
            script.move("head", (rng.uniform(-0.5, 0.3), 0, rng.uniform(-0.3, 0.3)), seconds)
            for hand in _draw_hands(script, both=0.8):
                script.move(HANDS[hand], (rng.uniform(0.0, 0.5), rng.uniform(-0.1, 0.15), -0.85), seconds)
        script.stay(seconds + rng.uniform(0.1, 0.6))
        script.rest(rng.uniform(0.8, 1.1))
        script.stay(1.0)


def jump(script: Script) -> None:
    """Jump on the spot, swinging the arms up."""
    rng, build = script.rng, script.person.build
    _turn_randomly(script)
    script.wait(0.45)
    for _ in range(rng.integers(1, 4)):
        down, up = rng.uniform(0.4, 0.6), rng.uniform(0.22, 0.3)
        leap = Jump(script.now, script.now + down + up, rng.uniform(60, 260), rng.uniform(0.14, 0.24) * build.leg)
        start, tempo = script.now, script.person.style.tempo
        script.move("tilt", (0.35, 0), down * tempo)
        script.move("spine", (0.3, 0, 0), down * tempo)
        raised = (rng.uniform(0.2, 0.7), rng.uniform(0.1, 0.5), rng.uniform(-0.1, 0.8))
        for hand in HANDS:
            script.move(hand, (-0.3, 0.2, -0.88), down * tempo)
            script.move(hand, raised, (up + 0.15) * tempo)
        script.now = leap.leave_s - up
        script.move("tilt", (0.0, 0), up * tempo)
        script.move("spine", (0.0, 0, 0), up * tempo)
        script.now = leap.land_s
        script.move("tilt", (0.3, 0), 0.3)
        script.move("spine", (0.25, 0, 0), 0.3)
        script.rest(0.55)
        script.jumps.append(leap)
        script.now = leap.end_s + rng.uniform(0, 0.3)
        script.planted.append((start - 0.1, script.now))


def gesture(script: Script) -> None:
    """Perform a small standing gesture: move the hands, raise a knee, look around."""
    rng = script.rng
    for hand in _draw_hands(script, both=0.6):
        script.move(HANDS[hand], _draw_hand_place(rng), 0.8)
        script.move("elbows", tuple(rng.uniform(-0.1, 0.9, 2)), 0.8)
    script.move("head", (rng.uniform(-0.4, 0.5), rng.uniform(-0.2, 0.2), rng.uniform(-0.9, 0.9)), 0.7)
    script.move("spine", (rng.uniform(-0.15, 0.3), rng.uniform(-0.2, 0.2), rng.uniform(-0.5, 0.5)), 0.9)
    if rng.random() < 0.45:
        script.wait(0.45)
        lift = rng.integers(2)
        up = rng.uniform(0.15, 0.5)
        script.move("shift_mm", (0, (-1 if lift == 0 else 1) * 0.4 * script.person.style.stance_mm), 0.4)
        script.move(LIFTS[lift], (rng.uniform(-0.2, 0.5), up, 0.4), 0.7)
        script.stay(rng.uniform(0.9, 1.4))
        script.move(LIFTS[lift], REST[LIFTS[lift]], 0.6)
        script.move("shift_mm", (0, 0), 0.6)
        script.stay(0.75)
    else:
        script.wait(rng.uniform(1.0, 1.8))
    script.rest(0.7)
    script.wait(rng.uniform(0.2, 0.6))


def _draw_hand_place(rng: np.random.Generator) -> np.ndarray:
    places = ((0.05, 0.2, -0.55), (0.3, -0.2, -0.35), (0.25, 0.0, 0.25), (0.1, 0.9, 0.05), (0.35, 0.05, -0.3),
              (0.85, 0.1, 0.1), (0.1, 0.1, 0.95), (0.5, -0.25, 0.1), (0.15, 0.25, 0.45))  # fmt: skip
    return np.array(places[rng.integers(len(places))]) + rng.normal(0, 0.06, 3)


def _draw_hands(script: Script, both: float) -> list[int]:
    if script.rng.random() < both:
        return [0, 1]
    return [int(script.rng.random() < script.person.style.handedness)]


def _direction(azimuth: float, elevation: float) -> np.ndarray:
    level = np.cos(elevation)
    return np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])


def _turn_randomly(script: Script) -> None:
    """Turn to a random heading, so that every action is seen from every side."""
    script.go(script.at(), script.rng.uniform(-np.pi, np.pi))
    script.wait(0.35)


ACTIONS: dict[str, Callable[[Script], None]] = {
    "walk": walk, "reach": reach, "squat": squat, "sit": sit, "wave": wave, "bend": bend, "jump": jump,
}  # fmt: skip
