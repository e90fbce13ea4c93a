"""Experiments with lifting networks on real motion: the same people, rig and budget, several seeds.

Motion capture is projected into four real cameras, with the errors of a real detector (`bench.learning.motion`). The
test data are the motion of other people with the same errors, in the same cameras and in eight other cameras.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch

from bench.learning.motion import Motion, simulate
from pipeline import metrics
from pipeline.learning.engine.loop import train
from pipeline.learning.lifting import adapt
from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.losses import Objective
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, MultiViewFrames
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.learning.lifting.predict import predict_poses
from pipeline.learning.lifting.task import LiftingSchedule, LiftingTask
from pipeline.params.train import LoopParams

DATA = "real motion"
DROPOUT = 0.1
LOOP = LoopParams(
    epochs=3, batch_size=32, lr=6e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01, clip_grad_norm=5.0, ema=0.0,
    keep="last", patience=0, seed=0,
)  # fmt: skip
EVERY_TESTED = 5  # frames
LABELS = Objective(
    labels=1, reprojection=0, transform=0, consistency=0, squared=False, confidence="target", root="least_squares",
    root_relative=False,
)  # fmt: skip
IMAGES = replace(LABELS, labels=0, reprojection=1, transform=1)


@dataclass(frozen=True)
class Experiment:
    """How a network is trained."""

    objective: Objective = LABELS
    data: str = "labels"  # a field of Motion
    backbone: str = "martinez2017"
    width: int = 256
    frames: int = 1
    virtual_views: int = 0
    pretraining: float = 0.0
    freeze_after: float = 1.0
    adapted: Literal["", "test", "test_own_rig", "elsewhere"] = ""  # the detections of an adaptation after training
    longer: int = 1  # times the usual number of steps


BRANCH = replace(IMAGES, root="ray")
PRINTED = replace(IMAGES, root="direct", squared=True, confidence="source", root_relative=True)
EXPERIMENTS = {
    "truth": Experiment(data="truth"),
    "truth of one person": Experiment(data="subset"),
    "truth of one person, labels of the others": Experiment(data="mixed"),
    "labels, true cameras": Experiment(),
    "labels, self-calibrated": Experiment(data="own_rig"),
    "labels, weighted by their uncertainty": Experiment(data="weighed"),
    "labels, 4 virtual views": Experiment(virtual_views=4),
    "labels, 8 virtual views": Experiment(virtual_views=8),
    "labels, li2020": Experiment(backbone="li2020"),
    "labels, temporal 9": Experiment(backbone="temporal", frames=9),
    "labels, temporal 27": Experiment(backbone="temporal", frames=27),
    "labels, temporal 81": Experiment(backbone="temporal", frames=81),
    "labels, temporal 27, 4 virtual views": Experiment(backbone="temporal", frames=27, virtual_views=4),
    "labels, transformer 1": Experiment(backbone="transformer", width=128),
    "labels, transformer 27": Experiment(backbone="transformer", frames=27, width=128),
    "labels, 3 times as long": Experiment(longer=3),
    "labels, 8 virtual views, 3 times as long": Experiment(virtual_views=8, longer=3),
    "labels, temporal 27, 3 times as long": Experiment(backbone="temporal", frames=27, longer=3),
    "labels, 6 times as long": Experiment(longer=6),
    "labels, 8 virtual views, 6 times as long": Experiment(virtual_views=8, longer=6),
    "labels, adapted to the same views": Experiment(adapted="test"),
    "labels, adapted to the same views, self-calibrated": Experiment(adapted="test_own_rig"),
    "labels, adapted to the new views": Experiment(adapted="elsewhere"),
    "transform": Experiment(IMAGES),
    "transform, 3 times as long": Experiment(IMAGES, longer=3),
    "transform, squared": Experiment(replace(IMAGES, squared=True)),
    "transform, source's confidence": Experiment(replace(IMAGES, confidence="source")),
    "transform, no confidence": Experiment(replace(IMAGES, confidence="none")),
    "transform, other views alone": Experiment(replace(IMAGES, reprojection=0)),
    "transform, own view alone": Experiment(replace(IMAGES, transform=0)),
    "transform, consistency": Experiment(replace(IMAGES, consistency=1)),
    "transform, frozen half-experiment": Experiment(IMAGES, freeze_after=0.5),
    "transform, triangulated root": Experiment(replace(IMAGES, root="labels")),
    "transform, root branch on the ray": Experiment(BRANCH),
    "transform, root branch on the ray, 3 times as long": Experiment(BRANCH, longer=3),
    "transform, root branch on the ray, tied": Experiment(replace(BRANCH, root_relative=True)),
    "transform, root branch direct": Experiment(replace(IMAGES, root="direct")),
    "transform, root branch direct, tied": Experiment(replace(IMAGES, root="direct", root_relative=True)),
    "transform as printed": Experiment(PRINTED, pretraining=0.07),
    "transform as printed, 3 times as long": Experiment(PRINTED, pretraining=0.07, longer=3),
    "transform as printed, free root": Experiment(replace(PRINTED, root_relative=False), pretraining=0.07),
}
QUICK = ("labels, true cameras", "transform")


def results(data: Path, names: list[str], seeds: range, *, quick: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """The name and the figures of every experiment, seed by seed."""
    motion = simulate(data, every=8 if quick else 1)
    loop = LOOP.model_copy(update={"epochs": 1}) if quick else LOOP
    for seed in seeds:
        for name in names:
            yield name, measured(EXPERIMENTS[name], motion, loop.model_copy(update={"seed": seed}))


def measured(experiment: Experiment, motion: Motion, loop: LoopParams) -> dict[str, float]:
    """Train a network and measure its errors on other people, in the training cameras and in other cameras."""
    torch.manual_seed(loop.seed)
    branch = experiment.objective.root in ("direct", "ray")
    network = LiftingNetwork(
        LiftingArchitecture(experiment.backbone, experiment.frames, experiment.width, DROPOUT, branch)
    )
    schedule = LiftingSchedule(
        experiment.frames, experiment.virtual_views, experiment.pretraining, experiment.freeze_after
    )
    frames = getattr(motion, experiment.data)
    # The number of steps does not depend on the number of frames.
    epochs = round(experiment.longer * loop.epochs * len(motion.truth) / len(frames))
    _train(network, frames, experiment.objective, schedule, loop.model_copy(update={"epochs": epochs}))
    if experiment.adapted:
        still = replace(schedule, virtual_views=0, pretraining=0.0, freeze_after=0.0)
        course = adapt.LOOP.model_copy(update={"seed": loop.seed})
        _train(network, getattr(motion, experiment.adapted), adapt.OBJECTIVE, still, course)
    same, other = errors(network, motion.test), errors(network, motion.elsewhere)
    return {**same, **{f"new_view_{name}": value for name, value in other.items()}}


def _train(
    network: LiftingNetwork, frames: MultiViewFrames, objective: Objective, schedule: LiftingSchedule, loop: LoopParams
) -> None:
    rows = torch.arange(len(frames))
    task = LiftingTask(frames, rows, rows[::100], objective, schedule)
    with TemporaryDirectory() as folder:
        train(network, task, loop, Path(folder) / "curve.csv")


def errors(network: LiftingNetwork, frames: MultiViewFrames) -> dict[str, float]:
    """Mean errors in mm of the network's poses, without scaling them, on some frames of a test."""
    rows = torch.arange(0, len(frames), EVERY_TESTED)
    poses, _ = predict_poses(network, frames, network.architecture.frames, flip_test=True, rows=rows)
    true = frames.windows(rows, 1)
    labels = ((true.labels @ true.R.mT) + true.t[:, :, None]).double().numpy() * UNIT_MM
    kinds = {"mpjpe_mm": metrics.mpjpe, "n_mpjpe_mm": metrics.n_mpjpe, "pa_mpjpe_mm": metrics.pa_mpjpe}
    return {name: float(metrics.mean(error(poses, labels), axis=None)) for name, error in kinds.items()}
