"""Rendering a window gives the same image as rendering everything; noise has the wanted strength."""

import numpy as np
import pytest

from pipeline.geometry.camera.model import Camera
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import draw_room
from pipeline.synthetic.render.scene import draw_grain, prepare_view, render, render_background
from tests.synthetic.render.views import SENSOR, SIDE, make_view


def test_only_what_the_person_changes_is_drawn_anew():
    rng = np.random.default_rng(5)
    view, person = make_view(3), draw_person(rng)
    parts, paint = make_parts(person, animate(person, "reach", 1.0, 5.0, rng).bodies)
    grain = draw_grain(rng, SIDE, 0.0)
    whole = render(view, parts[2], paint, SENSOR, grain)
    quick = render(view, parts[2], paint, SENSOR, grain, render_background(view, SENSOR))
    np.testing.assert_array_equal(whole, quick)
    assert (whole != render_background(view, SENSOR)).any(-1).mean() > 0.02


def test_grain_has_the_wanted_strength():
    rng = np.random.default_rng(5)
    grain = draw_grain(rng, 128, 4.0)
    assert grain.std() == pytest.approx(4.0, rel=0.05)


def test_a_camera_without_extrinsics_cannot_be_rendered():
    with pytest.raises(ValueError, match="extrinsics"):
        prepare_view(draw_room(np.random.default_rng(0), stool=True), Camera(np.eye(3), np.zeros(0), (64, 64)))
