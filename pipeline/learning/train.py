"""Training of a 3D network, and its predictions: the steps of the stage `train` in their order."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.learning.engine.checkpoints import SavableNetwork, save_network
from pipeline.learning.engine.distributed import process_group, rank_and_world_size
from pipeline.learning.engine.loop import TrainingTask, train
from pipeline.learning.images.predict import write_predictions
from pipeline.learning.images.volumetric import Volumetric
from pipeline.learning.lifting.method import Lifting
from pipeline.learning.supervision import camera_reader
from pipeline.params.train import LoopParams, TrainParams
from pipeline.stores import LABELS, POSES2D, Poses2dStore, PredictionsSummary, open_store


@runtime_checkable
class Method(Protocol):
    """A kind of 3D network, with its training task and its predictions."""

    network: Any  # a SavableNetwork
    lr_multipliers: Mapping[str, float]  # of the network's children, see `loop.train`
    metadata: dict[str, Any]  # of the checkpoint, besides the architecture

    @property
    def task(self) -> TrainingTask:
        """The training task of the network."""

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS of a recording, for all views."""


# Built from the capture, its 2D poses, the paths of its other data, the initial weights and the parameters.
METHODS: dict[str, Callable[[Capture, Poses2dStore, CapturePaths, Path, TrainParams], Method]] = {
    "volumetric": Volumetric,
    "lifting": Lifting,
}


def train_network(paths: CapturePaths, weights: Path, params: TrainParams) -> None:
    """Train the 3D network from initial weights, write its checkpoint and curve, and predict the test recordings.

    Without test recordings, the training recordings are predicted; the store's summary names the split.
    """
    with process_group():
        capture, poses2d = read_capture(paths.frames), open_store(paths.poses2d, POSES2D)
        method = METHODS[params.model](capture, poses2d, paths, weights, params)
        fit(method, params, paths.curve("train"))
        if rank_and_world_size()[0] > 0:
            return  # the first process writes
        network: SavableNetwork = method.network
        metadata = {**method.metadata, "params": params.model_dump(), "labels": _provenance(paths.labels, params)}
        save_network(paths.network, network, **metadata)
        test = [r for r in capture.recordings if r.split == "test" and r.name in poses2d]
        chosen = test or [r for r in capture.recordings if r.name in poses2d]
        summary = PredictionsSummary(split="test" if test else "train", supervision=params.supervision, refined_by=None)
        write_predictions(method.predict, camera_reader(params, paths), chosen, paths.predictions, summary)


def fit(method: Method, params: LoopParams, curve: Path) -> None:
    """Train a method's network for its task."""
    train(method.network, method.task, params, curve, lr_multipliers=method.lr_multipliers)


def _provenance(labels: Path, params: TrainParams) -> dict[str, Any]:
    """The origin of the labels, for the checkpoint's metadata."""
    if params.supervision == "full":
        return {"from": "truth"}
    return {"from": "labels", **open_store(labels, LABELS).summary.model_dump(mode="json")}
