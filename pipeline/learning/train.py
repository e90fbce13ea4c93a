"""Training of a 3D network, and its predictions: the stage in the order things happen."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.learning.engine.checkpoints import Saved, save_network
from pipeline.learning.engine.distributed import process_group, rank_and_world_size
from pipeline.learning.engine.loop import TrainingTask, train
from pipeline.learning.images.predict import write_predictions
from pipeline.learning.images.volumetric import Volumetric
from pipeline.learning.lifting.method import Lifting
from pipeline.learning.supervision import CapturePaths, camera_source
from pipeline.params.train import TrainParams
from pipeline.stores import LABELS, POSES2D, Poses2dStore, PredictionsSummary, open_store


@runtime_checkable
class Method(Protocol):
    """A kind of network: what it is taught and what it then sees in recordings."""

    network: Any  # a module that can be saved
    lr_multipliers: Mapping[str, float]  # of its modules, see `loop.train`
    metadata: dict[str, Any]  # what its checkpoint says besides its architecture

    @property
    def task(self) -> TrainingTask:
        """What the network is taught."""

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS, of every view of a recording."""


# Built from the capture, the 2D poses, the sources of lessons, the frozen detector's weights and the parameters.
METHODS: dict[str, Callable[[Capture, Poses2dStore, CapturePaths, Path, TrainParams], Method]] = {
    "volumetric": Volumetric,
    "lifting": Lifting,
}


def train_network(
    paths: CapturePaths, poses2d: Path, detector: Path, model: Path, predictions: Path, curve: Path, params: TrainParams
) -> None:
    """Train the 3D network, write its checkpoint and curve, and predict every view of the test recordings.

    Where there are no test recordings the training ones are predicted; the store's `split` says which.
    """
    with process_group():
        capture, detections = read_capture(paths.frames), open_store(poses2d, POSES2D)
        method = METHODS[params.model](capture, detections, paths, detector, params)
        network: Saved = method.network
        architecture = str(network.architecture)
        train(
            method.network, method.task, params, curve, lr_multipliers=method.lr_multipliers, architecture=architecture
        )
        if rank_and_world_size()[0] > 0:
            return  # the first process writes
        metadata = {**method.metadata, "params": params.model_dump(), "labels": _provenance(paths.labels, params)}
        save_network(model, network, **metadata)
        tested = [r for r in capture.recordings if r.split == "test" and r.name in detections]
        chosen = tested or [r for r in capture.recordings if r.name in detections]
        summary = PredictionsSummary(
            split="test" if tested else "train", supervision=params.supervision, refined_by=None
        )
        write_predictions(method.predict, camera_source(params, paths), chosen, predictions, summary)


def _provenance(labels: Path, params: TrainParams) -> dict[str, Any]:
    if params.supervision == "full":
        return {"from": "truth"}
    return {"from": "labels", **open_store(labels, LABELS).summary.model_dump(mode="json")}
