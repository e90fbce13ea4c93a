"""Rendered views that several tests use."""

import numpy as np

from pipeline.synthetic.cameras import draw_rig
from pipeline.synthetic.render import kernels
from pipeline.synthetic.render.room import draw_room
from pipeline.synthetic.render.scene import RenderView, SensorModel, prepare_view

SENSOR = SensorModel(blur_px=0.0, gain=1.0, gamma=0.75)
SIDE = 200


def make_view(seed: int = 0, view: int = 0) -> RenderView:
    rng = np.random.default_rng(seed)
    return prepare_view(draw_room(rng, stool=False), draw_rig(rng, SIDE)[view])


def visible_parts(view: RenderView, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the part that each pixel shows (-1: background), and depth."""
    part_index, depth = np.full(view.depth.shape, -1, np.int16), view.depth.copy()
    camera = view.camera
    kernels.cast_rays(
        parts, view.rays, camera.K, view.dist, view.R, view.t_mm, camera.center_world_mm, depth, part_index
    )
    return part_index, depth
