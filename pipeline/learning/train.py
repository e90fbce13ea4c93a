"""Training of a 3D network, and its predictions: the steps of the stage `train` in their order."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from pipeline.alerts import log_alerts
from pipeline.capture import Capture, Recording, read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.files import write_placeholder, write_untrained
from pipeline.learning.engine.checkpoints import SavableNetwork, save_network
from pipeline.learning.engine.curves import curve_file
from pipeline.learning.engine.distributed import process_group, rank_and_world_size
from pipeline.learning.engine.loop import TrainingTask, train
from pipeline.learning.engine.training_state import COLUMNS
from pipeline.learning.images.predict import write_predictions
from pipeline.learning.images.volumetric import Volumetric
from pipeline.learning.lifting.method import Lifting
from pipeline.learning.supervision import camera_reader
from pipeline.learning.training_alerts import NoTrainingDataError, not_trained, training_alerts
from pipeline.params.train import LoopParams, TrainParams
from pipeline.stores import LABELS, POSES2D, Poses2dStore, PredictionsSummary, open_store


@runtime_checkable
class Method(Protocol):
    """A kind of 3D network, with its training task and its predictions."""

    network: Any  # a SavableNetwork
    lr_multipliers: Mapping[str, float]  # of the network's children, see `loop.train`
    target_share: np.ndarray  # (joint,), of the training samples: in how many each joint has a target
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

    Without test recordings, the training recordings are predicted; the store's summary names the split. Footage that
    gives nothing to train on leaves placeholders with an alert.
    """
    with process_group():
        capture, poses2d = read_capture(paths.frames), open_store(paths.poses2d, POSES2D)
        try:
            method = METHODS[params.model](capture, poses2d, paths, weights, params)
        except NoTrainingDataError as error:
            if params.supervision == "subset":
                raise  # the parameters name the subjects that have targets
            _write_placeholders(paths, error)
            return
        fit(method, params, paths.curve("train"))
        if rank_and_world_size()[0] > 0:
            return  # the first process writes
        network: SavableNetwork = method.network
        metadata = {**method.metadata, "params": params.model_dump(), "labels": _provenance(paths.labels, params)}
        save_network(paths.network, network, **metadata)
        test = [r for r in capture.recordings if r.split == "test" and r.name in poses2d]
        chosen = test or [r for r in capture.recordings if r.name in poses2d]
        alerts = list(training_alerts(len(method.task), method.target_share, has_test=bool(test)))
        log_alerts(alerts)
        split: Literal["test", "train"] = "test" if test else "train"
        summary = PredictionsSummary(split=split, supervision=params.supervision, refined_by=None, alerts=alerts)
        write_predictions(method.predict, camera_reader(params, paths), chosen, paths.predictions, summary)


def _write_placeholders(paths: CapturePaths, error: NoTrainingDataError) -> None:
    """Write placeholders of the network, its curve and its predictions, with an alert that says why there are none."""
    if rank_and_world_size()[0] > 0:
        return
    alert = not_trained(error)
    log_alerts([alert])
    with curve_file(paths.curve("train"), COLUMNS):
        write_untrained(paths.network)
    write_placeholder(paths.predictions, f"no network was trained: {error.what}", [alert])


def fit(method: Method, params: LoopParams, curve: Path) -> None:
    """Train a method's network for its task."""
    train(method.network, method.task, params, curve, lr_multipliers=method.lr_multipliers)


def _provenance(labels: Path, params: TrainParams) -> dict[str, Any]:
    """The origin of the labels, for the checkpoint's metadata."""
    if params.supervision == "full":
        return {"from": "truth"}
    return {"from": "labels", **open_store(labels, LABELS).summary.model_dump(mode="json")}
