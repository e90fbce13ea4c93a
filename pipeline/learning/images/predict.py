"""Predictions of the volumetric network: of single crops, of samples, and of whole recordings into a store."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import nn

from pipeline.capture import Recording
from pipeline.learning.engine.device import as_input, choose_device, precision
from pipeline.learning.engine.loader import batches
from pipeline.learning.images.networks import expectation
from pipeline.learning.images.samples import Samples
from pipeline.learning.images.targets import mirror_cube, pose_of_cube
from pipeline.learning.supervision import CameraReader
from pipeline.progress import progress
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import PREDICTIONS, CameraRecord, PredictionRecord, PredictionsSummary, create_store
from pipeline.video.packing import PackedFrames

BATCH = 64


@torch.inference_mode()
def predict_cubes(
    network: nn.Module, images: UInt8[np.ndarray, "batch side side 3"], *, flip_test: bool
) -> Float[np.ndarray, "batch 17 3"]:
    """Positions of the joints in the unit cube of crops, with the flip test averaged with the mirror image's."""
    device = choose_device()
    with precision(device)():
        cubes = expectation(network(as_input(images, device))).double().cpu().numpy()
        if flip_test:
            mirror = np.ascontiguousarray(images[:, :, ::-1])
            mirror_cubes = expectation(network(as_input(mirror, device))).double().cpu().numpy()
            cubes = (cubes + mirror_cube(mirror_cubes)) / 2
    return cubes


def predict_samples(
    network: nn.Module, samples: Samples, input_px: int, *, flip_test: bool
) -> tuple[Float[np.ndarray, "sample 17 2"], Float[np.ndarray, "sample 17"]]:
    """Joints in pixels and depths relative to the root's; NaN if the detector found no person."""
    joints_px, relative_depth = np.full((len(samples), N_JOINTS, 2), np.nan), np.full((len(samples), N_JOINTS), np.nan)
    rows = np.flatnonzero(samples.has_person)
    packs: dict[str, PackedFrames] = {}

    def make(row: int, _: np.random.Generator) -> tuple[np.ndarray, ...]:
        image = open_pack(packs, samples.files[row])[int(samples.frames[row])]
        return samples.crop(row).cut(image, input_px), np.array(row)

    network.eval()
    for images, batch_rows in batches(make, [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)], seed=(0,)):
        cubes = predict_cubes(network, images, flip_test=flip_test)
        for row, cube in zip(batch_rows.tolist(), cubes, strict=True):
            joints_px[row], relative_depth[row] = pose_of_cube(samples.crop(row), cube, float(samples.focal_px[row]))
    # Depths are relative to the predicted root, so the root's depth is zero.
    root = relative_depth[:, ROOT : ROOT + 1]
    return joints_px, (relative_depth - root) / (1 + root)


def open_pack(packs: dict[str, PackedFrames], file: str) -> PackedFrames:
    """The packed frames of a file, opened once."""
    if file not in packs:
        packs[file] = PackedFrames(Path(file))
    return packs[file]


def predict_views(
    network: nn.Module, views: Iterable[Samples], input_px: int, *, flip_test: bool
) -> dict[str, np.ndarray]:
    """The arrays of PREDICTIONS of a recording, from the samples of each of its views."""
    predicted = [predict_samples(network, samples, input_px, flip_test=flip_test) for samples in views]
    joints_px, relative_depth = (np.stack(values, 1) for values in zip(*predicted, strict=True))
    return {"joints_px": joints_px, "relative_depth": relative_depth}


def write_predictions(
    predict: Callable[[Recording], dict[str, np.ndarray]], read_cameras: CameraReader, recordings: Sequence[Recording],
    path: Path, summary: PredictionsSummary,
) -> None:  # fmt: skip
    """Write the predictions of recordings, made by `predict`, and the cameras that they are made with."""
    with create_store(path, PREDICTIONS, summary) as store:
        for recording in progress(recordings, "predict", unit="recording"):
            arrays = predict(recording)
            sizes = {"frame": recording.n_frames, "view": len(recording.views)}
            views = zip(recording.views, read_cameras(recording), strict=True)
            cameras = [CameraRecord.of(view.name, camera) for view, camera in views]
            record = PredictionRecord(persons=[recording.subject], cameras=cameras)
            group = store.create(recording.name, sizes, record).person(0)
            for start, stop in group.shards():
                group.write(start, {name: values[start:stop] for name, values in arrays.items()})
