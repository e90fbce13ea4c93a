"""The images of a world: packed frames with marked joints, or plain arrays with stick figures."""

from pathlib import Path

import cv2
import numpy as np

from pipeline.skeleton import BONES
from pipeline.video.packing import PackedFrames, pack_frames
from tests.world.cameras import SMALL_SIZE_PX, STICK_FIGURE_SIZE_PX
from tests.world.capture import World

COLOURS = np.random.default_rng(0).integers(60, 256, (len(BONES), 3))


class ArrayFrames(PackedFrames):
    """Stands in for packed frames: the frames of a view in an .npy file."""

    opened: list[str] = []  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        ArrayFrames.opened.append(str(path))
        self._images = np.load(path)

    def __getitem__(self, i: int) -> np.ndarray:
        return self._images[i]

    def __len__(self) -> int:
        return len(self._images)


def draw_person(joints_px: np.ndarray, size_px: int = STICK_FIGURE_SIZE_PX) -> np.ndarray:
    """A stick figure of coloured bones, (size_px, size_px, 3)."""
    image = np.full((size_px, size_px, 3), 30, np.uint8)
    for (a, b), colour in zip(BONES, COLOURS, strict=True):
        ends = (tuple(round(v) for v in joints_px[j]) for j in (a, b))
        cv2.line(image, *ends, [int(c) for c in colour], 3)
    return image


def write_array_frames(world: World) -> None:
    """Stick figures in the .npy files that `ArrayFrames` reads."""
    for recording in world.capture.recordings:
        for v, view in enumerate(recording.views):
            joints_px = world.joints_px(recording.name)[:, v]
            np.save(world.paths.frames / view.file, np.stack([draw_person(pose_px) for pose_px in joints_px]))


def write_packed_frames(world: World) -> None:
    """Packed frames: grey images with a bright square in each joint."""
    for recording in world.capture.recordings:
        joints_px = world.joints_px(recording.name)
        for v, view in enumerate(recording.views):
            images = np.full((recording.n_frames, SMALL_SIZE_PX[1], SMALL_SIZE_PX[0], 3), 110, np.uint8)
            for image, px in zip(images, joints_px[:, v], strict=True):
                for x, y in px.round().astype(int):
                    image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = 250
            pack_frames(world.paths.frames / view.file, iter(images), 90)
