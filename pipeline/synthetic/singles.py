"""Single images of people with their joints: what the frozen 2D detector is trained on."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.geometry.camera import Camera
from pipeline.skeleton import N_JOINTS
from pipeline.synthetic.actions import ACTIONS
from pipeline.synthetic.body import Bodies
from pipeline.synthetic.cameras import look
from pipeline.synthetic.motion import move
from pipeline.synthetic.parts import make_parts
from pipeline.synthetic.person import Person, draw_look, draw_person
from pipeline.synthetic.room import draw_room
from pipeline.synthetic.scene import Lens, render, set_stage, shadows
from pipeline.synthetic.seeds import SINGLES, generator


@dataclass(frozen=True)
class SingleImages:
    """N square images, one person each, centred."""

    images: np.ndarray  # (N, S, S, 3) uint8, RGB
    joints_px: np.ndarray  # (N, 17, 2) float32
    visible: np.ndarray  # (N, 17) bool: within the image and not behind an object

    def __len__(self) -> int:
        return len(self.images)


IMAGES_PER_CLIP = 5
FILL = 1 / 1.5  # share of the image that the person's box takes up
BOX_MARGIN = 0.1  # the joints' box is grown by this share


def draw_singles(seed: int, batch: int, n: int, side_px: int) -> SingleImages:
    """Render one batch of n images."""
    rng = generator(seed, SINGLES, str(batch))
    images = np.empty((n, side_px, side_px, 3), np.uint8)
    joints, visible = np.empty((n, N_JOINTS, 2), np.float32), np.empty((n, N_JOINTS), bool)
    noise = rng.standard_normal((2 * side_px, 2 * side_px, 3), np.float32)
    done = 0
    while done < n:
        build = draw_person(rng)
        clip = move(build, str(rng.choice(list(ACTIONS))), 6.0, 25.0, rng)
        for row in rng.choice(len(clip.bodies), min(IMAGES_PER_CLIP, n - done), replace=False):
            person = replace(build, look=draw_look(rng))
            body = clip.bodies[np.array([row])]
            images[done], joints[done], visible[done] = _photograph(rng, person, body, side_px, noise)
            done += 1
    return SingleImages(images, joints, visible)


def _photograph(
    rng: np.random.Generator, person: Person, body: Bodies, side_px: int, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One image, its joints and which of them are seen."""
    camera = _aim(rng, body.joints_mm[0], side_px)
    room = draw_room(rng, stool=bool(rng.random() < 0.5))
    parts, paint = make_parts(person, body)
    stage = set_stage(room, camera)
    lens = Lens(rng.uniform(0, 1.0), rng.uniform(0, 6), rng.uniform(0.75, 1.3), rng.uniform(0.6, 0.95))
    v, u = rng.integers(side_px, size=2)
    image = render(stage, parts[0], paint, shadows(parts[0], room), lens, noise[v:, u:])
    joints = camera.project(body.joints_mm[0])
    visible = ((joints > -0.5) & (joints < side_px - 0.5)).all(-1)
    return image, joints, visible


def _aim(rng: np.random.Generator, joints_mm: np.ndarray, side_px: int) -> Camera:
    """A camera anywhere around, that sees the joints' box centred and at its proper size."""
    middle = 0.5 * (joints_mm.min(0) + joints_mm.max(0))
    azimuth, distance, height = rng.uniform(0, 2 * np.pi), rng.uniform(2300, 5200), rng.uniform(500, 3000)
    away = np.array([np.cos(azimuth), np.sin(azimuth)])
    center = np.clip(np.array([*(middle[:2] + distance * away), height]), -4900, 4900)
    R, t = look(center, middle + rng.normal(0, 350, 3) * [1, 1, 0.5], rng.normal(0, 0.04))
    dist = np.array([rng.uniform(-0.25, 0.05), rng.uniform(0, 0.06), 0, 0, 0])
    flat = Camera(np.eye(3), dist, (side_px, side_px), R, t).project(joints_mm)
    low, high = flat.min(0), flat.max(0)
    focal = FILL * side_px / (float((high - low).max()) * (1 + BOX_MARGIN))
    origin = 0.5 * (side_px - 1) - focal * 0.5 * (low + high)
    return Camera(np.array([[focal, 0, origin[0]], [0, focal, origin[1]], [0, 0, 1]]), dist, (side_px, side_px), R, t)
