"""Puts people into a room before a camera: shading, shadow on the floor, lens and sensor."""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.synthetic.compiled import compiled
from pipeline.synthetic.render import kernels
from pipeline.synthetic.render.paint import colour
from pipeline.synthetic.render.room import Room, draw_background

SHADOW_CELL_MM = 40.0
SHADOW_CELLS = 128
SHADOW_ORIGIN_MM = -0.5 * SHADOW_CELL_MM * SHADOW_CELLS


@dataclass(frozen=True)
class Lens:
    """What spoils a picture."""

    blur_px: float
    gain: float
    gamma: float


@dataclass(frozen=True)
class RenderView:
    """An empty room before an unmoved camera, ready for people."""

    camera: Camera
    room: Room
    rays: np.ndarray  # (H, W, 3) world directions with unit depth
    empty: np.ndarray  # (H, W, 3) light
    depth: np.ndarray  # (H, W)
    dist: np.ndarray  # (5,)
    R: np.ndarray  # (3, 3) of the camera, from the world
    t_mm: np.ndarray  # (3,)


def prepare_view(room: Room, camera: Camera) -> RenderView:
    """Look at an empty room through a camera.

    Raises ValueError for a camera without extrinsics or with more than five distortion coefficients, or a fisheye.
    """
    R, t = camera.R_cam_from_world, camera.t_cam_from_world_mm
    if R is None or t is None or len(camera.dist) > 5 or camera.fisheye:
        raise ValueError("Only cameras with extrinsics and at most five distortion coefficients can be rendered.")
    width, height = camera.size_px
    dist = np.zeros(5)
    dist[: len(camera.dist)] = camera.dist
    rays = np.empty((height, width, 3), np.float32)
    kernels.rays(camera.K, dist, R, rays)
    empty, depth = draw_background(room, rays, camera.center_world_mm)
    return RenderView(camera, room, rays, empty, depth, dist, R, t)


def render(
    stage: RenderView,
    parts: np.ndarray,
    paint: np.ndarray,
    lens: Lens,
    grain: np.ndarray,
    empty: np.ndarray | None = None,
) -> np.ndarray:
    """An image (H, W, 3), uint8, RGB, of a person before the camera.

    grain (>= H, >= W, 3), int8, is added; with `empty`, the room's picture as `photograph` gives it, only what the
    person changes is drawn anew.
    """
    dark, ground = _shadows(parts, stage.room)
    window = _whole(stage) if empty is None else _window(stage, parts, ground)
    patch = tone_map(_light(stage, parts, paint, dark, window), lens)
    image = patch if empty is None else empty.copy()
    image[window] = patch
    return np.asarray(cv2.add(image, grain[: image.shape[0], : image.shape[1]], dtype=cv2.CV_8U))


def render_background(stage: RenderView, lens: Lens) -> np.ndarray:
    """The empty room (H, W, 3), uint8, without grain."""
    return tone_map(stage.empty, lens)


def tone_map(light: np.ndarray, lens: Lens) -> np.ndarray:
    """What lens and sensor make of light (H, W, 3): uint8, without grain."""
    if lens.blur_px > 0.05:
        light = cv2.GaussianBlur(light, (0, 0), lens.blur_px, borderType=cv2.BORDER_REPLICATE)
    image = np.empty(light.shape, np.uint8)
    _expose(light, lens.gain, lens.gamma, image)
    return image


def draw_grain(rng: np.random.Generator, side_px: int, sigma: float) -> np.ndarray:
    """Sensor noise (side, side, 3), int8, of a standard deviation in grey levels."""
    return np.rint(sigma * rng.standard_normal((side_px, side_px, 3), np.float32)).clip(-127, 127).astype(np.int8)


def _whole(stage: RenderView) -> tuple[slice, slice]:
    return slice(0, stage.depth.shape[0]), slice(0, stage.depth.shape[1])


