"""Ray casting agrees with the geometry of cameras and rounded cones."""

import numpy as np
import pytest

from pipeline.geometry.camera.model import undistort
from pipeline.synthetic.render import kernels
from tests.synthetic.render.views import SIDE, make_view, visible_parts


def test_rays_undo_the_lens_distortion():
    view = make_view()
    u, v = np.meshgrid(np.arange(0, SIDE, 37), np.arange(0, SIDE, 41))
    flat = undistort(np.stack([u, v], -1).astype(float), view.camera.K, view.camera.dist)
    in_camera = view.rays[v, u] @ view.R.T
    np.testing.assert_allclose(in_camera[..., :2], flat, atol=2e-6)
    np.testing.assert_allclose(in_camera[..., 2], 1, atol=1e-5)


def a_part(start: np.ndarray, length: float, radius0: float, radius1: float) -> np.ndarray:
    part = np.zeros(kernels.N_COLUMNS)
    part[:9], part[9:12] = np.eye(3).ravel(), start
    part[12:15] = length, radius0, radius1
    part[15:18], part[18] = start, max(radius0, radius1)
    part[17] += length
    return part


@pytest.mark.parametrize(("length", "radius1"), [(0.0, 300.0), (500.0, 300.0), (500.0, 120.0), (100.0, 20.0)])
def test_a_rounded_cone_is_where_its_surface_is(length, radius1):
    view = make_view(1)
    part = a_part(np.array([0.0, 0, 700]), length, 300.0, radius1)
    part_index, depth = visible_parts(view, part[None])
    rows, columns = np.nonzero(part_index == 0)
    assert len(rows) > 300
    points = view.camera.center_world_mm + depth[rows, columns, None] * view.rays[rows, columns].astype(float)
    # Distance from the axis' nearest sphere: on the surface it is that sphere's radius.
    along = np.linspace(0, length, 400)
    away = np.linalg.norm(points[:, None] - ([0, 0, 700] + along[:, None] * [0, 0, 1]), axis=-1)
    share = along / max(length, 1e-9)
    np.testing.assert_allclose((away - (300 * (1 - share) + radius1 * share)).min(1), 0, atol=1.5)
    normal = np.array([kernels.surface_point(part, *point)[3:] for point in points[:200]])
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-6)
    assert ((normal * view.rays[rows[:200], columns[:200]]).sum(-1) < 0.05).all()
