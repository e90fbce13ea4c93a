"""Out-of-fold predictions: each training subject is predicted by a network that was trained without the subject.

A network's errors on its training subjects are smaller than on other subjects, and of another kind.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.capture_paths import CapturePaths
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.engine.device import choose_device, to_device
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.supervision import target_reader
from pipeline.learning.train import METHODS, Method, fit
from pipeline.params.train import TrainParams
from pipeline.stores import Poses2dStore

N_FOLDS = 3
# A recording and the arrays of PREDICTIONS.
Prediction = tuple[Recording, dict[str, np.ndarray]]


@dataclass(frozen=True)
class OutOfFoldPredictor:
    """A trained network, with everything needed to train networks with the same settings."""

    capture: Capture
    poses2d: Poses2dStore
    paths: CapturePaths
    weights: Path  # the initial weights
    params: TrainParams

    def predict(self, recordings: Sequence[Recording]) -> Iterator[Prediction]:
        """Predictions of recordings by networks that were not trained on their subjects.

        Subjects that the network was trained on are split into `N_FOLDS` folds; for each fold, a network is trained
        without the fold's subjects. Other subjects are predicted by the network itself. With a single training subject
        there is no out-of-fold network: its recordings are left out, or, if there are no other recordings, predicted by
        the network itself.
        """
        training_subjects = self._training_subjects()
        others = [r for r in recordings if r.subject not in training_subjects]
        if len(training_subjects) < 2 or others:
            yield from _predictions(self._trained_method(), others or recordings)
        if len(training_subjects) > 1:
            for fold in np.array_split(sorted(training_subjects), min(N_FOLDS, len(training_subjects))):
                own = [r for r in recordings if r.subject in fold]
                yield from _predictions(self._method_trained_without(fold.tolist()), own)

    def _training_subjects(self) -> set[str]:
        training = training_recordings(self.capture, self.poses2d, target_reader(self.params, self.paths))
        return {recording.subject for recording, _ in training} - set(self.params.validation_subjects)

    def _trained_method(self) -> Method:
        method = self._method(self.params)
        network, _ = load_network(self.paths.network, type(method.network))
        method.network.load_state_dict(network.state_dict())
        to_device(method.network, choose_device()).eval()
        return method

    def _method_trained_without(self, subjects: list[str]) -> Method:
        validation_subjects = [*self.params.validation_subjects, *subjects]
        method = self._method(self.params.model_copy(update={"validation_subjects": validation_subjects}))
        with TemporaryDirectory() as folder:
            fit(method, self.params, Path(folder) / "curve.csv")
        return method

    def _method(self, params: TrainParams) -> Method:
        return METHODS[params.model](self.capture, self.poses2d, self.paths, self.weights, params)


def _predictions(method: Method, recordings: Iterable[Recording]) -> Iterator[Prediction]:
    for recording in recordings:
        yield recording, method.predict(recording)
