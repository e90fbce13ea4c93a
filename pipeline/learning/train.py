"""Training of a 3D network, and its predictions: the stage in the order things happen."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.learning.checkpoints import Saved, save_network
from pipeline.learning.distributed import place_among, processes
from pipeline.learning.lifting.method import Lifting
from pipeline.learning.loop import Lesson, train
from pipeline.learning.predict import write_predictions
from pipeline.learning.teachers import Sources
from pipeline.learning.volumetric import Volumetric
from pipeline.params import TrainParams
from pipeline.stores import LABELS, POSES2D, RIGS, Store, focal_factors, reading


class Method(Protocol):
    """A kind of network: what it is taught and what it then sees in recordings."""

    network: Any  # a module that can be saved
    paces: Mapping[str, float]  # of its modules, see `loop.train`
    about: dict[str, Any]  # what its checkpoint says besides its architecture

    @property
    def lesson(self) -> Lesson:
        """What the network is taught."""

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS, of every view of a recording."""


# Built from the capture, the 2D poses, the sources of lessons, the frozen detector's weights and the parameters.
METHODS: dict[str, Callable[[Capture, Store, Sources, Path, TrainParams], Method]] = {
    "volumetric": Volumetric,
    "lifting": Lifting,
}


def train_network(
    sources: Sources, poses2d: Path, detector: Path, model: Path, predictions: Path, curve: Path, params: TrainParams
) -> None:
    """Train the 3D network, write its checkpoint and curve, and predict every view of the test recordings.

    Where there are no test recordings the training ones are predicted; the store's `split` says which.
    """
    with processes():
        capture = read_capture(sources.frames).refocused(focal_factors(reading(sources.rigs, RIGS)))
        detections = reading(poses2d, POSES2D)
        method = METHODS[params.model](capture, detections, sources, detector, params)
        network: Saved = method.network
        architecture = str(network.architecture)
        train(method.network, method.lesson, params, curve, paces=method.paces, architecture=architecture)
        if place_among()[0] > 0:
            return  # the first process writes
        about = {**method.about, "params": params.model_dump(), "labels": _provenance(sources.labels, params)}
        save_network(model, network, **about)
        tested = [r for r in capture.recordings if r.split == "test" and r.name in detections]
        chosen = tested or [r for r in capture.recordings if r.name in detections]
        split = "test" if tested else "train"
        write_predictions(method.predict, chosen, predictions, split=split, supervision=params.supervision)


def _provenance(labels: Path, params: TrainParams) -> dict:
    return {"from": "truth"} if params.supervision == "full" else {"from": "labels", **reading(labels, LABELS).attrs}
