"""Ray casting of body parts: which part each pixel shows, and at which depth.

A part is a rounded cone: two spheres and the cone tangent to both. It is defined in local coordinates, which a linear
map computes from world coordinates. The map can flatten the cone, and it turns a cone of length zero into an ellipsoid.
"""

import numpy as np

from pipeline.compiled import compiled_fastmath

# Columns of a part: linear map from world to local axes (9), origin in the world (3), length, radii at both ends, and,
# for the bounding box in the image, the far end in the world (3) and the largest radius in the world.
MAP, ORIGIN, LENGTH, RADIUS0, RADIUS1, END, BOUND = 0, 9, 12, 13, 14, 15, 18
N_COLUMNS = 19


@compiled_fastmath
def _distort(x: float, y: float, dist: np.ndarray) -> tuple[float, float]:
    r2 = x * x + y * y
    radial = 1 + r2 * (dist[0] + r2 * (dist[1] + r2 * dist[4]))
    return (
        x * radial + 2 * dist[2] * x * y + dist[3] * (r2 + 2 * x * x),
        y * radial + dist[2] * (r2 + 2 * y * y) + 2 * dist[3] * x * y,
    )


@compiled_fastmath
def camera_rays(K: np.ndarray, dist: np.ndarray, R: np.ndarray, out: np.ndarray) -> None:
    """Write to `out` (H, W, 3) each pixel's ray in world axes, scaled to unit depth, with distortion (5,) removed."""
    for v in range(out.shape[0]):
        y0 = (v - K[1, 2]) / K[1, 1]
        for u in range(out.shape[1]):
            x0 = (u - K[0, 2]) / K[0, 0]
            x, y = x0, y0
            for _ in range(6):
                x1, y1 = _distort(x, y, dist)
                x, y = x + x0 - x1, y + y0 - y1
            for k in range(3):
                out[v, u, k] = R[0, k] * x + R[1, k] * y + R[2, k]


@compiled_fastmath
def pixel_bounds(part: np.ndarray, K: np.ndarray, dist: np.ndarray, R: np.ndarray, t: np.ndarray) -> tuple[float, ...]:
    """Bounds in the image of a part: left, top, right and bottom in pixels."""
    left, top, right, bottom = 1e9, 1e9, -1e9, -1e9
    for end in range(2):
        at = ORIGIN if end == 0 else END
        x = R[0, 0] * part[at] + R[0, 1] * part[at + 1] + R[0, 2] * part[at + 2] + t[0]
        y = R[1, 0] * part[at] + R[1, 1] * part[at + 1] + R[1, 2] * part[at + 2] + t[1]
        z = R[2, 0] * part[at] + R[2, 1] * part[at + 1] + R[2, 2] * part[at + 2] + t[2]
        if z < 200:
            return 0.0, 0.0, 1e9, 1e9
        radius = 1.12 * part[BOUND] / z
        u, v = _distort(x / z, y / z, dist)
        left, right = min(left, u - radius), max(right, u + radius)
        top, bottom = min(top, v - radius), max(bottom, v + radius)
    return (
        left * K[0, 0] + K[0, 2] - 1, top * K[1, 1] + K[1, 2] - 1,
        right * K[0, 0] + K[0, 2] + 2, bottom * K[1, 1] + K[1, 2] + 2,
    )  # fmt: skip


@compiled_fastmath
def _intersect_sphere(
    ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, a: float, radius: float
) -> float:
    b = ox * dx + oy * dy + oz * dz
    h = b * b - a * (ox * ox + oy * oy + oz * oz - radius * radius)
    if h < 0:
        return 1e9
    nearer: float = (-b - np.sqrt(h)) / a
    return nearer


