"""Procedural textures of the body: colour as a function of the position on a part."""

import numpy as np

from pipeline.compiled import compiled_fastmath

SKIN, CLOTH, SHIRT, HIPS, LEG, FACE, HAIR, SHOE = range(8)
PAINT_COLUMNS = 20
BELLY, BREAST = 1, 2  # the two cones of the shirt's trunk


@compiled_fastmath
def lattice(i: int, j: int) -> float:
    """Hash the integer coordinates of a grid cell to a number in 0-1."""
    n = (i * 374761393 + j * 668265263) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@compiled_fastmath
def noise(x: float, y: float) -> float:
    """Value noise in 0-1 with a feature size of one."""
    i, j = int(np.floor(x)), int(np.floor(y))
    u, v = x - i, y - j
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    top = lattice(i, j) * (1 - u) + lattice(i + 1, j) * u
    bottom = lattice(i, j + 1) * (1 - u) + lattice(i + 1, j + 1) * u
    return top * (1 - v) + bottom * v


@compiled_fastmath
def _phase(x: float) -> float:
    phase: float = x - np.floor(x)
    return phase


@compiled_fastmath
def _pattern(kind: float, period: float, around: float, along: float) -> float:
    """Weight of the second colour at the position (`around`, `along`) in mm."""
    if kind == 1:
        return 1.0 if _phase(along / period) < 0.4 else 0.0
    if kind == 2:
        return 1.0 if _phase(around / period) < 0.35 else 0.0
    if kind == 3:
        a = 0.4 if _phase(along / period) < 0.5 else 0.0
        return a + (0.4 if _phase(around / period) < 0.5 else 0.0)
    if kind == 4:
        u, v = _phase(around / period) - 0.5, _phase(along / period) - 0.5
        return 1.0 if u * u + v * v < 0.07 else 0.0
    if kind == 5:
        return 0.35 * noise(around / 25, along / 25) + 0.15 * noise(around / 8, along / 8)
    return 0.0


@compiled_fastmath
def _mix(p: np.ndarray, share: float, first: int, second: int) -> tuple[float, float, float]:
    keep = 1 - share
    return (
        p[first] * keep + p[second] * share,
        p[first + 1] * keep + p[second + 1] * share,
        p[first + 2] * keep + p[second + 2] * share,
    )


@compiled_fastmath
def _face(p: np.ndarray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Colour of the face on the unit sphere: x forward, y left, z up."""
    hair_line = p[12] - 0.55 * (0.6 - x) if x < 0.6 else p[12] + 0.25
    if z > hair_line:
        return p[4], p[5], p[6]
    if x > 0.3:
        eye = abs(abs(y) - 0.42)
        if abs(z - 0.02) < 0.09 and eye < 0.17:
            return (p[7], p[8], p[9]) if eye < 0.08 else (0.9, 0.9, 0.9)
        if p[11] > 0 and abs(z - 0.02) < 0.17 and eye < 0.27:
            return 0.1, 0.1, 0.12
        if abs(z - 0.2) < 0.045 and eye < 0.24:
            return p[4], p[5], p[6]
        if abs(z + 0.5) < 0.06 and abs(y) < 0.33:
            return 0.6 * p[1] + 0.1, 0.35 * p[2], 0.35 * p[3]
    if p[10] > 0 and z < -0.28 and x > -0.1:
        return _mix(p, 0.8 * p[10], 1, 4)
    return p[1], p[2], p[3]


@compiled_fastmath
def _on_shirt(p: np.ndarray, length: float, x: float, y: float, along: float) -> bool:
    """Whether a position on the trunk belongs to buttons, print, jacket opening or block on the back."""
    if x > 0:
        if p[12] == 1:
            return abs(y) < 11 and _phase(along / 45) < 0.5
        if p[12] == 2:
            return p[14] == BREAST and abs(y) < 75 and abs(along - 0.6 * length) < 50
        return p[12] == 3 and abs(y) < 45
    if p[13] == 1:
        return p[14] == BREAST and abs(y) < 85 and abs(along - 0.6 * length) < 60
    return p[13] == 2 and along > length + 30 and p[14] == BREAST


@compiled_fastmath
def _sleeve(p: np.ndarray, angle: float, along: float, share: float) -> tuple[float, float, float]:
    """Colour of a sleeve or trouser leg that ends after p[12] mm; skin beyond."""
    leg = int(p[0]) == LEG
    if along > p[12]:
        return p[7], p[8], p[9]
    if leg and p[13] != 0 and abs(angle - p[13] * 1.5708) < 0.28:
        return p[4], p[5], p[6]
    if not leg and along > p[12] - 45:
        return p[4], p[5], p[6]
    if leg:
        return _mix(p, 0.5 * share, 1, 4)
    return _mix(p, share, 1, 13)


@compiled_fastmath
def _shirt(
    p: np.ndarray, length: float, x: float, y: float, z: float, along: float, share: float
) -> tuple[float, float, float]:
    if p[14] == BELLY and z < p[18]:
        return p[15], p[16], p[17]
    if p[14] > 0 and _on_shirt(p, length, x, y, along):
        return p[4], p[5], p[6]
    if p[14] == BREAST and x > 0 and z > length + 70 and abs(y) < z - length - 20:
        return p[7], p[8], p[9]
    return _mix(p, share, 1, 4)


@compiled_fastmath
def _hips(p: np.ndarray, x: float, y: float, z: float, share: float) -> tuple[float, float, float]:
    """Colour of trousers on the hips, on the unit sphere: pockets on the seat (p[12] = 1), else belt and fly."""
    pocket = p[12] > 0 and x < -0.3 and abs(y) < 0.5 and -0.25 < z < 0.45
    fly = p[12] == 0 and x > 0 and abs(y) < 0.03
    if p[12] == 0 and z > 0.72:
        return 0.15, 0.1, 0.07
    if pocket or fly:
        return 0.6 * p[1], 0.6 * p[2], 0.6 * p[3]
    return _mix(p, 0.5 * share, 1, 4)


@compiled_fastmath
def _shoe(p: np.ndarray, length: float, radius: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    if x < -0.55 * radius:
        return p[4], p[5], p[6]
    if x > 0.5 * radius and 0.2 * length < z < 0.8 * length and abs(y) < 0.4 * radius:
        return 0.95, 0.95, 0.95
    return p[1], p[2], p[3]


@compiled_fastmath
def colour(p: np.ndarray, length: float, radius: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Colour at local coordinates of a part, in mm for cones and on the unit sphere for ellipsoids."""
    kind = int(p[0])
    if kind == SKIN:
        return p[1], p[2], p[3]
    if kind == FACE:
        return _face(p, x, y, z)
    if kind == SHOE:
        return _shoe(p, length, radius, x, y, z)
    angle = np.arctan2(y, x)
    if kind == HAIR:
        shade = 0.75 + 0.5 * noise(angle * 9, z * 3)
        return p[1] * shade, p[2] * shade, p[3] * shade
    scale = 100.0 if length < 1e-3 else 1.0  # unit sphere to approximately mm
    around, along = angle * radius * scale, z * scale
    # A single call site for all cloth: the compiler inlines the function at every call site.
    share = _pattern(p[10], p[11], around, along)
    if kind == SHIRT:
        return _shirt(p, length, x, y, z, along, share)
    if kind == HIPS:
        return _hips(p, x, y, z, share)
    return _sleeve(p, angle, along, share)
