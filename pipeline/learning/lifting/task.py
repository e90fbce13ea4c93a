"""What a lifting network is taught: batches of moments, and the objective that its poses of them are judged by."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.learning.engine.device import choose_device
from pipeline.learning.lifting.losses import MultiViewBatch, Objective, agreement_error, label_error, loss_of, placed
from pipeline.learning.lifting.multi_view_batch import as_views, rig_middle, training_views
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, MultiViewFrames
from pipeline.skeleton import ROOT

EVALUATED_AT_ONCE = 256  # moments


@dataclass(frozen=True)
class LiftingSchedule:
    """How the moments are shown."""

    frames: int  # of a window
    virtual_views: int  # added to each moment
    pretraining: float  # share of the run, at its beginning, in which the views' poses only learn to agree
    freeze_after: float  # share of the run after which dropout and batch statistics are frozen


class LiftingTask:
    """Teaches by the moments `trained`; `held_out` ones give the curve its error."""

    def __init__(
        self, moments: MultiViewFrames, trained: Tensor, validation: Tensor, objective: Objective, plan: LiftingSchedule
    ) -> None:
        device = choose_device()
        self._moments = moments.to(device)
        self._trained, self._held_out = trained.to(device), validation.to(device)
        self._objective, self._plan = objective, plan

    def __len__(self) -> int:
        return len(self._trained)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int = 0, part: tuple[int, int] = (0, 1)
    ) -> Iterator[tuple[Tensor, ...]]:
        """Features and all that `Views` holds of the moments of each order."""
        for number, order in enumerate(orders, start=first):
            words = np.random.SeedSequence((*seed, number)).generate_state(1, np.uint64)
            rng = torch.Generator(self._moments.R.device).manual_seed(int(words[0] >> np.uint64(1)))
            windows = self._moments.windows(self._trained[torch.from_numpy(order)], self._plan.frames)
            features, views = training_views(windows, self._plan.virtual_views, rng)
            arrays = [features, *(getattr(views, field.name) for field in fields(MultiViewBatch))]
            yield tuple(array[part[0] :: part[1]] for array in arrays)

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...], done: float) -> Tensor:
        """The objective; in the pre-training, how far the views' poses are from each other."""
        # Jain et al. 2022, section 4: dropout and moving batch statistics only help at first.
        network.train(done < self._plan.freeze_after)
        poses, branch = network(batch[0])
        views = MultiViewBatch(*batch[1:])
        if done >= self._plan.pretraining:
            return loss_of(self._objective, poses, branch, views)
        return agreement_error(placed(self._objective, poses, branch, views), views)

    @torch.inference_mode()
    def validation_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE against the held-out labels; NaN where there are none."""
        network.eval()
        total = known = 0.0
        for chosen in self._held_out.split(EVALUATED_AT_ONCE):
            windows = self._moments.windows(chosen, self._plan.frames)
            features, views = as_views(windows, rig_middle(windows))
            poses, _ = network(features)
            n = float(torch.isfinite(views.labels).sum())
            total, known = total + n * float(label_error(_scaled(poses, views), views)), known + n
        return UNIT_MM * total / known if known else math.nan


def _scaled(poses: Tensor, views: MultiViewBatch) -> Tensor:
    """Poses around their root, at the scale that fits their labels best."""
    poses = poses - poses[..., ROOT : ROOT + 1, :]
    wanted = views.labels - views.labels[..., ROOT : ROOT + 1, :]
    known = torch.isfinite(wanted)
    dot = torch.where(known, poses * wanted, 0).sum((-1, -2), keepdim=True)
    return poses * dot / torch.where(known, poses * poses, 0).sum((-1, -2), keepdim=True).clamp(min=1e-9)
