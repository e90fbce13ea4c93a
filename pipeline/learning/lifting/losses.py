"""The losses of lifting networks: distances from labels, and from the detections of all views.

Poses of every view are projected into every camera of the rig, so that all terms use one table (B, V, V) over source
view and target view. Distances in an image are divided by the size of the person's box in the target view, so that near
and distant people have the same weight.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.learning.lifting.multi_view_batch import MultiViewBatch
from pipeline.learning.lifting.projection import best_translation, project, to_camera, to_world
from pipeline.skeleton import ROOT

Root = Literal["labels", "direct", "ray", "least_squares"]
ROOT_BRANCHES: tuple[Root, ...] = ("direct", "ray")  # the values that need a root branch


@dataclass(frozen=True)
class Objective:
    """The weights of the terms, and how they are computed."""

    labels: float  # distance of the pose from the label, in UNIT_MM
    reprojection: float  # distance of a view's pose from its own detections
    transform: float  # distance of a view's pose from the other views' detections
    consistency: float  # distance of the views' poses from each other, in every camera
    squared: bool  # whether distances in an image are squared (Li et al.) or not (Jain et al.)
    confidence: Literal["source", "target", "none"]  # the view whose confidence weights a transform term
    root: Root
    # Whether the pose's root is moved to the root position, which is one interpretation of Li et al. Otherwise the root
    # is a joint like the others, and an error of the root position shifts all joints equally, without distortion.
    root_relative: bool

    @property
    def uses_images(self) -> bool:
        """Whether any term compares poses with detections; these terms need the root position."""
        return bool(self.reprojection or self.transform or self.consistency)


def lifting_loss(
    objective: Objective,
    poses: Float[Tensor, "batch view 17 3"],
    root_output: Float[Tensor, "batch view 3"] | None,
    batch: MultiViewBatch,
) -> Float[Tensor, ""]:
    """The weighted sum of the objective's terms, of a network's poses and its root branch's output."""
    total = poses.new_zeros(())
    if objective.labels:
        total = total + objective.labels * label_loss(poses, batch, batch.label_weight)
    if objective.uses_images:
        return total + projection_loss(objective, absolute_poses(objective, poses, root_output, batch), batch)
    # DistributedDataParallel requires that every weight has a gradient, so an unused root branch gets a gradient of
    # zero.
    return total if root_output is None else total + 0 * root_output.sum()


def label_loss(
    poses: Float[Tensor, "batch view 17 3"],
    batch: MultiViewBatch,
    weight: Float[Tensor, "batch 17"] | None = None,
) -> Float[Tensor, ""]:
    """Mean distance of root-relative poses from the labels, over the joints that have a label.

    `weight`, one on average over the training, scales the distance of each joint of each frame.
    """
    distances, known = label_distances(poses, batch)
    weighted = distances if weight is None else distances * weight[:, None]
    return torch.where(known, weighted, 0).sum() / known.sum().clamp(min=1)


def label_distances(poses: Tensor, batch: MultiViewBatch) -> tuple[Tensor, Tensor]:
    """Distances (B, V, 17) of root-relative poses from the labels, and whether each distance is known."""
    target = batch.labels - batch.labels[..., ROOT : ROOT + 1, :]
    known = torch.isfinite(target).all(-1) & batch.has_person[..., None]
    poses = poses - poses[..., ROOT : ROOT + 1, :]
    return _length(poses - torch.where(known[..., None], target, poses.detach())), known


def absolute_poses(
    objective: Objective,
    poses: Float[Tensor, "batch view 17 3"],
    root_output: Float[Tensor, "batch view 3"] | None,
    batch: MultiViewBatch,
) -> Float[Tensor, "batch view 17 3"]:
    """Poses at the objective's root positions, in each view's camera."""
    if objective.root_relative or objective.root == "labels":
        poses = poses - poses[..., ROOT : ROOT + 1, :]
    return poses + root_positions(objective.root, poses, root_output, batch)[:, :, None]


def pretraining_loss(poses: Float[Tensor, "batch view 17 3"], batch: MultiViewBatch) -> Float[Tensor, ""]:
    """Mean squared distance between the absolute poses of the views in the world, over all pairs of views.

    Li et al. 2020, equation 6, which has one pair.
    """
    known = batch.usable[:, :, None, None]
    world = torch.where(known, to_world(poses, *_cameras(batch)), 0)
    n = known.sum(1, keepdim=True).clamp(min=1)
    off = torch.where(known, world - world.sum(1, keepdim=True) / n, 0)
    return 2 * off.square().sum() / (known.sum() * poses.shape[2]).clamp(min=1)


