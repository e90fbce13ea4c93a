"""Rooms: textured floor, walls with pictures, furniture and light; rendered once per static camera."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.compiled import compiled_fastmath
from pipeline.synthetic.people.actions import STOOL_MM, STOOL_SIZE_MM
from pipeline.synthetic.render.paint import lattice, noise

N_PATTERNS = 4  # speckled, checked, planks, clouded


@dataclass(frozen=True)
class Room:
    """A room with furniture and lighting."""

    half_mm: float  # from the middle to each wall
    height_mm: float
    seed: int
    surfaces: np.ndarray  # (6, 8) floor, four walls, ceiling: two colours, pattern, pattern size in mm
    pictures: np.ndarray  # (4, n, 10) per wall: position, half size, colours of frame and picture
    boxes: np.ndarray  # (B, 6) lower and upper corner
    box_paint: np.ndarray  # (B, 8) as for surfaces
    key_light: np.ndarray  # (3,) unit vector towards the light
    key_rgb: np.ndarray  # (3,)
    ambient_rgb: np.ndarray  # (3,)


def draw_room(rng: np.random.Generator, *, stool: bool, clutter: int = 5) -> Room:
    """Draw a room; with `stool`, a stool stands where people sit, and `clutter` bounds the number of other boxes."""
    half = float(rng.uniform(5000, 6000))
    boxes = [_stool()] if stool else []
    boxes += [_furniture(rng, half) for _ in range(rng.integers(1, clutter + 1))]
    wall = rng.uniform(0.35, 0.9) * (1 + rng.normal(0, 0.06, 3))
    walls = [_surface(rng, wall * rng.uniform(0.85, 1.1), 0.12, (300, 1400)) for _ in range(4)]
    floor_rgb = rng.uniform(0.2, 0.75) * (np.array([1.0, 0.93, 0.85]) + rng.normal(0, 0.08, 3))
    floor = _surface(rng, floor_rgb, 0.15, (250, 900))
    ceiling = np.array([*[0.85] * 6, 0, 1])
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.35)
    light = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    warm = np.array([1 + rng.uniform(-0.06, 0.1), 1.0, 1 + rng.uniform(-0.12, 0.06)])
    strength = rng.uniform(0.4, 0.85)
    return Room(
        half, float(rng.uniform(2900, 3600)), int(rng.integers(1 << 20)), np.stack([floor, *walls, ceiling]),
        _pictures(rng), np.stack(boxes), np.stack([_box_paint(rng) for _ in boxes]), light, strength * warm,
        (1.02 - 0.62 * strength) * (2 - warm),
    )  # fmt: skip


def _surface(rng: np.random.Generator, rgb: np.ndarray, contrast: float, size_mm: tuple[float, float]) -> np.ndarray:
    """Draw two colours, a pattern and its size (8,)."""
    second = rgb * (1 + rng.uniform(-2, 1) * contrast) + rng.normal(0, 0.25 * contrast, 3)
    colours = np.clip([rgb, second], 0.05, 0.97).ravel()
    return np.concatenate([colours, [rng.integers(N_PATTERNS), rng.uniform(*size_mm)]])


def _pictures(rng: np.random.Generator) -> np.ndarray:
    """Draw pictures, windows and doors: three per wall."""
    place = rng.uniform([-3500, 1100], [3500, 2200], (4, 3, 2))
    half_size = rng.uniform(150, 600, (4, 3, 2))
    door = rng.random((4, 3)) < 0.3
    place[door, 1], half_size[door] = 1020, (450, 1025)
    grey = rng.uniform(0.15, 0.9, (4, 3, 2, 1))
    colours = np.clip(grey + rng.normal(0, 0.2, (4, 3, 2, 3)), 0.03, 0.95).reshape(4, 3, 6)
    return np.concatenate([place, half_size, colours], -1)


def _stool() -> np.ndarray:
    low = np.array([*(STOOL_MM - STOOL_SIZE_MM[:2] / 2), 0.0])
    return np.concatenate([low, low + STOOL_SIZE_MM])


def _furniture(rng: np.random.Generator, half: float) -> np.ndarray:
    """Draw a box against a wall, near the middle of the wall."""
    size = np.array([rng.uniform(400, 1800), rng.uniform(250, 500), rng.uniform(350, 1900)])
    along = rng.uniform(-0.45, 0.45) * half
    low = np.array([along - size[0] / 2, half - size[1], 0.0])
    high = np.array([along + size[0] / 2, half - 1, size[2]])
    for _ in range(rng.integers(4)):
        low, high = np.array([-high[1], low[0], low[2]]), np.array([-low[1], high[0], high[2]])
    return np.concatenate([low, high])


def _box_paint(rng: np.random.Generator) -> np.ndarray:
    colours = rng.uniform(0.1, 0.85, (2, 1)) + rng.normal(0, 0.16, (2, 3))
    return np.concatenate([np.clip(colours, 0.04, 0.95).ravel(), [rng.integers(3), 220]])


def add_box(rng: np.random.Generator, room: Room, middle_mm: np.ndarray) -> Room:
    """Return the room with one more box, centred near a position."""
    size = rng.uniform([120, 120, 150], [450, 450, 700])
    middle = np.array([*middle_mm[:2], max(middle_mm[2], 0.5 * size[2])])
    box = np.concatenate([middle - size / 2, middle + size / 2])
    return replace(room, boxes=np.vstack([room.boxes, box]), box_paint=np.vstack([room.box_paint, _box_paint(rng)]))


def draw_background(room: Room, rays: np.ndarray, center_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radiance (H, W, 3), 0-1, and depth (H, W) in mm of the empty room along rays (H, W, 3) of unit depth."""
    colour = np.empty(rays.shape, np.float32)
    depth = np.empty(rays.shape[:2], np.float32)
    _shade_background(
        rays, np.asarray(center_mm, float), room.half_mm, room.height_mm, room.seed, room.surfaces, room.pictures,
        room.boxes, room.box_paint, room.key_light, room.key_rgb, room.ambient_rgb, colour, depth,
    )  # fmt: skip
    return colour, depth


