"""Training of the volumetric 3D network, and its predictions: the stage in the order things happen."""

from pathlib import Path

import numpy as np

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.learning.checkpoints import save_network
from pipeline.learning.crops import MARGIN
from pipeline.learning.distributed import place_among, processes
from pipeline.learning.initial import initial_network
from pipeline.learning.loop import train
from pipeline.learning.predict import predict_recordings
from pipeline.learning.samples import Samples, all_samples, training_samples
from pipeline.learning.teachers import Sources, teacher
from pipeline.learning.volumetric import VolumetricLesson
from pipeline.params import TrainParams
from pipeline.stores import LABELS, POSES2D, reading

# Share of every recording's frames, at its end, that is kept out of the training where no subject is.
HELD_OUT = 0.05


def train_network(
    sources: Sources, poses2d: Path, detector: Path, model: Path, predictions: Path, curve: Path, params: TrainParams
) -> None:
    """Train the 3D network, write its checkpoint and curve, and predict every view of the test recordings.

    Where there are no test recordings the training ones are predicted; the store's `split` says which.
    """
    with processes():
        capture = read_capture(sources.frames)
        detections = reading(poses2d, POSES2D)
        network = initial_network(params, detector)
        samples = training_samples(capture, detections, teacher(params, sources), params.crop)
        trained, held_out = split(samples, params.held_out_subjects)
        lesson = VolumetricLesson(trained, held_out, params)
        train(network, lesson, params, curve, architecture=str(network.architecture))
        if place_among()[0] > 0:
            return  # the first process writes
        save_network(
            model, network, input_px=params.input_px, margin=MARGIN, params=params.model_dump(),
            labels=_provenance(sources.labels, params), images=len(trained),
        )  # fmt: skip
        tested = [r for r in capture.recordings if r.split == "test" and r.name in detections]
        chosen = tested or [r for r in capture.recordings if r.name in detections]
        labels = teacher(params.model_copy(update={"supervision": "self"}), sources)
        predict_recordings(
            network, [(r, all_samples(r, detections, labels, params.crop)) for r in chosen], params.input_px,
            predictions, flip_test=params.flip_test, split="test" if tested else "train",
            supervision=params.supervision,
        )  # fmt: skip


def split(samples: Samples, held_out_subjects: list[str]) -> tuple[Samples, Samples]:
    """Training and held-out samples: of the named subjects, or else the last frames of every recording in all views.

    Raises UserError where a held-out subject is not there, or no other is.
    """
    held_out = np.isin(samples.subjects, held_out_subjects)
    known = set(samples.subjects)
    if not known > set(held_out_subjects):
        what = f"train.held_out_subjects = {held_out_subjects}, but the subjects to train on are {sorted(known)}"
        raise UserError(what, fix="Name some of them, not all.")
    if not held_out_subjects:
        for name in np.unique(samples.recordings):
            here = samples.recordings == name
            held_out |= here & (samples.frames >= np.quantile(samples.frames[here], 1 - HELD_OUT))
    if held_out.all():
        return samples, samples
    return samples[~held_out], samples[held_out]


def _provenance(labels: Path, params: TrainParams) -> dict:
    return {"from": "truth"} if params.supervision == "full" else {"from": "labels", **reading(labels, LABELS).attrs}