def _window(stage: RenderView, parts: np.ndarray, ground_mm: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the person and the shadow, which covers the box `ground_mm` (x0, y0, x1, y1)."""
    camera, (height, width) = stage.camera, stage.depth.shape
    x0, y0, x1, y1 = ground_mm
    corners = camera.to_camera(np.array([[x, y, 0.0] for x in (x0, 0.5 * (x0 + x1), x1) for y in (y0, y1)]))
    if (corners[:, 2] < 500).any():
        return _whole(stage)
    pixels = camera.project_cam(corners)
    low, high = pixels.min(0) - 4, pixels.max(0) + 5
    for part in parts:
        bounds = kernels.bounds(part, camera.K, stage.dist, stage.R, stage.t_mm)
        low, high = np.minimum(low, bounds[:2]), np.maximum(high, bounds[2:])
    left, top = np.clip(low - 3, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(high + 3, [left + 1, top + 1], [width, height]).astype(int)
    return slice(top, bottom), slice(left, right)


def _light(
    stage: RenderView, parts: np.ndarray, paint: np.ndarray, dark: np.ndarray, window: tuple[slice, slice]
) -> np.ndarray:
    """Light (h, w, 3) that reaches a window of the image."""
    camera, room = stage.camera, stage.room
    # Contiguous, so that the kernels are compiled for one memory layout only.
    depth, rays, empty = (np.array(x[window], order="C") for x in (stage.depth, stage.rays, stage.empty))
    seen = np.full(depth.shape, -1, np.int16)
    K = camera.K.copy()
    center = camera.center_world_mm
    K[:2, 2] -= window[1].start, window[0].start
    kernels.cast(parts, rays, K, stage.dist, stage.R, stage.t_mm, center, depth, seen)
    light = np.empty((*depth.shape, 3), np.float32)
    _shade(
        parts, paint, rays, center, depth, seen, empty, dark, room.key_light,
        room.key_rgb, room.ambient_rgb, light,
    )  # fmt: skip
    return light


def _shadows(parts: np.ndarray, room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Darkening (2, cells, cells), 0-1, of the floor by the key light's shadow and by nearness, and its extent (4,)."""
    maps = np.zeros((2, SHADOW_CELLS, SHADOW_CELLS), np.float32)
    extent = np.array([1e9, 1e9, -1e9, -1e9])
    _cast_shadow(parts, -room.key_light, 0.85, maps[0], extent)
    _cast_shadow(parts, np.array([0.0, 0.0, -1.0]), 0.6, maps[1], extent)
    limit = SHADOW_ORIGIN_MM + SHADOW_CELL_MM
    return maps, np.clip(extent, limit, -limit)


@compiled
def _cells(low_mm: float, high_mm: float) -> tuple[int, int]:
    """The range of the shadow map's cells between two coordinates."""
    first = int((low_mm - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM)
    last = int((high_mm - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM) + 2
    return min(max(0, first), SHADOW_CELLS), min(max(0, last), SHADOW_CELLS)


@compiled
def _cast_shadow(parts: np.ndarray, light: np.ndarray, strength: float, out: np.ndarray, extent: np.ndarray) -> None:
    for p in range(len(parts)):
        part = parts[p]
        h0, h1 = max(part[11], 0.0), max(part[17], 0.0)
        ax, ay = part[9] - light[0] / light[2] * h0, part[10] - light[1] / light[2] * h0
        bx, by = part[15] - light[0] / light[2] * h1, part[16] - light[1] / light[2] * h1
        height = 0.5 * (h0 + h1)
        soft = 25 + 0.13 * height
        reach = part[kernels.BOUND] * 0.85 + soft
        weight = strength / (1 + height / 900)
        x0, x1, y0, y1 = min(ax, bx) - reach, max(ax, bx) + reach, min(ay, by) - reach, max(ay, by) + reach
        extent[0], extent[1] = min(extent[0], x0), min(extent[1], y0)
        extent[2], extent[3] = max(extent[2], x1), max(extent[3], y1)
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy + 1e-6
        first_row, last_row = _cells(y0, y1)
        first_column, last_column = _cells(x0, x1)
        for i in range(first_row, last_row):
            for j in range(first_column, last_column):
                x, y = SHADOW_ORIGIN_MM + j * SHADOW_CELL_MM - ax, SHADOW_ORIGIN_MM + i * SHADOW_CELL_MM - ay
                along = min(max((x * dx + y * dy) / length2, 0.0), 1.0)
                x, y = x - along * dx, y - along * dy
                inside = min(max((reach - np.sqrt(x * x + y * y)) / (2 * soft), 0.0), 1.0)
                out[i, j] = max(out[i, j], weight * inside * inside * (3 - 2 * inside))


@compiled
def _expose(light: np.ndarray, gain: float, gamma: float, image: np.ndarray) -> None:
    table = np.empty(2049, np.uint8)
    for i in range(2049):
        table[i] = np.uint8(255 * (i / 2048) ** gamma + 0.5)
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            for c in range(3):
                image[i, j, c] = table[int(min(max(light[i, j, c] * gain, 0.0), 1.0) * 2048)]


@compiled
def _look_up(dark: np.ndarray, x: float, y: float) -> float:
    u, v = (x - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM, (y - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM
    i, j = int(np.floor(v)), int(np.floor(u))
    if i < 0 or j < 0 or i >= SHADOW_CELLS - 1 or j >= SHADOW_CELLS - 1:
        return 0.0
    u, v = u - j, v - i
    top = dark[i, j] * (1 - u) + dark[i, j + 1] * u
    return top * (1 - v) + (dark[i + 1, j] * (1 - u) + dark[i + 1, j + 1] * u) * v


@compiled
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
                    keep -= 0.75 * _look_up(dark[0], x, y) * (0.35 + 0.65 * light[2])
                    keep *= 1 - 0.8 * _look_up(dark[1], x, y)
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
