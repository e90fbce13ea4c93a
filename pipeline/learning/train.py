"""Training of the 3D network on cached labels, and its predictions: the stage in the order things happen."""

from pathlib import Path

import numpy as np

from pipeline.capture import read_capture
from pipeline.learning.checkpoints import save_network
from pipeline.learning.crops import MARGIN
from pipeline.learning.curves import curve_file
from pipeline.learning.initial import initial_network
from pipeline.learning.loop import COLUMNS, train
from pipeline.learning.predict import predict_recordings
from pipeline.learning.samples import Samples, training_samples
from pipeline.params import TrainParams
from pipeline.stores import LABELS, POSES2D, reading

# Share of every recording's frames, at its end, that is not trained on and gives the curve's error.
HELD_OUT = 0.05


def train_network(
    frames: Path, poses2d: Path, labels: Path, detector: Path, model: Path, predictions: Path, curve: Path,
    params: TrainParams,
) -> None:  # fmt: skip
    """Train the 3D network, write its checkpoint and curve, and predict every view of the test recordings.

    Where there are no test recordings the training ones are predicted; the store's `split` says which.
    """
    capture = read_capture(frames)
    detections = reading(poses2d, POSES2D)
    network = initial_network(params, detector)
    samples = training_samples(capture, frames, labels, detections, params.supervision)
    trained, held_out = split(samples)
    with curve_file(curve, COLUMNS) as rows:
        train(network, trained, held_out, params, rows)
    save_network(
        model, network, input_px=params.input_px, margin=MARGIN, params=params.model_dump(),
        labels=_provenance(labels, params), images=len(trained),
    )  # fmt: skip
    tested = [r for r in capture.recordings if r.split == "test" and r.name in detections]
    chosen = tested or [r for r in capture.recordings if r.name in detections]
    predict_recordings(
        network, chosen, detections, params.input_px, predictions,
        flip_test=params.flip_test, split="test" if tested else "train", supervision=params.supervision,
    )  # fmt: skip


def split(samples: Samples) -> tuple[Samples, Samples]:
    """Training and held-out samples: the last frames of every recording are held out, in all views."""
    held_out = np.zeros(len(samples), bool)
    for name in np.unique(samples.recordings):
        here = samples.recordings == name
        held_out |= here & (samples.frames >= np.quantile(samples.frames[here], 1 - HELD_OUT))
    if held_out.all():
        return samples, samples
    return samples[~held_out], samples[held_out]


def _provenance(labels: Path, params: TrainParams) -> dict:
    return {"from": "truth"} if params.supervision == "full" else {"from": "labels", **reading(labels, LABELS).attrs}