@compiled_fastmath
def _intersect_cone(
    ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, length: float, r0: float, r1: float
) -> float:
    """Smallest s at which the ray o + s d meets the rounded cone along z; 1e9 if there is none."""
    a = dx * dx + dy * dy + dz * dz
    nearest = _intersect_sphere(ox, oy, oz, dx, dy, dz, a, r0)
    if length < 1e-3:
        return nearest
    nearest = min(nearest, _intersect_sphere(ox, oy, oz - length, dx, dy, dz, a, r1))
    sine = (r0 - r1) / length
    if sine * sine >= 1:
        return nearest
    slope2 = 1 / (1 - sine * sine)
    # On the cone: x^2 + y^2 = (r0 - z sine)^2 / cosine^2.
    e, f = r0 - oz * sine, -dz * sine
    qa = dx * dx + dy * dy - f * f * slope2
    qb = ox * dx + oy * dy - e * f * slope2
    qc = ox * ox + oy * oy - e * e * slope2
    h = qb * qb - qa * qc
    if h < 0 or qa == 0:
        return nearest
    # Test both roots: the nearer one may lie on the other nappe of the cone.
    for sign in (-1.0, 1.0):
        s = (-qb + sign * np.sqrt(h)) / qa
        z = oz + s * dz
        if r0 * sine < z < length + r1 * sine:
            nearest = min(nearest, s)
    return nearest


@compiled_fastmath
def cast_rays(
    parts: np.ndarray, rays: np.ndarray, K: np.ndarray, dist: np.ndarray, R: np.ndarray, t: np.ndarray,
    center: np.ndarray, depth: np.ndarray, part_index: np.ndarray,
) -> None:  # fmt: skip
    """Find the part nearest to the camera at each pixel.

    `rays` (H, W, 3) are in world axes with unit depth and start at `center` (3,). `depth` (H, W) holds the depth of the
    background in mm and is lowered in place; `part_index` (H, W) is written where a part is nearer.
    """
    height, width = depth.shape
    cx, cy, cz = center
    for p in range(len(parts)):
        part = parts[p]
        left, top, right, bottom = pixel_bounds(part, K, dist, R, t)
        m00, m01, m02, m10, m11, m12, m20, m21, m22 = part[0:9]
        wx, wy, wz = cx - part[9], cy - part[10], cz - part[11]
        ox, oy, oz = m00 * wx + m01 * wy + m02 * wz, m10 * wx + m11 * wy + m12 * wz, m20 * wx + m21 * wy + m22 * wz
        for v in range(max(0, int(top)), min(height, max(0, int(bottom) + 1))):
            for u in range(max(0, int(left)), min(width, max(0, int(right) + 1))):
                rx, ry, rz = rays[v, u, 0], rays[v, u, 1], rays[v, u, 2]
                dx, dy, dz = (
                    m00 * rx + m01 * ry + m02 * rz,
                    m10 * rx + m11 * ry + m12 * rz,
                    m20 * rx + m21 * ry + m22 * rz,
                )
                s = _intersect_cone(ox, oy, oz, dx, dy, dz, part[LENGTH], part[RADIUS0], part[RADIUS1])
                if 100 < s < depth[v, u]:
                    depth[v, u] = s
                    part_index[v, u] = p


@compiled_fastmath
def surface_point(part: np.ndarray, x: float, y: float, z: float) -> tuple[float, ...]:
    """Local coordinates (3) and unit normal in the world (3) of a world point on a part's surface."""
    wx, wy, wz = x - part[9], y - part[10], z - part[11]
    lx = part[0] * wx + part[1] * wy + part[2] * wz
    ly = part[3] * wx + part[4] * wy + part[5] * wz
    lz = part[6] * wx + part[7] * wy + part[8] * wz
    length, r0, r1 = part[LENGTH], part[RADIUS0], part[RADIUS1]
    nx, ny, nz = lx, ly, lz
    if length >= 1e-3:
        sine = (r0 - r1) / length
        rho = np.sqrt(lx * lx + ly * ly) + 1e-9
        # The normal meets the axis at the centre of the sphere that touches the surface at this point.
        foot = lz - rho * sine / np.sqrt(max(1e-9, 1 - sine * sine)) if sine * sine < 1 else 0.0
        nz = lz - min(max(foot, 0.0), length)
    gx = part[0] * nx + part[3] * ny + part[6] * nz
    gy = part[1] * nx + part[4] * ny + part[7] * nz
    gz = part[2] * nx + part[5] * ny + part[8] * nz
    norm = 1 / np.sqrt(gx * gx + gy * gy + gz * gz + 1e-12)
    return lx, ly, lz, gx * norm, gy * norm, gz * norm
