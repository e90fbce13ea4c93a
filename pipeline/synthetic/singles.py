"""Single images of people with 2D joint labels: the training data of the 2D detector."""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import N_JOINTS
from pipeline.synthetic.cameras import look_at
from pipeline.synthetic.people.actions import ACTIONS
from pipeline.synthetic.people.body import BodyPoses
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import Person, draw_person
from pipeline.synthetic.people.poses import draw_poses
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import add_box, draw_room
from pipeline.synthetic.render.scene import RenderView, SensorModel, draw_grain, prepare_view, render
from pipeline.synthetic.seeds import SINGLES, generator


@dataclass(frozen=True)
class SingleImages:
    """N square images with S pixels a side, each of one centred person."""

    images: np.ndarray  # (N, S, S, 3) uint8, RGB
    joints_px: np.ndarray  # (N, 17, 2) float32, pixels
    visible: np.ndarray  # (N, 17) bool: inside the image and not occluded by an object

    def __len__(self) -> int:
        return len(self.images)


IMAGES_PER_PERSON = 6
RANDOM_POSE_PROB = 0.1  # probability that a person takes random poses instead of performing an action
BOX_FILL = 1 / 1.5  # longer side of the person's box as a share of the image side
BOX_MARGIN = 0.1  # the box of the joints is enlarged by this share
OCCLUSION_PROB = 0.04  # probability of an object between the camera and the person
OCCLUDED_DEPTH_MM = 150.0  # a joint further than this behind an object is not visible


def draw_singles(seed: int, batch: int, n: int, side_px: int) -> SingleImages:
    """Render n images of one batch, each `side_px` pixels square; different batches show different people."""
    rng = generator(seed, SINGLES, str(batch))
    images = np.empty((n, side_px, side_px, 3), np.uint8)
    joints, visible = np.empty((n, N_JOINTS, 2), np.float32), np.empty((n, N_JOINTS), bool)
    grains = [draw_grain(rng, 2 * side_px, sigma) for sigma in (0, 1.5, 3)]
    for start in range(0, n, IMAGES_PER_PERSON):
        person = make_person(seed, batch, start)
        bodies = _bodies(person, min(IMAGES_PER_PERSON, n - start), rng)
        parts, paint = make_parts(person, bodies)
        for i, body in enumerate(bodies.joints_mm):
            row = start + i
            camera, room = _draw_camera(rng, body, side_px), draw_room(rng, stool=bool(rng.random() < 0.5))
            if rng.random() < OCCLUSION_PROB:
                target = body[rng.integers(N_JOINTS)]
                room = add_box(rng, room, target + rng.uniform(0.12, 0.4) * (camera.center_world_mm - target))
            view = prepare_view(room, camera)
            images[row] = _render(rng, view, parts[i], paint, grains)
            joints[row] = camera.project(body)
            visible[row] = _visible(view, body, joints[row])
    return SingleImages(images, joints, visible)


def make_person(seed: int, batch: int, start: int) -> Person:
    """Draw the person that the images `start` to `start + IMAGES_PER_PERSON - 1` of a batch show."""
    return draw_person(generator(seed, SINGLES, "person", str(batch), str(start)))


def _bodies(person: Person, n: int, rng: np.random.Generator) -> BodyPoses:
    if rng.random() < RANDOM_POSE_PROB:
        return draw_poses(person, n, rng)
    clip = animate(person, str(rng.choice(list(ACTIONS))), 7.0, 25.0, rng)
    return clip.bodies[np.sort(rng.choice(len(clip.bodies), n, replace=False))]


def _render(
    rng: np.random.Generator, view: RenderView, parts: np.ndarray, paint: np.ndarray, grains: list[np.ndarray]
) -> np.ndarray:
    """Render one image with random blur, exposure, noise and JPEG compression."""
    sensor = SensorModel(rng.uniform(0, 0.7), rng.uniform(0.85, 1.2), rng.uniform(0.6, 0.95))
    v, u = rng.integers(len(view.depth), size=2)
    image = render(view, parts, paint, sensor, grains[rng.integers(len(grains))][v:, u:])
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
    return image


def _visible(view: RenderView, joints_mm: np.ndarray, joints_px: np.ndarray) -> np.ndarray:
    """Which joints (17,) are inside the image and not occluded by an object; self-occlusion does not count."""
    side = len(view.depth)
    inside = ((joints_px > -0.5) & (joints_px < side - 0.5)).all(-1)
    u, v = np.clip(np.rint(joints_px).astype(int), 0, side - 1).T
    in_front = view.camera.to_camera(joints_mm)[:, 2] < view.depth[v, u] + OCCLUDED_DEPTH_MM
    return np.asarray(inside & in_front)


def _draw_camera(rng: np.random.Generator, joints_mm: np.ndarray, side_px: int) -> Camera:
    """Draw a camera around the person whose image shows the box of the joints centred and `BOX_FILL` large."""
    middle = 0.5 * (joints_mm.min(0) + joints_mm.max(0))
    azimuth, distance, height = rng.uniform(0, 2 * np.pi), rng.uniform(2400, 5200), rng.uniform(500, 3000)
    away = np.array([np.cos(azimuth), np.sin(azimuth)])
    center = np.clip(np.array([*(middle[:2] + distance * away), height]), -4900, 4900)
    R, t = look_at(center, middle + rng.normal(0, 350, 3) * [1, 1, 0.5], rng.normal(0, 0.04))
    dist = np.array([rng.uniform(-0.25, 0.05), rng.uniform(0, 0.06), 0, 0, 0])
    points_norm = Camera(np.eye(3), dist, (side_px, side_px), R, t).project(joints_mm)
    low, high = points_norm.min(0), points_norm.max(0)
    focal = BOX_FILL * side_px / (float((high - low).max()) * (1 + BOX_MARGIN))
    origin = 0.5 * (side_px - 1) - focal * 0.5 * (low + high)
    return Camera(np.array([[focal, 0, origin[0]], [0, focal, origin[1]], [0, 0, 1]]), dist, (side_px, side_px), R, t)
