"""Predictions of the 3D network: of single crops, and of whole recordings into a store."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.capture import Recording
from pipeline.learning.engine.device import as_input, choose_device, precision
from pipeline.learning.engine.loader import batches
from pipeline.learning.images.networks import expectation
from pipeline.learning.images.samples import Samples
from pipeline.learning.images.targets import mirror_cube, pose_of_cube
from pipeline.learning.supervision import CameraSource
from pipeline.progress import progress
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import PREDICTIONS, CameraRecord, PredictionRecord, PredictionsSummary, create_store
from pipeline.video.packing import PackedFrames

BATCH = 64


@torch.inference_mode()
def predict_cubes(network: nn.Module, images: np.ndarray, *, flip_test: bool) -> np.ndarray:
    """Positions (B, 17, 3) in the unit cube of crops (B, S, S, 3); with the flip test, averaged with the mirror's."""
    device = choose_device()
    with precision(device)():
        cubes = expectation(network(as_input(images, device))).double().cpu().numpy()
        if not flip_test:
            return cubes
        mirror = np.ascontiguousarray(images[:, :, ::-1])
        return (cubes + mirror_cube(expectation(network(as_input(mirror, device))).double().cpu().numpy())) / 2


def predict_samples(
    network: nn.Module, samples: Samples, input_px: int, *, flip_test: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 17, 2) in pixels and relative depths (N, 17); NaN where the detector found no person."""
    joints_px, relative_depth = np.full((len(samples), N_JOINTS, 2), np.nan), np.full((len(samples), N_JOINTS), np.nan)
    rows = np.flatnonzero(samples.seen)
    packs: dict[str, PackedFrames] = {}

    def make(row: int, _: np.random.Generator) -> tuple[np.ndarray, ...]:
        image = opened(packs, samples.files[row])[int(samples.frames[row])]
        return samples.crop(row).cut(image, input_px), np.array(row)

    network.eval()
    for images, here in batches(make, [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)], seed=(0,)):
        cubes = predict_cubes(network, images, flip_test=flip_test)
        for row, cube in zip(here, cubes, strict=True):
            joints_px[row], relative_depth[row] = pose_of_cube(samples.crop(row), cube, samples.focal_px[row])
    # Depths are from the root as predicted, so that its own is zero.
    root = relative_depth[:, ROOT : ROOT + 1]
    return joints_px, (relative_depth - root) / (1 + root)


def opened(packs: dict[str, PackedFrames], file: str) -> PackedFrames:
    """The packed frames of a file, opened once."""
    if file not in packs:
        packs[file] = PackedFrames(Path(file))
    return packs[file]


def predict_views(
    network: nn.Module, views: Iterable[Samples], input_px: int, *, flip_test: bool
) -> dict[str, np.ndarray]:
    """The arrays of PREDICTIONS of a recording, from the samples of each of its views."""
    found = [predict_samples(network, samples, input_px, flip_test=flip_test) for samples in views]
    joints_px, relative_depth = (np.stack(values, 1) for values in zip(*found, strict=True))
    return {"joints_px": joints_px, "relative_depth": relative_depth}


def write_predictions(
    predict: Callable[[Recording], dict[str, np.ndarray]], cameras: CameraSource, recordings: Sequence[Recording],
    path: Path, summary: PredictionsSummary,
) -> None:  # fmt: skip
    """Write what `predict` sees in the recordings by the cameras, the arrays of PREDICTIONS."""
    with create_store(path, PREDICTIONS, summary) as store:
        for recording in progress(recordings, "predict", unit="recording"):
            arrays = predict(recording)
            sizes = {"frame": recording.n_frames, "view": len(recording.views)}
            seen_by = zip(recording.views, cameras(recording), strict=True)
            record = PredictionRecord(
                persons=[recording.subject], cameras=[CameraRecord.of(view.name, camera) for view, camera in seen_by]
            )
            group = store.create(recording.name, sizes, record).person(0)
            for start, stop in group.shards():
                group.write(start, {name: values[start:stop] for name, values in arrays.items()})