def root_positions(
    root: Root,
    poses: Float[Tensor, "batch view 17 3"],
    root_output: Float[Tensor, "batch view 3"] | None,
    batch: MultiViewBatch,
) -> Float[Tensor, "batch view 3"]:
    """The position of the root in each view's camera; unknown positions are zero, and no term uses them.

    labels: the triangulated root. direct: the root branch's output plus a point at the rig's distance on the optical
    axis (Li et al. do not add this point; the start at the camera centre then has no gradient to its front). ray: a
    point on the viewing ray of the detected root, or of the box if there is none, shifted by the first two outputs, at
    the rig's distance times the exponential of the third output. least_squares: the position at which the pose fits the
    detections of all views best.
    """
    R, t = _cameras(batch)
    if root == "labels":
        return batch.labels[..., ROOT, :].nan_to_num(0)
    if root == "least_squares":
        in_world_axes = poses @ R
        world = best_translation(in_world_axes, *(x[:, None] for x in (R, t, batch.points_norm, batch.weight)))
        return to_camera(world[:, :, None], R, t)[:, :, 0]
    assert root_output is not None
    distance = batch.distance.nan_to_num(1)
    if root == "direct":
        return root_output + distance[..., None] * torch.tensor([0.0, 0, 1], device=root_output.device)
    detected = batch.points_norm[..., ROOT, :].nan_to_num(0)
    ray = torch.cat(
        [detected + batch.box_size[..., None] * root_output[..., :2], torch.ones_like(detected[..., :1])], -1
    )
    return ray * (distance * root_output[..., 2].clamp(-3, 3).exp())[..., None]


def projection_loss(
    objective: Objective, poses: Float[Tensor, "batch view 17 3"], batch: MultiViewBatch
) -> Float[Tensor, ""]:
    """The weighted terms of absolute poses in the images: own view, other views, consistency."""
    R, t = _cameras(batch)
    world = to_world(poses, R, t)
    projected = project(to_camera(world[:, :, None], R[:, None], t[:, None]))
    box_size, source = batch.box_size[:, None, :, None], batch.usable
    if objective.root == "labels":
        source = source & torch.isfinite(batch.labels[..., ROOT, :]).all(-1)
    valid = (source[:, :, None] & batch.usable[:, None, :])[..., None]
    detected = batch.points_norm.nan_to_num(0)[:, None]
    errors = _distance((projected - detected) / box_size[..., None], squared=objective.squared)
    own = torch.eye(R.shape[1], dtype=torch.bool, device=R.device)[..., None]
    total = poses.new_zeros(())
    if objective.reprojection:
        total = total + objective.reprojection * _mean(errors, batch.weight[:, None] * (valid & own))
    if objective.transform:
        total = total + objective.transform * _mean(errors, _transform_weight(objective, batch) * (valid & ~own))
    if objective.consistency:
        n = valid.sum(1, keepdim=True).clamp(min=1)
        mean = torch.where(valid[..., None], projected, 0).sum(1, keepdim=True) / n[..., None]
        spread = _distance((projected - mean) / box_size[..., None], squared=objective.squared)
        total = total + objective.consistency * _mean(spread, valid.float().expand_as(spread))
    return total


def _transform_weight(objective: Objective, batch: MultiViewBatch) -> Tensor:
    """Weights (B, V, V, 17) of the joints that the target view detected."""
    detected = (batch.weight[:, None] > 0).float()
    if objective.confidence == "target":
        return batch.weight[:, None].expand(-1, batch.weight.shape[1], -1, -1)
    return detected * batch.weight[:, :, None] if objective.confidence == "source" else detected


def _cameras(batch: MultiViewBatch) -> tuple[Tensor, Tensor]:
    """The cameras, with unusable ones replaced: no term uses these, but their gradients must be finite."""
    known = batch.usable[..., None]
    R = torch.where(known[..., None], batch.R, torch.eye(3, device=batch.R.device))
    return R, torch.where(known, batch.t, torch.tensor([0.0, 0, 1], device=batch.t.device))


def _mean(errors: Tensor, weights: Tensor) -> Tensor:
    return torch.where(weights > 0, errors * weights, 0).sum() / weights.sum().clamp(min=1e-6)


def _distance(difference: Tensor, *, squared: bool) -> Tensor:
    return difference.square().sum(-1) if squared else _length(difference)


def _length(difference: Tensor) -> Tensor:
    """Euclidean length, with a finite gradient at zero."""
    return (difference.square().sum(-1) + 1e-8).sqrt()
