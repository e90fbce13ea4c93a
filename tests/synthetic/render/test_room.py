"""The background has the right depth, and boxes occlude it."""

import numpy as np
import pytest

from pipeline.synthetic.render.room import add_box, draw_background
from tests.synthetic.render.views import SIDE, make_view


def test_the_floor_is_at_the_depth_where_the_ray_meets_it():
    view = make_view()
    v, u = SIDE - 3, SIDE // 2
    point = view.camera.center_world_mm + view.depth[v, u] * view.rays[v, u]
    assert point[2] == pytest.approx(0, abs=1)
    pixel = view.camera.project(point)
    np.testing.assert_allclose(pixel, [u, v], atol=0.01)


def test_an_added_box_is_nearer_than_the_room_behind_it():
    rng = np.random.default_rng(2)
    view = make_view(2)
    middle = view.camera.center_world_mm + 2000 * view.rays[SIDE // 2, SIDE // 2]
    _, depth = draw_background(add_box(rng, view.room, middle), view.rays, view.camera.center_world_mm)
    assert (depth <= view.depth + 1e-3).all()
    assert depth[SIDE // 2, SIDE // 2] < 2100 < view.depth[SIDE // 2, SIDE // 2]
