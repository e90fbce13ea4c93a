"""Single images of people with their joints: what the frozen 2D detector is trained on."""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import N_JOINTS
from pipeline.synthetic.cameras import look
from pipeline.synthetic.people.actions import ACTIONS
from pipeline.synthetic.people.body import Bodies
from pipeline.synthetic.people.motion import move
from pipeline.synthetic.people.person import Person, draw_person
from pipeline.synthetic.people.poses import draw_poses
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import add_box, draw_room
from pipeline.synthetic.render.scene import Lens, RenderView, draw_grain, prepare_view, render
from pipeline.synthetic.seeds import SINGLES, generator


@dataclass(frozen=True)
class SingleImages:
    """N square images, one person each, centred."""

    images: np.ndarray  # (N, S, S, 3) uint8, RGB
    joints_px: np.ndarray  # (N, 17, 2) float32
    visible: np.ndarray  # (N, 17) bool: within the image and not behind an object

    def __len__(self) -> int:
        return len(self.images)


IMAGES_PER_PERSON = 6
RANDOM_POSES = 0.1  # share of people who do nothing in particular, but strike poses
FILL = 1 / 1.5  # share of the image that the person's box takes up
BOX_MARGIN = 0.1  # the joints' box is grown by this share
OCCLUDED = 0.04  # share of images with a box before the person
HIDDEN_MM = 150.0  # a joint this far behind an object cannot be seen


def draw_singles(seed: int, batch: int, n: int, side_px: int) -> SingleImages:
    """Render one batch of n images."""
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
            camera, room = _aim(rng, body, side_px), draw_room(rng, stool=bool(rng.random() < 0.5))
            if rng.random() < OCCLUDED:
                hidden = body[rng.integers(N_JOINTS)]
                room = add_box(rng, room, hidden + rng.uniform(0.12, 0.4) * (camera.center_world_mm - hidden))
            stage = prepare_view(room, camera)
            images[row] = _render(rng, stage, parts[i], paint, grains)
            joints[row] = camera.project(body)
            visible[row] = _visible(stage, body, joints[row])
    return SingleImages(images, joints, visible)


def make_person(seed: int, batch: int, start: int) -> Person:
    """Who is in the images of a batch from `start` on."""
    return draw_person(generator(seed, SINGLES, "person", str(batch), str(start)))


def _bodies(person: Person, n: int, rng: np.random.Generator) -> Bodies:
    if rng.random() < RANDOM_POSES:
        return draw_poses(person, n, rng)
    clip = move(person, str(rng.choice(list(ACTIONS))), 7.0, 25.0, rng)
    return clip.bodies[np.sort(rng.choice(len(clip.bodies), n, replace=False))]


def _render(
    rng: np.random.Generator, stage: RenderView, parts: np.ndarray, paint: np.ndarray, grains: list[np.ndarray]
) -> np.ndarray:
    """One image through some lens, sensor and compression."""
    lens = Lens(rng.uniform(0, 0.7), rng.uniform(0.85, 1.2), rng.uniform(0.6, 0.95))
    v, u = rng.integers(len(stage.depth), size=2)
    image = render(stage, parts, paint, lens, grains[rng.integers(len(grains))][v:, u:])
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
    return image


def _visible(stage: RenderView, joints_mm: np.ndarray, joints_px: np.ndarray) -> np.ndarray:
    """Joints (17,) that are within the image and not behind an object; the body itself may hide them."""
    side = len(stage.depth)
    inside = ((joints_px > -0.5) & (joints_px < side - 0.5)).all(-1)
    u, v = np.clip(np.rint(joints_px).astype(int), 0, side - 1).T
    return inside & (stage.camera.to_camera(joints_mm)[:, 2] < stage.depth[v, u] + HIDDEN_MM)


def _aim(rng: np.random.Generator, joints_mm: np.ndarray, side_px: int) -> Camera:
    """A camera anywhere around, that sees the joints' box centred and at its proper size."""
    middle = 0.5 * (joints_mm.min(0) + joints_mm.max(0))
    azimuth, distance, height = rng.uniform(0, 2 * np.pi), rng.uniform(2400, 5200), rng.uniform(500, 3000)
    away = np.array([np.cos(azimuth), np.sin(azimuth)])
    center = np.clip(np.array([*(middle[:2] + distance * away), height]), -4900, 4900)
    R, t = look(center, middle + rng.normal(0, 350, 3) * [1, 1, 0.5], rng.normal(0, 0.04))
    dist = np.array([rng.uniform(-0.25, 0.05), rng.uniform(0, 0.06), 0, 0, 0])
    flat = Camera(np.eye(3), dist, (side_px, side_px), R, t).project(joints_mm)
    low, high = flat.min(0), flat.max(0)
    focal = FILL * side_px / (float((high - low).max()) * (1 + BOX_MARGIN))
    origin = 0.5 * (side_px - 1) - focal * 0.5 * (low + high)
    return Camera(np.array([[focal, 0, origin[0]], [0, focal, origin[1]], [0, 0, 1]]), dist, (side_px, side_px), R, t)
