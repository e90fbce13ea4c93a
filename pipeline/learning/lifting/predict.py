"""Poses that a lifting network sees in detections."""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.learning.lifting.inputs import Window, look
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, MultiViewFrames, Windows
from pipeline.learning.lifting.projection import best_translation
from pipeline.skeleton import MIRROR, ROOT

AT_ONCE = 64  # moments


@torch.inference_mode()
def predict_poses(
    network: nn.Module, moments: MultiViewFrames, frames: int, *, flip_test: bool, chosen: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Root-relative poses (M, V, 17, 3) in mm in each camera's frame and the root's positions (M, V, 3) there.

    The root is where the pose fits the view's own detections best: its depth is that of a person of the pose's size.
    A pose that fits best behind the camera stands in the middle of the person's box, at that size. With the flip test
    a pose is the mean with its mirror image's. NaN where no person is seen.
    """
    network.eval()
    device = next(network.parameters()).device
    moments = moments.to(device)
    chosen = (torch.arange(len(moments)) if chosen is None else chosen).to(device)
    parts = [_predict(network, moments.windows(rows, frames), flip_test=flip_test) for rows in chosen.split(AT_ONCE)]
    poses, roots = (torch.cat(x).double().cpu().numpy() * UNIT_MM for x in zip(*parts, strict=True))
    return poses, roots


def _predict(network: nn.Module, windows: Windows, *, flip_test: bool) -> tuple[Tensor, Tensor]:
    poses, seen = _run(network, windows)
    if flip_test:
        every = torch.ones(len(poses), dtype=torch.bool, device=poses.device)
        mirrored, _ = _run(network, windows.mirrored(every))
        poses = (poses + mirrored[..., MIRROR, :] * torch.tensor([-1.0, 1, 1], device=poses.device)) / 2
    R, t = torch.eye(3, device=poses.device).expand(*poses.shape[:2], 1, 3, 3), poses.new_zeros(*poses.shape[:2], 1, 3)
    points_norm = windows.points_norm[:, :, windows.points_norm.shape[2] // 2]
    weight = torch.isfinite(points_norm).all(-1) * windows.confidence[
        :, :, windows.points_norm.shape[2] // 2
    ].nan_to_num(0)
    roots = best_translation(poses, R, t, points_norm[:, :, None], weight[:, :, None])
    roots = torch.where(roots[..., 2:] > 0, roots, _in_box(poses, seen))
    there = seen.there[..., None]
    return torch.where(there[..., None], poses, torch.nan), torch.where(there, roots, torch.nan)


def _in_box(poses: Tensor, seen: Window) -> Tensor:
    """Where root-relative poses (..., 17, 3) in the cameras' frames are as large as the box that was seen, (..., 3)."""
    size = (poses.amax(-2) - poses.amin(-2)).amax(-1)
    return (size / seen.size)[..., None] * seen.turn[..., 2, :]


def _run(network: nn.Module, windows: Windows) -> tuple[Tensor, Window]:
    """Poses in the cameras' frames, from what the turned cameras see."""
    seen = look(windows.points_norm, windows.confidence)
    poses, _ = network(seen.features)
    return (poses - poses[..., ROOT : ROOT + 1, :]) @ seen.turn, seen
