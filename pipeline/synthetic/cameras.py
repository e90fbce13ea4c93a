"""Cameras of the rendered scenes."""

import numpy as np

from pipeline.geometry.camera.model import Camera

AIM_MM = np.array([0.0, 0.0, 930.0])


def look_at(center_mm: np.ndarray, aim_mm: np.ndarray, roll_rad: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return R_cam_from_world (3, 3) and t (3,) in mm of a camera at `center_mm` that looks at `aim_mm`."""
    z = (aim_mm - center_mm) / np.linalg.norm(aim_mm - center_mm)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    c, s = np.cos(roll_rad), np.sin(roll_rad)
    R = np.stack([c * x + s * y, c * y - s * x, z])
    return R, -R @ center_mm


def draw_rig(rng: np.random.Generator, size_px: int) -> list[Camera]:
    """Draw the demo's rig: four cameras around the middle of the room, and a fifth, higher up, between two of them.

    Images are square with `size_px` pixels a side; the lenses have radial and tangential distortion.
    """
    start = rng.uniform(0, 2 * np.pi)
    cameras = []
    heights = rng.permutation(np.array([1350.0, 1650, 1950, 2250])) + rng.uniform(-60, 60, 4)
    places = [(start + np.pi / 2 * i + rng.uniform(-0.17, 0.17), rng.uniform(4100, 4900), heights[i]) for i in range(4)]
    places.append((start + np.pi / 4 + rng.uniform(-0.1, 0.1), 4000.0, 2750.0))
    for azimuth, radius, height in places:
        center = np.array([radius * np.cos(azimuth), radius * np.sin(azimuth), height])
        R, t = look_at(center, AIM_MM + rng.uniform(-80, 80, 3), rng.normal(0, 0.012))
        focal = size_px * np.linalg.norm(center - AIM_MM) / 2950 * rng.uniform(0.96, 1.04)
        middle = 0.5 * (size_px - 1) + rng.uniform(-0.012, 0.012, 2) * size_px
        K = np.array([[focal, 0, middle[0]], [0, focal * rng.uniform(0.998, 1.002), middle[1]], [0, 0, 1]])
        dist = np.array([rng.uniform(-0.2, -0.1), rng.uniform(0.0, 0.06), *rng.normal(0, 4e-4, 2), 0.0])
        cameras.append(Camera(K, dist, (size_px, size_px), R, t))
    return cameras
