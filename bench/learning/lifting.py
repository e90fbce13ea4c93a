"""Every way of teaching a lifting network, on real motion: the same people, rig and budget, several seeds.

Motion capture seen by four real cameras and by a detector that errs as real ones do (`bench.learning.motion`); other
people's motion tests, with the detector's noise in it too, as the same cameras and as eight others see it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch

from bench.learning.motion import Motion, film
from pipeline import metrics
from pipeline.learning.lifting.adapt import OBJECTIVE as ADAPTED
from pipeline.learning.lifting.lesson import LiftingLesson, Plan
from pipeline.learning.lifting.losses import Objective
from pipeline.learning.lifting.moments import UNIT_MM, Moments
from pipeline.learning.lifting.networks import LiftingArchitecture, LiftingNetwork
from pipeline.learning.lifting.predict import predict_poses
from pipeline.learning.loop import train
from pipeline.params import LoopParams

DATA = "real motion"
DROPOUT = 0.25
LOOP = LoopParams(epochs=3, batch_size=32, lr=1e-3, schedule="cosine", ema=0.0, keep="last", patience=0, seed=0)
ADAPTATION = LOOP.model_copy(update={"lr": 4e-5})
EVERY_TESTED = 5  # frames
LABELS = Objective(
    labels=1, reprojection=0, transform=0, consistency=0, squared=False, confidence="target", root="rig",
    tied_root=False,
)  # fmt: skip
IMAGES = replace(LABELS, labels=0, reprojection=1, transform=1)


@dataclass(frozen=True)
class Way:
    """How a network is taught."""

    objective: Objective = LABELS
    data: str = "labels"  # a field of Motion
    backbone: str = "reslinear"
    width: int = 256
    frames: int = 1
    virtual_views: int = 0
    pretraining: float = 0.0
    freeze_after: float = 1.0
    adapted: Literal["", "test", "elsewhere"] = ""  # afterwards to these detections alone
    longer: int = 1  # times the usual number of steps


BRANCH = replace(IMAGES, root="ray")
PRINTED = replace(IMAGES, root="direct", squared=True, confidence="source", tied_root=True)
WAYS = {
    "truth": Way(data="truth"),
    "labels, true cameras": Way(),
    "labels, self-calibrated": Way(data="own_rig"),
    "labels, weighted by their uncertainty": Way(data="weighed"),
    "truth of one person": Way(data="subset"),
    "truth of one person, labels of the others": Way(data="mixed"),
    "labels, 4 virtual views": Way(virtual_views=4),
    "labels, 8 virtual views": Way(virtual_views=8),
    "labels, four_blocks": Way(backbone="four_blocks"),
    "labels, temporal 27": Way(backbone="temporal", frames=27),
    "labels, temporal 81": Way(backbone="temporal", frames=81),
    "labels, temporal 27, 4 virtual views": Way(backbone="temporal", frames=27, virtual_views=4),
    "labels, transformer 27": Way(backbone="transformer", frames=27, width=128),
    "transform, triangulated root": Way(replace(IMAGES, root="labels")),
    "transform, root fitted to the rig": Way(IMAGES),
    "transform, root branch on the ray": Way(BRANCH),
    "transform, root branch on the ray, tied": Way(replace(BRANCH, tied_root=True)),
    "transform, root branch direct": Way(replace(IMAGES, root="direct")),
    "transform, root branch direct, tied": Way(replace(IMAGES, root="direct", tied_root=True)),
    "transform as printed": Way(PRINTED, pretraining=0.07),
    "transform as printed, free root": Way(replace(PRINTED, tied_root=False), pretraining=0.07),
    "root branch on the ray, squared": Way(replace(BRANCH, squared=True)),
    "root branch on the ray, source confidence": Way(replace(BRANCH, confidence="source")),
    "root branch on the ray, no confidence": Way(replace(BRANCH, confidence="none")),
    "root branch on the ray, transform x 5": Way(replace(BRANCH, transform=5)),
    "root branch on the ray, consistency": Way(replace(BRANCH, consistency=1)),
    "root branch on the ray, frozen half-way": Way(BRANCH, freeze_after=0.5),
    "root branch on the ray, 4 virtual views": Way(BRANCH, virtual_views=4),
    "labels, 3 times as long": Way(longer=3),
    "root branch on the ray, 3 times as long": Way(BRANCH, longer=3),
    "root branch on the ray, tied, 3 times as long": Way(replace(BRANCH, tied_root=True), longer=3),
    "transform as printed, 3 times as long": Way(PRINTED, pretraining=0.07, longer=3),
    "own view's reprojection alone": Way(replace(BRANCH, transform=0)),
    "labels, adapted to the same rig": Way(adapted="test"),
    "labels, adapted to the new views": Way(adapted="elsewhere"),
}  # fmt: skip
QUICK = ("labels, true cameras", "transform, root branch on the ray")


def results(data: Path, names: list[str], seeds: range, *, quick: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """The name and the figures of every way, one seed after the other."""
    motion = film(data, every=8 if quick else 1)
    loop = LOOP.model_copy(update={"epochs": 1}) if quick else LOOP
    for seed in seeds:
        for name in names:
            yield name, measured(WAYS[name], motion, loop.model_copy(update={"seed": seed}))


def measured(way: Way, motion: Motion, loop: LoopParams) -> dict[str, float]:
    """Train a network one way; its errors on other people, as the same cameras and as others see them."""
    torch.manual_seed(loop.seed)
    branch = way.objective.root in ("direct", "ray")
    network = LiftingNetwork(LiftingArchitecture(way.backbone, way.frames, way.width, DROPOUT, branch))
    plan = Plan(way.frames, way.virtual_views, way.pretraining, way.freeze_after)
    moments = getattr(motion, way.data)
    # Fewer moments are shown more often.
    epochs = round(way.longer * loop.epochs * len(motion.truth) / len(moments))
    _teach(network, moments, way.objective, plan, loop.model_copy(update={"epochs": epochs}))
    if way.adapted:
        still = replace(plan, virtual_views=0, pretraining=0.0, freeze_after=0.0)
        _teach(network, getattr(motion, way.adapted), ADAPTED, still, ADAPTATION.model_copy(update={"seed": loop.seed}))
    same, other = errors(network, motion.test), errors(network, motion.elsewhere)
    return {**same, **{f"new_view_{name}": value for name, value in other.items()}}


def _teach(network: LiftingNetwork, moments: Moments, objective: Objective, plan: Plan, loop: LoopParams) -> None:
    rows = torch.arange(len(moments))
    lesson = LiftingLesson(moments, rows, rows[::100], objective, plan)
    with TemporaryDirectory() as folder:
        train(network, lesson, loop, Path(folder) / "curve.csv")


def errors(network: LiftingNetwork, moments: Moments) -> dict[str, float]:
    """Mean errors in mm of the network's poses, metric as it says them, on some moments of a test."""
    rows = torch.arange(0, len(moments), EVERY_TESTED)
    poses, _ = predict_poses(network, moments, network.architecture.frames, flip_test=True, chosen=rows)
    true = moments.windows(rows, 1)
    labels = ((true.labels @ true.R.mT) + true.t[:, :, None]).double().numpy() * UNIT_MM
    kinds = {"mpjpe_mm": metrics.mpjpe, "n_mpjpe_mm": metrics.n_mpjpe, "pa_mpjpe_mm": metrics.pa_mpjpe}
    return {name: float(metrics.mean(error(poses, labels), axis=None)) for name, error in kinds.items()}
