"""Pictures agree with the geometry: what is projected lies where it is drawn."""

import numpy as np
import pytest

from pipeline.geometry.camera.model import Camera, undistort
from pipeline.skeleton import joint
from pipeline.synthetic.cameras import draw_rig, look
from pipeline.synthetic.people.motion import move
from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.render import kernels
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import draw_room
from pipeline.synthetic.render.scene import Lens, RenderView, draw_grain, prepare_view, render, render_background

LENS = Lens(blur_px=0.0, gain=1.0, gamma=0.75)
SIDE = 200


def make_stage(seed: int = 0, view: int = 0) -> RenderView:
    rng = np.random.default_rng(seed)
    return prepare_view(draw_room(rng, stool=False), draw_rig(rng, SIDE)[view])


def see(stage: RenderView, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the part that each pixel sees (-1: none), and depth."""
    seen, depth = np.full(stage.depth.shape, -1, np.int16), stage.depth.copy()
    camera = stage.camera
    kernels.cast(parts, stage.rays, camera.K, stage.dist, stage.R, stage.t_mm, camera.center_world_mm, depth, seen)
    return seen, depth


def a_part(start: np.ndarray, length: float, radius0: float, radius1: float) -> np.ndarray:
    part = np.zeros(kernels.N_COLUMNS)
    part[:9], part[9:12] = np.eye(3).ravel(), start
    part[12:15] = length, radius0, radius1
    part[15:18], part[18] = start, max(radius0, radius1)
    part[17] += length
    return part


def test_rays_undo_the_lens_distortion():
    stage = make_stage()
    u, v = np.meshgrid(np.arange(0, SIDE, 37), np.arange(0, SIDE, 41))
    flat = undistort(np.stack([u, v], -1).astype(float), stage.camera.K, stage.camera.dist)
    in_camera = stage.rays[v, u] @ stage.R.T
    np.testing.assert_allclose(in_camera[..., :2], flat, atol=2e-6)
    np.testing.assert_allclose(in_camera[..., 2], 1, atol=1e-5)


def test_the_floor_is_at_the_depth_where_the_ray_meets_it():
    stage = make_stage()
    v, u = SIDE - 3, SIDE // 2
    point = stage.camera.center_world_mm + stage.depth[v, u] * stage.rays[v, u]
    assert point[2] == pytest.approx(0, abs=1)
    pixel = stage.camera.project(point)
    np.testing.assert_allclose(pixel, [u, v], atol=0.01)


@pytest.mark.parametrize(("length", "radius1"), [(0.0, 300.0), (500.0, 300.0), (500.0, 120.0), (100.0, 20.0)])
def test_a_rounded_cone_is_where_its_surface_is(length, radius1):
    stage = make_stage(1)
    part = a_part(np.array([0.0, 0, 700]), length, 300.0, radius1)
    seen, depth = see(stage, part[None])
    rows, columns = np.nonzero(seen == 0)
    assert len(rows) > 300
    points = stage.camera.center_world_mm + depth[rows, columns, None] * stage.rays[rows, columns].astype(float)
    # Distance from the axis' nearest sphere: on the surface it is that sphere's radius.
    along = np.linspace(0, length, 400)
    away = np.linalg.norm(points[:, None] - ([0, 0, 700] + along[:, None] * [0, 0, 1]), axis=-1)
    share = along / max(length, 1e-9)
    np.testing.assert_allclose((away - (300 * (1 - share) + radius1 * share)).min(1), 0, atol=1.5)
    normal = np.array([kernels.surface(part, *point)[3:] for point in points[:200]])
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-6)
    assert ((normal * stage.rays[rows[:200], columns[:200]]).sum(-1) < 0.05).all()


@pytest.mark.parametrize("view", range(5))
def test_projected_joints_lie_on_the_drawn_body(view):
    rng = np.random.default_rng(view)
    stage, person = make_stage(2, view), draw_person(rng)
    clip = move(person, "squat", 6.0, 5.0, rng)
    parts, _ = make_parts(person, clip.bodies)
    hits = total = 0
    for moment, joints in zip(parts, clip.bodies.joints_mm, strict=True):
        seen, _ = see(stage, moment)
        u, v = np.rint(stage.camera.project(joints)).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < SIDE) & (v < SIDE)
        # The top of the head lies on the outline.
        inside[joint("head")] = False
        hits, total = hits + (seen[v[inside], u[inside]] >= 0).sum(), total + inside.sum()
    assert total > 300
    assert hits / total > 0.98


def test_only_what_the_person_changes_is_drawn_anew():
    rng = np.random.default_rng(5)
    stage, person = make_stage(3), draw_person(rng)
    parts, paint = make_parts(person, move(person, "reach", 1.0, 5.0, rng).bodies)
    grain = draw_grain(rng, SIDE, 0.0)
    whole = render(stage, parts[2], paint, LENS, grain)
    quick = render(stage, parts[2], paint, LENS, grain, render_background(stage, LENS))
    np.testing.assert_array_equal(whole, quick)
    assert (whole != render_background(stage, LENS)).any(-1).mean() > 0.02


def test_grain_has_the_wanted_strength():
    rng = np.random.default_rng(5)
    grain = draw_grain(rng, 128, 4.0)
    assert grain.std() == pytest.approx(4.0, rel=0.05)


def test_left_and_right_front_and_back_can_be_told_apart():
    rng = np.random.default_rng(8)
    person = draw_person(rng)
    clip = move(person, "wave", 1.0, 5.0, np.random.default_rng(1))
    parts, paint = make_parts(person, clip.bodies)
    front, pelvis = clip.bodies.pelvis[0, :, 0], clip.bodies.joints_mm[0, 0]
    room = draw_room(rng, stool=False)
    pictures = []
    for sign in (1, -1):
        R, t = look(pelvis + sign * 3000 * front, pelvis)
        K = np.array([[250.0, 0, SIDE / 2], [0, 250, SIDE / 2], [0, 0, 1]])
        stage = prepare_view(room, Camera(K, np.zeros(5), (SIDE, SIDE), R, t))
        seen, _ = see(stage, parts[0])
        image = render(stage, parts[0], paint, LENS, draw_grain(rng, SIDE, 0)).astype(float)
        pictures.append(np.where(seen[..., None] >= 0, image, 0))
    # The outline from behind is the mirror image of that from before; the colours are not.
    assert np.abs(pictures[0] - pictures[1][:, ::-1]).mean() > 1


def test_a_camera_without_extrinsics_cannot_be_rendered():
    with pytest.raises(ValueError, match="extrinsics"):
        prepare_view(draw_room(np.random.default_rng(0), stool=True), Camera(np.eye(3), np.zeros(0), (64, 64)))
