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
from pipeline.learning.lifting import adapt
from pipeline.learning.lifting.lesson import LiftingLesson, Plan
from pipeline.learning.lifting.losses import Objective
from pipeline.learning.lifting.moments import UNIT_MM, Moments
from pipeline.learning.lifting.networks import LiftingArchitecture, LiftingNetwork
from pipeline.learning.lifting.predict import predict_poses
from pipeline.learning.loop import train
from pipeline.params import LoopParams

DATA = "real motion"
DROPOUT = 0.1
LOOP = LoopParams(epochs=3, batch_size=32, lr=6e-3, schedule="cosine", ema=0.0, keep="last", patience=0, seed=0)
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
    adapted: Literal["", "test", "test_own_rig", "elsewhere"] = ""  # afterwards to these detections alone
    longer: int = 1  # times the usual number of steps


BRANCH = replace(IMAGES, root="ray")
PRINTED = replace(IMAGES, root="direct", squared=True, confidence="source", tied_root=True)
WAYS = {
    "truth": Way(data="truth"),
    "truth of one person": Way(data="subset"),
    "truth of one person, labels of the others": Way(data="mixed"),
    "labels, true cameras": Way(),
    "labels, self-calibrated": Way(data="own_rig"),
    "labels, weighted by their uncertainty": Way(data="weighed"),
    "labels, 4 virtual views": Way(virtual_views=4),
    "labels, 8 virtual views": Way(virtual_views=8),
    "labels, four_blocks": Way(backbone="four_blocks"),
    "labels, temporal 9": Way(backbone="temporal", frames=9),
    "labels, temporal 27": Way(backbone="temporal", frames=27),
    "labels, temporal 81": Way(backbone="temporal", frames=81),
    "labels, temporal 27, 4 virtual views": Way(backbone="temporal", frames=27, virtual_views=4),
    "labels, transformer 1": Way(backbone="transformer", width=128),
    "labels, transformer 27": Way(backbone="transformer", frames=27, width=128),
    "labels, 3 times as long": Way(longer=3),
    "labels, 8 virtual views, 3 times as long": Way(virtual_views=8, longer=3),
    "labels, temporal 27, 3 times as long": Way(backbone="temporal", frames=27, longer=3),
    "labels, 6 times as long": Way(longer=6),
    "labels, 8 virtual views, 6 times as long": Way(virtual_views=8, longer=6),
    "labels, adapted to the same views": Way(adapted="test"),
    "labels, adapted to the same views, self-calibrated": Way(adapted="test_own_rig"),
    "labels, adapted to the new views": Way(adapted="elsewhere"),
    "transform": Way(IMAGES),
    "transform, 3 times as long": Way(IMAGES, longer=3),
    "transform, squared": Way(replace(IMAGES, squared=True)),
    "transform, source's confidence": Way(replace(IMAGES, confidence="source")),
    "transform, no confidence": Way(replace(IMAGES, confidence="none")),
    "transform, other views alone": Way(replace(IMAGES, reprojection=0)),
    "transform, own view alone": Way(replace(IMAGES, transform=0)),
    "transform, consistency": Way(replace(IMAGES, consistency=1)),
    "transform, frozen half-way": Way(IMAGES, freeze_after=0.5),
    "transform, triangulated root": Way(replace(IMAGES, root="labels")),
    "transform, root branch on the ray": Way(BRANCH),
    "transform, root branch on the ray, 3 times as long": Way(BRANCH, longer=3),
    "transform, root branch on the ray, tied": Way(replace(BRANCH, tied_root=True)),
    "transform, root branch direct": Way(replace(IMAGES, root="direct")),
    "transform, root branch direct, tied": Way(replace(IMAGES, root="direct", tied_root=True)),
    "transform as printed": Way(PRINTED, pretraining=0.07),
    "transform as printed, 3 times as long": Way(PRINTED, pretraining=0.07, longer=3),
    "transform as printed, free root": Way(replace(PRINTED, tied_root=False), pretraining=0.07),
}
QUICK = ("labels, true cameras", "transform")


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
        course = adapt.LOOP.model_copy(update={"seed": loop.seed})
        _teach(network, getattr(motion, way.adapted), adapt.OBJECTIVE, still, course)
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
