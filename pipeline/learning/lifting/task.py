"""The training task of lifting networks: batches of windows, the loss, and the validation error."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.learning.engine.device import choose_device
from pipeline.learning.engine.fingerprint import fingerprint
from pipeline.learning.lifting.losses import (
    Objective,
    absolute_poses,
    label_distances,
    lifting_loss,
    pretraining_loss,
)
from pipeline.learning.lifting.multi_view_batch import MultiViewBatch, centred_batch, rig_center, training_batch
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, MultiViewFrames
from pipeline.skeleton import ROOT

VALIDATION_BATCH = 256


@dataclass(frozen=True)
class LiftingSchedule:
    """The contents of batches, and the changes of the training over time."""

    frames: int  # of a window
    virtual_views: int  # added to each window
    pretraining: float  # share of the training, at its beginning, with only the pre-training loss
    freeze_after: float  # share of the training after which dropout and batch statistics are frozen


class LiftingTask:
    """Trains on windows around the frames `training`; windows around `validation` give the validation error."""

    def __init__(
        self,
        frames: MultiViewFrames,
        training: Int[Tensor, " training"],
        validation: Int[Tensor, " validation"],
        objective: Objective,
        schedule: LiftingSchedule,
    ) -> None:
        device = choose_device()
        self._frames = frames.to(device)
        self._training, self._validation = training.to(device), validation.to(device)
        self._objective, self._schedule = objective, schedule

    def __len__(self) -> int:
        return len(self._training)

    @property
    def target_share(self) -> Float[np.ndarray, "17"]:
        """The share of the training frames in which each joint has a target: a label, or any detection of a view."""
        labels, detections = self._frames.labels[self._training], self._frames.points_norm[self._training]
        known = torch.isfinite(labels).all(-1) & (self._objective.labels > 0)
        if self._objective.uses_images:
            known = known | torch.isfinite(detections).all(-1).any(1)
        share: np.ndarray = known.double().mean(0).cpu().numpy()
        return share

    def fingerprint(self) -> str:
        """A hash of all inputs of the batches and of the validation error."""
        return fingerprint(self._frames, self._training, self._validation, self._objective, self._schedule)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int = 0, shard: tuple[int, int] = (0, 1)
    ) -> Iterator[tuple[Tensor, ...]]:
        """Features and the fields of `MultiViewBatch` for each array of sample indices."""
        for number, order in enumerate(orders, start=first):
            words = np.random.SeedSequence((*seed, number)).generate_state(1, np.uint64)
            rng = torch.Generator(self._frames.R.device).manual_seed(int(words[0] >> np.uint64(1)))
            windows = self._frames.windows(self._training[torch.from_numpy(order)], self._schedule.frames)
            features, batch = training_batch(windows, self._schedule.virtual_views, rng)
            arrays = [features, *(getattr(batch, field.name) for field in fields(MultiViewBatch))]
            yield tuple(array[shard[0] :: shard[1]] for array in arrays)

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...], done: float) -> Tensor:
        """The loss of the objective, or `pretraining_loss` during the pre-training."""
        # Jain et al. 2022: dropout and updated batch statistics help in the first part of the training only.
        network.train(done < self._schedule.freeze_after)
        poses, root_output = network(batch[0])
        views = MultiViewBatch(*batch[1:])
        if done >= self._schedule.pretraining:
            return lifting_loss(self._objective, poses, root_output, views)
        return pretraining_loss(absolute_poses(self._objective, poses, root_output, views), views)

    @torch.inference_mode()
    def validation_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE against the labels, over all joints that have one; NaN if there are none."""
        network.eval()
        total, count = 0.0, 0
        for rows in torch.split(self._validation, VALIDATION_BATCH):
            windows = self._frames.windows(rows, self._schedule.frames)
            features, batch = centred_batch(windows, rig_center(windows))
            poses, _ = network(features)
            distances, known = label_distances(_scaled_to_labels(poses, batch), batch)
            total, count = total + float(distances[known].double().sum()), count + int(known.sum())
        return UNIT_MM * total / count if count else math.nan


def _scaled_to_labels(poses: Tensor, batch: MultiViewBatch) -> Tensor:
    """Root-relative poses at the scale that fits their labels best, in the least-squares sense."""
    poses = poses - poses[..., ROOT : ROOT + 1, :]
    target = batch.labels - batch.labels[..., ROOT : ROOT + 1, :]
    known = torch.isfinite(target)
    dot = torch.where(known, poses * target, 0).sum((-1, -2), keepdim=True)
    return poses * dot / torch.where(known, poses * poses, 0).sum((-1, -2), keepdim=True).clamp(min=1e-9)
