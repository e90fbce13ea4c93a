"""What a network says of people who did not teach it: networks like it are taught without them.

A network errs less on people who taught it than on others, and differently.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.engine.device import choose_device, to_device
from pipeline.learning.engine.loop import train
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.supervision import CapturePaths, target_source
from pipeline.learning.train import METHODS, Method
from pipeline.params.train import TrainParams
from pipeline.stores import Poses2dStore

# Parts of the subjects, each of which a network is taught without.
N_FOLDS = 3
Seen = tuple[Recording, dict[str, np.ndarray]]  # a recording and what is seen in it, the arrays of PREDICTIONS


@dataclass(frozen=True)
class OutOfFoldPredictor:
    """A network with all that it was taught with, as `train` was given it."""

    capture: Capture
    detections: Poses2dStore
    paths: CapturePaths
    detector: Path
    model: Path
    params: TrainParams

    def unseen(self, recordings: Sequence[Recording]) -> Iterator[Seen]:
        """What the network would say of each recording if its subject had not taught it.

        Of a subject who alone taught it, nothing can be had but what it says itself; then others stand for it, if any.
        """
        own = self._subjects()
        strangers = [r for r in recordings if r.subject not in own]
        if len(own) < 2 or strangers:
            yield from _seen(self._itself(), strangers or recordings)
        if len(own) > 1:
            for part in np.array_split(sorted(own), min(N_FOLDS, len(own))):
                yield from _seen(self._without(part.tolist()), [r for r in recordings if r.subject in part])

    def _subjects(self) -> set[str]:
        """Who taught the network."""
        taught = training_recordings(self.capture, self.detections, target_source(self.params, self.paths))
        return {recording.subject for recording, _ in taught} - set(self.params.validation_subjects)

    def _itself(self) -> Method:
        method = self._method(self.params)
        network, _ = load_network(self.model, type(method.network))
        method.network.load_state_dict(network.state_dict())
        to_device(method.network, choose_device()).eval()
        return method

    def _without(self, subjects: list[str]) -> Method:
        apart = [*self.params.validation_subjects, *subjects]
        method = self._method(self.params.model_copy(update={"held_out_subjects": apart}))
        with TemporaryDirectory() as folder:
            train(
                method.network,
                method.task,
                self.params,
                Path(folder) / "curve.csv",
                lr_multipliers=method.lr_multipliers,
            )
        return method

    def _method(self, params: TrainParams) -> Method:
        return METHODS[params.model](self.capture, self.detections, self.paths, self.detector, params)


def _seen(method: Method, recordings: Iterable[Recording]) -> Iterator[Seen]:
    for recording in recordings:
        yield recording, method.predict(recording)
