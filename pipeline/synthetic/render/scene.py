"""Rendering of a person in a room: visibility, shading, floor shadow, blur and tone mapping."""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.compiled import compiled_fastmath
from pipeline.geometry.camera.model import Camera
from pipeline.synthetic.render import kernels
from pipeline.synthetic.render.paint import colour
from pipeline.synthetic.render.room import Room, draw_background

SHADOW_CELL_MM = 40.0
SHADOW_CELLS = 128
SHADOW_ORIGIN_MM = -0.5 * SHADOW_CELL_MM * SHADOW_CELLS


@dataclass(frozen=True)
class SensorModel:
    """Image formation after shading: blur, exposure gain and gamma."""

    blur_px: float
    gain: float
    gamma: float


@dataclass(frozen=True)
class RenderView:
    """A static camera in an empty room, with everything that does not depend on the person."""

    camera: Camera
    room: Room
    rays: np.ndarray  # (H, W, 3) in world axes, with unit depth
    background: np.ndarray  # (H, W, 3) radiance, 0-1
    depth: np.ndarray  # (H, W) mm
    dist: np.ndarray  # (5,)
    R: np.ndarray  # (3, 3) R_cam_from_world
    t_mm: np.ndarray  # (3,) t_cam_from_world


def prepare_view(room: Room, camera: Camera) -> RenderView:
    """Compute the rays, radiance and depth of the empty room for a camera.

    Raises ValueError for a camera without extrinsics or with more than five distortion coefficients, or a fisheye.
    """
    R, t = camera.R_cam_from_world, camera.t_cam_from_world_mm
    if R is None or t is None or len(camera.dist) > 5 or camera.fisheye:
        raise ValueError("Only cameras with extrinsics and at most five distortion coefficients can be rendered.")
    width, height = camera.size_px
    dist = np.zeros(5)
    dist[: len(camera.dist)] = camera.dist
    rays = np.empty((height, width, 3), np.float32)
    kernels.camera_rays(camera.K, dist, R, rays)
    background, depth = draw_background(room, rays, camera.center_world_mm)
    return RenderView(camera, room, rays, background, depth, dist, R, t)


def render(
    view: RenderView,
    parts: np.ndarray,
    paint: np.ndarray,
    sensor: SensorModel,
    grain: np.ndarray,
    background: np.ndarray | None = None,
) -> np.ndarray:
    """Render one image (H, W, 3), uint8, RGB, of a person described by parts (P, N_COLUMNS) and their textures.

    `grain` (at least H, at least W, 3), int8, is added. With `background`, the output of `render_background`, only the
    window that the person and the shadow change is rendered.
    """
    shadow, ground = _shadows(parts, view.room)
    window = _full_window(view) if background is None else _changed_window(view, parts, ground)
    patch = tone_map(_radiance(view, parts, paint, shadow, window), sensor)
    image = patch if background is None else background.copy()
    image[window] = patch
    return np.asarray(cv2.add(image, grain[: image.shape[0], : image.shape[1]], dtype=cv2.CV_8U))


def render_background(view: RenderView, sensor: SensorModel) -> np.ndarray:
    """Render the empty room (H, W, 3), uint8, without grain."""
    return tone_map(view.background, sensor)


def tone_map(light: np.ndarray, sensor: SensorModel) -> np.ndarray:
    """Convert radiance (H, W, 3) to an image, uint8: blur, gain and gamma, without grain."""
    if sensor.blur_px > 0.05:
        light = cv2.GaussianBlur(light, (0, 0), sensor.blur_px, borderType=cv2.BORDER_REPLICATE)
    image = np.empty(light.shape, np.uint8)
    _quantize(light, sensor.gain, sensor.gamma, image)
    return image


def draw_grain(rng: np.random.Generator, side_px: int, sigma: float) -> np.ndarray:
    """Draw sensor noise (side, side, 3), int8, with the standard deviation `sigma` in grey levels."""
    return np.asarray(
        np.rint(sigma * rng.standard_normal((side_px, side_px, 3), np.float32)).clip(-127, 127).astype(np.int8)
    )


def _full_window(view: RenderView) -> tuple[slice, slice]:
    return slice(0, view.depth.shape[0]), slice(0, view.depth.shape[1])