@compiled_fastmath
def _pattern_weight(pattern: float, size: float, u: float, v: float, seed: int) -> float:
    """Weight of the second colour at (u, v) in mm on a surface."""
    if pattern == 1:
        return 0.8 * float((int(np.floor(u / size)) + int(np.floor(v / size))) & 1)
    if pattern == 2:
        row = int(np.floor(v / (0.25 * size)))
        plank = int(np.floor((u + 700 * lattice(row, seed)) / (3 * size)))
        return 0.75 * lattice(row, plank + seed) + 0.25 * noise(u / 160, v / 14)
    if pattern == 3:
        return 0.7 * noise(u / size, v / size) + 0.3 * noise(u / 40, v / 40)
    return 0.25 * noise(u / 70, v / 70)


@compiled_fastmath
def _intersect_box(box: np.ndarray, c: np.ndarray, ix: float, iy: float, iz: float) -> tuple[float, int]:
    """Distance at which a ray enters a box, and the axis of the face; ix, iy, iz are the inverse direction."""
    near, far, axis = -1e9, 1e9, 0
    for i in range(3):
        inverse = ix if i == 0 else (iy if i == 1 else iz)
        a, b = (box[i] - c[i]) * inverse, (box[i + 3] - c[i]) * inverse
        if min(a, b) > near:
            near, axis = min(a, b), i
        far = min(far, max(a, b))
    return (near, axis) if near < far and near > 100 else (1e9, 0)


@compiled_fastmath
def _intersect_room(c: np.ndarray, dx: float, dy: float, dz: float, half: float, height: float) -> tuple[float, int]:
    """Distance at which a ray from inside meets the room, and the face: 0 floor, 1-4 walls, 5 ceiling."""
    s, face = 1e9, 0
    if dz < -1e-6:
        s = -c[2] / dz
    if dz > 1e-6 and (height - c[2]) / dz < s:
        s, face = (height - c[2]) / dz, 5
    for i in range(2):
        d = dx if i == 0 else dy
        if abs(d) > 1e-6:
            wall = ((half if d > 0 else -half) - c[i]) / d
            if wall < s:
                s, face = wall, 1 + 2 * i + (0 if d > 0 else 1)
    return s, face


@compiled_fastmath
def _picture_color(
    pictures: np.ndarray, u: float, v: float, red: float, green: float, blue: float
) -> tuple[float, float, float]:
    """Colour of the picture at a position of a wall, or the colour of the wall itself."""
    for i in range(len(pictures)):
        q = pictures[i]
        inside = min(q[2] - abs(u - q[0]), q[3] - abs(v - q[1]))
        if inside > 40:
            light = 0.35 + 0.75 * noise(u / 170 + 9 * i, v / 210)
            return light * q[7], light * q[8], light * q[9]
        if inside > 0:
            return q[4], q[5], q[6]
    return red, green, blue


@compiled_fastmath
def _shade_background(
    rays: np.ndarray, c: np.ndarray, half: float, height: float, seed: int, surfaces: np.ndarray,
    pictures: np.ndarray, boxes: np.ndarray, box_paint: np.ndarray, light: np.ndarray, key: np.ndarray,
    ambient: np.ndarray, colour: np.ndarray, depth: np.ndarray,
) -> None:  # fmt: skip
    for i in range(rays.shape[0]):
        for j in range(rays.shape[1]):
            dx, dy, dz = float(rays[i, j, 0]), float(rays[i, j, 1]), float(rays[i, j, 2])
            s, face = _intersect_room(c, dx, dy, dz, half, height)
            ix, iy, iz = 1 / (dx + 1e-12), 1 / (dy + 1e-12), 1 / (dz + 1e-12)
            box, axis = -1, 0
            for b in range(len(boxes)):
                s_box, axis_box = _intersect_box(boxes[b], c, ix, iy, iz)
                if s_box < s:
                    s, box, axis = s_box, b, axis_box
            x, y, z = c[0] + s * dx, c[1] + s * dy, c[2] + s * dz
            wall = box < 0 and 0 < face < 5
            p, u, v, cosine = surfaces[face], x, y, light[2]
            if wall:
                u, v, cosine = (y if face < 3 else x), z, 0.35
            elif box >= 0:
                p, u, v = box_paint[box], (y if axis == 0 else x), (y if axis == 2 else z)
                if axis < 2:
                    cosine = max(0.0, -np.sign(dx if axis == 0 else dy) * light[axis])
            elif face == 5:
                cosine = 0.25
            # A single call site for all surfaces: the compiler inlines the function at every call site.
            share = _pattern_weight(p[6], p[7], u, v, seed + face + box)
            red, green, blue = p[0] + share * (p[3] - p[0]), p[1] + share * (p[4] - p[1]), p[2] + share * (p[5] - p[2])
            dim = 1.0
            if wall:
                red, green, blue = _picture_color(pictures[face - 1], u, v, red, green, blue)
                # Darker towards floor and ceiling, with a skirting board.
                dim = (0.6 if z < 90 else 1.0) * min(1.0, 0.75 + 0.25 * min(z, height - z) / 500)
            colour[i, j, 0] = dim * red * (ambient[0] * 0.85 + key[0] * cosine)
            colour[i, j, 1] = dim * green * (ambient[1] * 0.85 + key[1] * cosine)
            colour[i, j, 2] = dim * blue * (ambient[2] * 0.85 + key[2] * cosine)
            depth[i, j] = s
