"""Random poses within the joint limits, with more variety than the actions."""

from dataclasses import replace

import numpy as np

from pipeline.skeleton import joint
from pipeline.synthetic.people.body import SIGNS, BodyPoses, Controls, rotation, solve_pose
from pipeline.synthetic.people.person import Person

MAX_STRETCH = 0.99  # largest distance from hip to ankle, in leg lengths


def draw_poses(person: Person, n: int, rng: np.random.Generator) -> BodyPoses:
    """Draw n independent poses of a person who stands, squats, kneels, leans or balances."""
    build = person.build
    pelvis = rotation("z", rng.uniform(-np.pi, np.pi, n)) @ rotation("x", rng.normal(0, 0.12, n))
    pelvis = pelvis @ rotation("y", np.clip(rng.normal(0.15, 0.35, n), -0.4, 1.1))
    ankles, feet = _feet(person, pelvis, rng)
    root = np.zeros((n, 3))
    root[:, 2] = _height(person, pelvis, ankles, rng.uniform(0.5, 1.0, n) ** 0.6)
    controls = Controls(
        root_mm=root, pelvis=pelvis, spine_rad=np.clip(rng.normal([0.2, 0, 0], [0.3, 0.2, 0.3], (n, 3)), -0.6, 0.9),
        head_rad=np.clip(rng.normal(0, [0.35, 0.2, 0.5], (n, 3)), -0.9, 0.9), shrug_rad=rng.uniform(-0.05, 0.3, (n, 2)),
        wrists=_wrists(n, rng), elbow_out=rng.uniform(-0.2, 1.0, (n, 2)), palm_rad=rng.uniform(-1.2, 1.2, (n, 2)),
        ankles_mm=ankles, feet=feet, knee_out_rad=rng.uniform(-0.1, 0.5, (n, 2)),
    )  # fmt: skip
    # If a knee cannot bend far enough, the foot would be below the floor: raise the whole body.
    lowest = solve_pose(build, controls).joints_mm[:, [joint("l_ankle"), joint("r_ankle")], 2].min(1)
    up = (build.ankle - lowest)[:, None] * [0.0, 0.0, 1.0]
    return solve_pose(build, replace(controls, root_mm=root + up, ankles_mm=ankles + up[:, None]))


def _wrists(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw wrist targets within reach of the arms, many of them low."""
    azimuth, elevation = rng.uniform(-0.5, 1.7, (n, 2)), rng.uniform(-1.55, 1.5, (n, 2))
    elevation = np.where(rng.random((n, 2)) < 0.3, -1.4, elevation)
    both = rng.random(n) < 0.3  # symmetric arms
    azimuth[both, 1], elevation[both, 1] = azimuth[both, 0], elevation[both, 0]
    level = np.cos(elevation)
    direction = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], -1)
    return direction * rng.uniform(0.45, 1.0, (n, 2, 1)) ** 0.5


def _feet(person: Person, pelvis: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n, build = len(pelvis), person.build
    spread = rng.uniform(0.3, 1.4) * np.stack([rng.normal(0, 200, (n, 2)), SIGNS * rng.uniform(60, 260, (n, 2))], -1)
    yaw = np.arctan2(pelvis[:, 1, 0], pelvis[:, 0, 0])[:, None] + SIGNS * rng.normal(0.15, 0.2, (n, 2))
    along, left = pelvis[:, None, :2, 0], pelvis[:, None, :2, 1]
    ankles = np.full((n, 2, 3), build.ankle)
    ankles[..., :2] = spread[..., :1] * along + spread[..., 1:] * left
    raised = (rng.random((n, 2)) < 0.3) & (np.arange(2) == rng.integers(2, size=(n, 1)))
    ankles[..., 2] += raised * rng.uniform(30, 550, (n, 2)) * build.height / 1750
    pitch = raised * rng.uniform(-0.3, 0.7, (n, 2))
    return ankles, rotation("z", yaw) @ rotation("y", pitch)


def _height(person: Person, pelvis: np.ndarray, ankles: np.ndarray, stretched: np.ndarray) -> np.ndarray:
    """Height of the pelvis (n,) at which the standing leg that limits it has the given share of its largest stretch."""
    build = person.build
    hips = pelvis[:, None, :, 1] * (SIGNS * build.hip)[:, None]
    away = np.linalg.norm(hips[..., :2] - ankles[..., :2], axis=-1)
    up = np.sqrt(np.maximum((MAX_STRETCH * build.leg * stretched[:, None]) ** 2 - away**2, (0.25 * build.leg) ** 2))
    standing = ankles[..., 2] <= build.ankle + 1
    return np.asarray(np.where(standing, ankles[..., 2] + up - hips[..., 2], np.inf).min(1))
