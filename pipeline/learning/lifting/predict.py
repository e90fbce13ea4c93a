"""The poses that a lifting network estimates from detections."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.learning.lifting.inputs import NetworkInput, network_input
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, MultiViewFrames, Windows
from pipeline.learning.lifting.projection import best_translation
from pipeline.skeleton import MIRROR, ROOT

BATCH = 64


@torch.inference_mode()
def predict_poses(
    network: nn.Module,
    frames: MultiViewFrames,
    window: int,
    *,
    flip_test: bool,
    rows: Int[Tensor, " row"] | None = None,
) -> tuple[Float[np.ndarray, "row view 17 3"], Float[np.ndarray, "row view 3"]]:
    """Root-relative poses and root positions in mm, in each camera's frame, of all frames or of some rows.

    `window` is the number of frames of the network's input. The root is placed where the pose fits the view's own
    detections best. If this position is behind the camera, the root is placed in the centre of the person's box, at the
    depth at which the pose is as large as the box. With the flip test a pose is averaged with the pose of the mirror
    image. NaN where no person is detected.
    """
    network.eval()
    device = next(network.parameters()).device
    frames = frames.to(device)
    rows = (torch.arange(len(frames)) if rows is None else rows).to(device)
    parts = [_predict(network, frames.windows(some, window), flip_test=flip_test) for some in torch.split(rows, BATCH)]
    poses, roots = (torch.cat(x).double().cpu().numpy() * UNIT_MM for x in zip(*parts, strict=True))
    return poses, roots


def _predict(network: nn.Module, windows: Windows, *, flip_test: bool) -> tuple[Tensor, Tensor]:
    poses, seen = _poses_in_cameras(network, windows)
    if flip_test:
        every = torch.ones(len(poses), dtype=torch.bool, device=poses.device)
        mirrored, _ = _poses_in_cameras(network, windows.mirrored(every))
        poses = (poses + mirrored[..., MIRROR, :] * torch.tensor([-1.0, 1, 1], device=poses.device)) / 2
    middle = windows.points_norm.shape[2] // 2
    points_norm, confidence = windows.points_norm[:, :, middle], windows.confidence[:, :, middle]
    weight = torch.isfinite(points_norm).all(-1) * confidence.nan_to_num(0)
    # Each view is a rig of one camera, whose frame is the world frame.
    R, t = torch.eye(3, device=poses.device).expand(*poses.shape[:2], 1, 3, 3), poses.new_zeros(*poses.shape[:2], 1, 3)
    roots = best_translation(poses, R, t, points_norm[:, :, None], weight[:, :, None])
    roots = torch.where(roots[..., 2:] > 0, roots, _root_in_box(poses, seen))
    has_person = seen.has_person[..., None]
    return torch.where(has_person[..., None], poses, torch.nan), torch.where(has_person, roots, torch.nan)


def _root_in_box(poses: Tensor, seen: NetworkInput) -> Tensor:
    """Root positions (..., 3) in the centre of the box, at the depth at which the poses (..., 17, 3) fill the box."""
    size = (poses.amax(-2) - poses.amin(-2)).amax(-1)
    return (size / seen.box_size)[..., None] * seen.R_centred_from_cam[..., 2, :]


def _poses_in_cameras(network: nn.Module, windows: Windows) -> tuple[Tensor, NetworkInput]:
    """Root-relative poses in the cameras' frames, and the input that they are estimated from."""
    seen = network_input(windows.points_norm, windows.confidence)
    poses, _ = network(seen.features)
    return (poses - poses[..., ROOT : ROOT + 1, :]) @ seen.R_centred_from_cam, seen
