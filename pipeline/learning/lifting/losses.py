"""What lifting networks are trained to make small: distances from labels, and from what other cameras saw.

Poses of every view are projected into every camera of the rig, so that all terms read one table (B, V, V): source
view, target view. Two-dimensional distances are in the target's box of the person, so that near and far count alike.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.learning.lifting.projection import best_translation, project, to_camera, to_world
from pipeline.skeleton import ROOT

Root = Literal["labels", "direct", "ray", "least_squares"]


@dataclass(frozen=True)
class Objective:
    """Which terms count how much, and how."""

    labels: float  # distance of the pose from the label, per UNIT_MM
    reprojection: float  # of a view's pose from its own detections
    transform: float  # of a view's pose from the other views' detections
    consistency: float  # of the views' poses from each other, in every camera
    squared: bool  # distances in an image count squared (Li et al.) or as they are (Jain et al.)
    confidence: Literal["source", "target", "none"]  # whose confidence weights a transform term
    root: Root
    # Whether the pose's own root stands where the root is, as one may read Li et al. Else it is a joint like the
    # others, and the pose may stand anywhere near: then what is wrong about the root's place is wrong for all joints
    # alike and does not bend the pose. Tied, only the root itself speaks against a wrong place.
    root_relative: bool


@dataclass(frozen=True)
class MultiViewBatch:
    """B moments in the frames of V cameras turned towards the person; NaN where unknown."""

    points_norm: Tensor  # (B, V, 17, 2)
    confidence: Tensor  # (B, V, 17)
    size: Tensor  # (B, V) of the person's box, in rays
    labels: Tensor  # (B, V, 17, 3)
    label_weight: Tensor  # (B, 17)
    R: Tensor  # (B, V, 3, 3) from the rig's world
    t: Tensor  # (B, V, 3)
    there: Tensor  # (B, V) whether the view saw the person
    distance: Tensor  # (B, V) of the camera from the middle of the rig

    @property
    def posed(self) -> Tensor:
        """Whether a view saw the person and its camera is known, (B, V)."""
        return self.there & torch.isfinite(self.t).all(-1)

    @property
    def weight(self) -> Tensor:
        """The confidence (B, V, 17), zero where unseen."""
        seen = torch.isfinite(self.points_norm).all(-1) & self.posed[..., None]
        return torch.where(seen, self.confidence, 0)


def loss_of(objective: Objective, poses: Tensor, branch: Tensor | None, views: MultiViewBatch) -> Tensor:
    """The sum of the terms that count, of a network's poses (B, V, 17, 3) and its root branch's (B, V, 3)."""
    total = poses.new_zeros(())
    if objective.labels:
        total = total + objective.labels * label_error(poses, views, views.label_weight)
    if objective.reprojection or objective.transform or objective.consistency:
        total = total + projection_error(objective, placed(objective, poses, branch, views), views)
    return total


def label_error(poses: Tensor, views: MultiViewBatch, weight: Tensor | None = None) -> Tensor:
    """Mean distance of root-relative poses from the labels, over the joints that have one.

    Each joint of each moment counts by its weight (B, 17), one on average over the training; or all alike.
    """
    wanted = views.labels - views.labels[..., ROOT : ROOT + 1, :]
    known = torch.isfinite(wanted).all(-1) & views.there[..., None]
    poses = poses - poses[..., ROOT : ROOT + 1, :]
    errors = _length(poses - torch.where(known[..., None], wanted, poses.detach()))
    weighted = errors if weight is None else errors * weight[:, None]
    return torch.where(known, weighted, 0).sum() / known.sum().clamp(min=1)


def placed(objective: Objective, poses: Tensor, branch: Tensor | None, views: MultiViewBatch) -> Tensor:
    """Poses (B, V, 17, 3) where the objective has them stand, in each view's camera."""
    if objective.root_relative or objective.root == "labels":
        poses = poses - poses[..., ROOT : ROOT + 1, :]
    return poses + root_positions(objective.root, poses, branch, views)[:, :, None]


def agreement_error(poses: Tensor, views: MultiViewBatch) -> Tensor:
    """Mean squared distance of the views' poses (B, V, 17, 3), with their roots, from each other in the world.

    The pre-training of Li et al. 2020, section 3.3, over all pairs of views.
    """
    known = views.posed[:, :, None, None]
    world = torch.where(known, to_world(poses, *_safe(views)), 0)
    n = known.sum(1, keepdim=True).clamp(min=1)
    off = torch.where(known, world - world.sum(1, keepdim=True) / n, 0)
    return 2 * off.square().sum() / (known.sum() * poses.shape[2]).clamp(min=1)


