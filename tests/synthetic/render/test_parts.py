"""The surface covers the joints, and the sides of a person can be told apart."""

import numpy as np
import pytest

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import joint
from pipeline.synthetic.cameras import look_at
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import draw_room
from pipeline.synthetic.render.scene import draw_grain, prepare_view, render
from tests.synthetic.render.views import SENSOR, SIDE, make_view, visible_parts


@pytest.mark.parametrize("view", range(5))
def test_projected_joints_lie_on_the_drawn_body(view):
    rng = np.random.default_rng(view)
    view, person = make_view(2, view), draw_person(rng)
    clip = animate(person, "squat", 6.0, 5.0, rng)
    parts, _ = make_parts(person, clip.bodies)
    hits = total = 0
    for moment, joints in zip(parts, clip.bodies.joints_mm, strict=True):
        part_index, _ = visible_parts(view, moment)
        u, v = np.rint(view.camera.project(joints)).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < SIDE) & (v < SIDE)
        # The top of the head lies on the outline.
        inside[joint("head")] = False
        hits, total = hits + (part_index[v[inside], u[inside]] >= 0).sum(), total + inside.sum()
    assert total > 300
    assert hits / total > 0.98


def test_left_and_right_front_and_back_can_be_told_apart():
    rng = np.random.default_rng(8)
    person = draw_person(rng)
    clip = animate(person, "wave", 1.0, 5.0, np.random.default_rng(1))
    parts, paint = make_parts(person, clip.bodies)
    front, pelvis = clip.bodies.pelvis[0, :, 0], clip.bodies.joints_mm[0, 0]
    room = draw_room(rng, stool=False)
    pictures = []
    for sign in (1, -1):
        R, t = look_at(pelvis + sign * 3000 * front, pelvis)
        K = np.array([[250.0, 0, SIDE / 2], [0, 250, SIDE / 2], [0, 0, 1]])
        view = prepare_view(room, Camera(K, np.zeros(5), (SIDE, SIDE), R, t))
        part_index, _ = visible_parts(view, parts[0])
        image = render(view, parts[0], paint, SENSOR, draw_grain(rng, SIDE, 0)).astype(float)
        pictures.append(np.where(part_index[..., None] >= 0, image, 0))
    # The outline from behind is the mirror image of that from before; the colours are not.
    assert np.abs(pictures[0] - pictures[1][:, ::-1]).mean() > 1
