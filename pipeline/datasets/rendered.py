"""Rendered single images with 2D labels, on which the stage `pretrain` trains the 2D detector.

Their people differ from those of the demo capture.
"""

import numpy as np

from pipeline.params.pretrain import PretrainParams
from pipeline.synthetic.processes import run_in_processes
from pipeline.synthetic.singles import SingleImages, draw_singles

IMAGES_PER_TASK = 100


def render_singles(params: PretrainParams) -> SingleImages:
    """Render `params.images` images of many people, centred, with 1.5 times the detector's input size."""
    size = side_px(params)
    starts = range(0, params.images, IMAGES_PER_TASK)
    tasks = [(params.seed, i, min(IMAGES_PER_TASK, params.images - start), size) for i, start in enumerate(starts)]
    batches = run_in_processes(draw_singles, tasks, "rendering single images", "block")
    return SingleImages(
        np.concatenate([b.images for b in batches]), np.concatenate([b.joints_px for b in batches]),
        np.concatenate([b.visible for b in batches]),
    )  # fmt: skip


def side_px(params: PretrainParams) -> int:
    """Side of the square images: 1.5 times the detector's input, to leave room for augmentation."""
    return int(np.ceil(1.5 * params.input_px))