def root_positions(root: Root, poses: Tensor, branch: Tensor | None, views: MultiViewBatch) -> Tensor:
    """Where each view has the root (B, V, 3) in its camera; zero where it cannot be told, and the view does not count.

    labels: the triangulated one. direct: the root branch's, from a point before the camera at the rig's distance (as
    Li et al. but for the start, without which no gradient leads there). ray: on the viewing ray of the root or of
    the box, but for what the branch adds, at the rig's distance times the exponential of what it says. rig: where the
    pose fits the detections of all views best; no branch.
    """
    R, t = _safe(views)
    if root == "labels":
        return views.labels[..., ROOT, :].nan_to_num(0)
    if root == "least_squares":
        upright = poses @ R
        world = best_translation(upright, *(x[:, None] for x in (R, t, views.points_norm, views.weight)))
        return to_camera(world[:, :, None], R, t)[:, :, 0]
    assert branch is not None
    distance = views.distance.nan_to_num(1)
    if root == "direct":
        return branch + distance[..., None] * torch.tensor([0.0, 0, 1], device=branch.device)
    seen = views.points_norm[..., ROOT, :].nan_to_num(0)
    ray = torch.cat([seen + views.size[..., None] * branch[..., :2], torch.ones_like(seen[..., :1])], -1)
    return ray * (distance * branch[..., 2].clamp(-3, 3).exp())[..., None]


def projection_error(objective: Objective, poses: Tensor, views: MultiViewBatch) -> Tensor:
    """The weighted terms in the image of poses with their roots (B, V, 17, 3): own view, other views, consistency."""
    R, t = _safe(views)
    world = to_world(poses, R, t)
    projected = project(to_camera(world[:, :, None], R[:, None], t[:, None]))
    size, posed = views.size[:, None, :, None], views.posed
    if objective.root == "labels":
        posed = posed & torch.isfinite(views.labels[..., ROOT, :]).all(-1)
    both = (posed[:, :, None] & views.posed[:, None, :])[..., None]
    seen = views.points_norm.nan_to_num(0)[:, None]
    errors = _distance((projected - seen) / size[..., None], squared=objective.squared)
    own = torch.eye(R.shape[1], dtype=torch.bool, device=R.device)[..., None]
    total = poses.new_zeros(())
    if objective.reprojection:
        total = total + objective.reprojection * _mean(errors, views.weight[:, None] * (both & own))
    if objective.transform:
        total = total + objective.transform * _mean(errors, _transform_weight(objective, views) * (both & ~own))
    if objective.consistency:
        n = both.sum(1, keepdim=True).clamp(min=1)
        middle = torch.where(both[..., None], projected, 0).sum(1, keepdim=True) / n[..., None]
        apart = _distance((projected - middle) / size[..., None], squared=objective.squared)
        total = total + objective.consistency * _mean(apart, both.float().expand_as(apart))
    return total


def _transform_weight(objective: Objective, views: MultiViewBatch) -> Tensor:
    """Weights (B, V, V, 17) of the joints that the target saw."""
    seen = (views.weight[:, None] > 0).float()
    if objective.confidence == "target":
        return views.weight[:, None].expand(-1, views.weight.shape[1], -1, -1)
    return seen * views.weight[:, :, None] if objective.confidence == "source" else seen


def _safe(views: MultiViewBatch) -> tuple[Tensor, Tensor]:
    """Cameras without NaN: those that are not known do not count, but their gradients must not be NaN."""
    known = views.posed[..., None]
    R = torch.where(known[..., None], views.R, torch.eye(3, device=views.R.device))
    return R, torch.where(known, views.t, torch.tensor([0.0, 0, 1], device=views.t.device))


def _mean(errors: Tensor, weights: Tensor) -> Tensor:
    return torch.where(weights > 0, errors * weights, 0).sum() / weights.sum().clamp(min=1e-6)


def _distance(difference: Tensor, *, squared: bool) -> Tensor:
    return difference.square().sum(-1) if squared else _length(difference)


def _length(difference: Tensor) -> Tensor:
    """Euclidean length, its gradient finite at zero."""
    return (difference.square().sum(-1) + 1e-8).sqrt()
