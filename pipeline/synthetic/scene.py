"""Puts people into a room before a camera: shading, shadow on the floor, lens and sensor."""

from dataclasses import dataclass

import cv2
import numba as nb
import numpy as np

from pipeline.geometry.camera import Camera
from pipeline.synthetic import kernels
from pipeline.synthetic.paint import colour
from pipeline.synthetic.room import Room, draw_background

SHADOW_CELL_MM = 40.0
SHADOW_CELLS = 128
SHADOW_ORIGIN_MM = -0.5 * SHADOW_CELL_MM * SHADOW_CELLS


@dataclass(frozen=True)
class Lens:
    """What spoils a picture."""

    blur_px: float
    noise: float  # standard deviation, of 255
    gain: float
    gamma: float


@dataclass(frozen=True)
class Stage:
    """An empty room before an unmoved camera, ready for people."""

    camera: Camera
    room: Room
    rays: np.ndarray  # (H, W, 3) world directions with unit depth
    empty: np.ndarray  # (H, W, 3) light
    depth: np.ndarray  # (H, W)
    dist: np.ndarray  # (5,)


def set_stage(room: Room, camera: Camera) -> Stage:
    """Look at an empty room through a camera with known extrinsics."""
    width, height = camera.size_px
    dist = np.zeros(5)
    dist[: len(camera.dist)] = camera.dist
    rays = np.empty((height, width, 3), np.float32)
    kernels.rays(camera.K, dist, camera.R_cam_from_world, rays)
    empty, depth = draw_background(room, rays, camera.center_world_mm)
    return Stage(camera, room, rays, empty, depth, dist)


def shadows(parts: np.ndarray, room: Room) -> np.ndarray:
    """Darkening (2, cells, cells), 0-1, of the floor by the key light's shadow and by nearness."""
    maps = np.zeros((2, SHADOW_CELLS, SHADOW_CELLS), np.float32)
    _cast_shadow(parts, -room.key_light, 0.85, maps[0])
    _cast_shadow(parts, np.array([0.0, 0.0, -1.0]), 0.6, maps[1])
    return maps


@nb.njit(cache=True, fastmath=True)
def _cast_shadow(parts: np.ndarray, light: np.ndarray, strength: float, out: np.ndarray) -> None:
    for p in range(len(parts)):
        part = parts[p]
        h0, h1 = max(part[11], 0.0), max(part[17], 0.0)
        ax, ay = part[9] - light[0] / light[2] * h0, part[10] - light[1] / light[2] * h0
        bx, by = part[15] - light[0] / light[2] * h1, part[16] - light[1] / light[2] * h1
        height = 0.5 * (h0 + h1)
        soft = 25 + 0.13 * height
        radius = part[18] * 0.85
        weight = strength / (1 + height / 900)
        reach = radius + soft
        x0, x1 = min(ax, bx) - reach, max(ax, bx) + reach
        y0, y1 = min(ay, by) - reach, max(ay, by) + reach
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy + 1e-6
        for i in range(max(0, int((y0 - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM)), min(SHADOW_CELLS, int((y1 - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM) + 2)):
            for j in range(max(0, int((x0 - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM)), min(SHADOW_CELLS, int((x1 - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM) + 2)):
                x, y = SHADOW_ORIGIN_MM + j * SHADOW_CELL_MM - ax, SHADOW_ORIGIN_MM + i * SHADOW_CELL_MM - ay
                along = min(max((x * dx + y * dy) / length2, 0.0), 1.0)
                x, y = x - along * dx, y - along * dy
                inside = min(max((reach - np.sqrt(x * x + y * y)) / (2 * soft), 0.0), 1.0)
                dark = weight * inside * inside * (3 - 2 * inside)
                out[i, j] = max(out[i, j], dark)


def render(
    stage: Stage, parts: np.ndarray, paint: np.ndarray, dark: np.ndarray, lens: Lens, noise: np.ndarray
) -> np.ndarray:
    """An image (H, W, 3), uint8, RGB, of a person; `noise` (>= H, >= W, 3) is unit normal."""
    depth, seen = stage.depth.copy(), np.full(stage.depth.shape, -1, np.int16)
    camera, room = stage.camera, stage.room
    center = camera.center_world_mm
    kernels.cast(
        parts, stage.rays, camera.K, stage.dist, camera.R_cam_from_world, camera.t_cam_from_world_mm, depth, seen
    )
    light = np.empty_like(stage.empty)
    _shade(parts, paint, stage.rays, center, depth, seen, stage.empty, dark, room.key_light, room.key_rgb, room.ambient_rgb, light)
    if lens.blur_px > 0.05:
        light = cv2.GaussianBlur(light, (0, 0), lens.blur_px, borderType=cv2.BORDER_REPLICATE)
    image = np.empty(light.shape, np.uint8)
    _expose(light, noise, lens.gain, lens.gamma, lens.noise, image)
    return image


@nb.njit(cache=True, fastmath=True)
def _expose(light: np.ndarray, noise: np.ndarray, gain: float, gamma: float, sigma: float, image: np.ndarray) -> None:
    table = np.empty(1025)
    for i in range(1025):
        table[i] = 255 * (i / 1024) ** gamma
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            for c in range(3):
                value = min(max(light[i, j, c] * gain, 0.0), 1.0) * 1024
                bright = table[int(value)] + sigma * noise[i, j, c]
                image[i, j, c] = np.uint8(min(max(bright + 0.5, 0.0), 255.0))


@nb.njit(cache=True, fastmath=True)
def _look_up(dark: np.ndarray, x: float, y: float) -> float:
    u, v = (x - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM, (y - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM
    i, j = int(np.floor(v)), int(np.floor(u))
    if i < 0 or j < 0 or i >= SHADOW_CELLS - 1 or j >= SHADOW_CELLS - 1:
        return 0.0
    u, v = u - j, v - i
    top = dark[i, j] * (1 - u) + dark[i, j + 1] * u
    return top * (1 - v) + (dark[i + 1, j] * (1 - u) + dark[i + 1, j + 1] * u) * v


@nb.njit(cache=True, fastmath=True)
def _shade(
    parts: np.ndarray, paint: np.ndarray, rays: np.ndarray, c: np.ndarray, depth: np.ndarray, seen: np.ndarray,
    empty: np.ndarray, dark: np.ndarray, light: np.ndarray, key: np.ndarray, ambient: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    for i in range(depth.shape[0]):
        for j in range(depth.shape[1]):
            s, p = depth[i, j], seen[i, j]
            x, y, z = c[0] + s * rays[i, j, 0], c[1] + s * rays[i, j, 1], c[2] + s * rays[i, j, 2]
            if p < 0:
                keep = 1.0
                if z < 5:
                    keep = (1 - 0.75 * _look_up(dark[0], x, y) * (0.35 + 0.65 * light[2])) * (1 - 0.8 * _look_up(dark[1], x, y))
                for k in range(3):
                    out[i, j, k] = empty[i, j, k] * keep
                continue
            part = parts[p]
            lx, ly, lz, nx, ny, nz = kernels.surface(part, x, y, z)
            red, green, blue = colour(paint[p], part[12], part[13], lx, ly, lz)
            cosine = max(0.0, 0.15 + 0.85 * (nx * light[0] + ny * light[1] + nz * light[2]))
            sky = (0.62 + 0.38 * nz) * (0.8 + 0.2 * min(1.0, z / 700))
            out[i, j, 0] = red * (ambient[0] * sky + key[0] * cosine)
            out[i, j, 1] = green * (ambient[1] * sky + key[1] * cosine)
            out[i, j, 2] = blue * (ambient[2] * sky + key[2] * cosine)