def _changed_window(view: RenderView, parts: np.ndarray, ground_mm: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that contain the person and the shadow, whose extent is `ground_mm` (x0, y0, x1, y1)."""
    camera, (height, width) = view.camera, view.depth.shape
    x0, y0, x1, y1 = ground_mm
    corners = camera.to_camera(np.array([[x, y, 0.0] for x in (x0, 0.5 * (x0 + x1), x1) for y in (y0, y1)]))
    if (corners[:, 2] < 500).any():
        return _full_window(view)
    pixels = camera.project_cam(corners)
    low, high = pixels.min(0) - 4, pixels.max(0) + 5
    for part in parts:
        bounds = kernels.pixel_bounds(part, camera.K, view.dist, view.R, view.t_mm)
        low, high = np.minimum(low, bounds[:2]), np.maximum(high, bounds[2:])
    left, top = np.clip(low - 3, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(high + 3, [left + 1, top + 1], [width, height]).astype(int)
    return slice(top, bottom), slice(left, right)


def _radiance(
    view: RenderView, parts: np.ndarray, paint: np.ndarray, shadow: np.ndarray, window: tuple[slice, slice]
) -> np.ndarray:
    """Radiance (h, w, 3) in a window of the image."""
    camera, room = view.camera, view.room
    # Contiguous copies, so that the kernels are compiled for one memory layout only.
    depth, rays, background = (np.array(x[window], order="C") for x in (view.depth, view.rays, view.background))
    part_index = np.full(depth.shape, -1, np.int16)
    K = camera.K.copy()
    center = camera.center_world_mm
    K[:2, 2] -= window[1].start, window[0].start
    kernels.cast_rays(parts, rays, K, view.dist, view.R, view.t_mm, center, depth, part_index)
    light = np.empty((*depth.shape, 3), np.float32)
    _shade(
        parts, paint, rays, center, depth, part_index, background, shadow, room.key_light,
        room.key_rgb, room.ambient_rgb, light,
    )  # fmt: skip
    return light


def _shadows(parts: np.ndarray, room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Shadow maps (2, cells, cells) of the floor, for key light and ambient occlusion, and their extent (4,)."""
    maps = np.zeros((2, SHADOW_CELLS, SHADOW_CELLS), np.float32)
    extent = np.array([1e9, 1e9, -1e9, -1e9])
    _cast_shadow(parts, -room.key_light, 0.85, maps[0], extent)
    _cast_shadow(parts, np.array([0.0, 0.0, -1.0]), 0.6, maps[1], extent)
    limit = SHADOW_ORIGIN_MM + SHADOW_CELL_MM
    return maps, np.clip(extent, limit, -limit)


@compiled_fastmath
def _cell_range(low_mm: float, high_mm: float) -> tuple[int, int]:
    """Range of shadow-map cells between two coordinates."""
    first = int((low_mm - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM)
    last = int((high_mm - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM) + 2
    return min(max(0, first), SHADOW_CELLS), min(max(0, last), SHADOW_CELLS)


@compiled_fastmath
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
        first_row, last_row = _cell_range(y0, y1)
        first_column, last_column = _cell_range(x0, x1)
        for i in range(first_row, last_row):
            for j in range(first_column, last_column):
                x, y = SHADOW_ORIGIN_MM + j * SHADOW_CELL_MM - ax, SHADOW_ORIGIN_MM + i * SHADOW_CELL_MM - ay
                along = min(max((x * dx + y * dy) / length2, 0.0), 1.0)
                x, y = x - along * dx, y - along * dy
                inside = min(max((reach - np.sqrt(x * x + y * y)) / (2 * soft), 0.0), 1.0)
                out[i, j] = max(out[i, j], weight * inside * inside * (3 - 2 * inside))


@compiled_fastmath
def _quantize(light: np.ndarray, gain: float, gamma: float, image: np.ndarray) -> None:
    table = np.empty(2049, np.uint8)
    for i in range(2049):
        table[i] = np.uint8(255 * (i / 2048) ** gamma + 0.5)
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            for c in range(3):
                image[i, j, c] = table[int(min(max(light[i, j, c] * gain, 0.0), 1.0) * 2048)]


@compiled_fastmath
def _sample_shadow(shadow: np.ndarray, x: float, y: float) -> float:
    u, v = (x - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM, (y - SHADOW_ORIGIN_MM) / SHADOW_CELL_MM
    i, j = int(np.floor(v)), int(np.floor(u))
    if i < 0 or j < 0 or i >= SHADOW_CELLS - 1 or j >= SHADOW_CELLS - 1:
        return 0.0
    u, v = u - j, v - i
    top = shadow[i, j] * (1 - u) + shadow[i, j + 1] * u
    weight: float = top * (1 - v) + (shadow[i + 1, j] * (1 - u) + shadow[i + 1, j + 1] * u) * v
    return weight


@compiled_fastmath
def _shade(
    parts: np.ndarray, paint: np.ndarray, rays: np.ndarray, c: np.ndarray, depth: np.ndarray, part_index: np.ndarray,
    background: np.ndarray, shadow: np.ndarray, light: np.ndarray, key: np.ndarray, ambient: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    for i in range(depth.shape[0]):
        for j in range(depth.shape[1]):
            s, p = depth[i, j], part_index[i, j]
            x, y, z = c[0] + s * rays[i, j, 0], c[1] + s * rays[i, j, 1], c[2] + s * rays[i, j, 2]
            if p < 0:
                keep = 1.0
                if z < 5:
                    keep -= 0.75 * _sample_shadow(shadow[0], x, y) * (0.35 + 0.65 * light[2])
                    keep *= 1 - 0.8 * _sample_shadow(shadow[1], x, y)
                for k in range(3):
                    out[i, j, k] = background[i, j, k] * keep
                continue
            part = parts[p]
            lx, ly, lz, nx, ny, nz = kernels.surface_point(part, x, y, z)
            red, green, blue = colour(paint[p], part[12], part[13], lx, ly, lz)
            cosine = max(0.0, 0.15 + 0.85 * (nx * light[0] + ny * light[1] + nz * light[2]))
            sky = (0.62 + 0.38 * nz) * (0.8 + 0.2 * min(1.0, z / 700))
            out[i, j, 0] = red * (ambient[0] * sky + key[0] * cosine)
            out[i, j, 1] = green * (ambient[1] * sky + key[1] * cosine)
            out[i, j, 2] = blue * (ambient[2] * sky + key[2] * cosine)
