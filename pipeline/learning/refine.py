"""The optional refinement of the 3D network's poses: the stage in the order things happen."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from pipeline import metrics
from pipeline.capture import Recording, read_capture
from pipeline.learning.checkpoints import load_network
from pipeline.learning.device import choose_device, place
from pipeline.learning.held_out import held_out
from pipeline.learning.loop import train
from pipeline.learning.refiner import PosePairs, Refiner, RefinerLesson, refined, z_scored
from pipeline.learning.samples import taught_recordings
from pipeline.learning.teachers import Sources, teacher
from pipeline.learning.train import METHODS
from pipeline.params import RefineParams, RefineSource, TrainParams
from pipeline.progress import progress
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stage import whole
from pipeline.stores import POSES2D, PREDICTIONS, TRUTH, RecordingGroup, Store, reading, writing


def refine_predictions(
    source: RefineSource, sources: Sources, poses2d: Path, detector: Path, model: Path, predictions: Path,
    refiner: Path, improved: Path, figures: Path, curve: Path, params: RefineParams, train_params: TrainParams,
) -> None:  # fmt: skip
    """Train the refinement unit on the network's poses of the training recordings and improve its predictions.

    The figures name the source of the training's targets, and errors before and after where there is truth.
    """
    pairs = _training_pairs(source, sources, poses2d, detector, model, train_params)
    unit = _trained(*pairs, params, curve, source)
    with whole(refiner) as aside:
        torch.save({"source": source, "weights": unit.state_dict()}, aside)
    given = reading(predictions, PREDICTIONS)
    recordings = [r for r in read_capture(sources.frames).recordings if r.name in given]
    with writing(improved, PREDICTIONS, source=source) as store:
        for recording in recordings:
            _improve(unit, recording, given, store)
        measured = _measured(sources.frames / "truth.zarr", recordings, {"before": given, "after": store})
    with whole(figures) as aside:
        aside.write_text(json.dumps({"source": source, **measured}, indent=1) + "\n")


def _training_pairs(
    source: RefineSource, sources: Sources, poses2d: Path, detector: Path, model: Path, train_params: TrainParams
) -> tuple[PosePairs, PosePairs]:
    """The network's poses of the training recordings and the source's: to train on, and kept out as in `train`."""
    capture, detections = read_capture(sources.frames), reading(poses2d, POSES2D)
    method = METHODS[train_params.model](capture, detections, sources, detector, train_params)
    network, _ = load_network(model, type(method.network))
    method.network.load_state_dict(network.state_dict())
    place(method.network, choose_device()).eval()
    supervision = "full" if source == "truth" else "self"
    teach = teacher(train_params.model_copy(update={"supervision": supervision}), sources)
    predicted, wanted, about = [], [], []
    for recording, lessons in progress(taught_recordings(capture, detections, teach), "refine", unit="recording"):
        poses, joints = _poses(recording, method.predict(recording)), lessons.joints_cam_mm
        root = joints[:, :, ROOT : ROOT + 1]
        for v in recording.cameras(labelling=True):
            predicted.append(poses[:, v])
            wanted.append(((joints - root) / root[..., 2:])[:, v])
            about += [(recording.name, recording.subject, frame) for frame in range(len(joints))]
    pairs = PosePairs(np.concatenate(predicted), np.concatenate(wanted))
    usable = np.isfinite(pairs.predicted).all((1, 2)) & np.isfinite(pairs.wanted).any((1, 2))
    names, subjects, frames = (np.array(column) for column in zip(*about, strict=True))
    apart = held_out(names, subjects, frames, train_params.held_out_subjects)
    return pairs[usable & ~apart], pairs[usable & apart]


def _trained(trained: PosePairs, held: PosePairs, params: RefineParams, curve: Path, source: RefineSource) -> Refiner:
    torch.manual_seed(params.seed)
    unit = Refiner()
    z_scored(unit, trained.predicted)
    train(unit, RefinerLesson(trained, held), params, curve, source=source)
    return unit


def _poses(recording: Recording, arrays: Mapping[str, np.ndarray] | RecordingGroup) -> np.ndarray:
    """Root-relative poses (F, V, 17, 3) over the root's depth, from the arrays of PREDICTIONS."""
    cameras = [view.camera for view in recording.views]
    rays = np.stack([c.undistort(arrays["joints_px"][:, v]) for v, c in enumerate(cameras)], 1)
    joints = np.concatenate([rays, np.ones_like(rays[..., :1])], -1) * (1 + arrays["relative_depth"])[..., None]
    return joints - joints[..., ROOT : ROOT + 1, :]


def _improve(unit: Refiner, recording: Recording, given: Store, store: Store) -> None:
    """Refine the predictions of a recording; the root stays where it was seen."""
    poses = _poses(recording, given[recording.name])
    better = refined(unit, poses.reshape(-1, N_JOINTS, 3)).reshape(poses.shape)
    joints_px = given[recording.name]["joints_px"]
    for v, view in enumerate(recording.views):
        camera = view.camera
        ray = camera.undistort(joints_px[:, v, ROOT : ROOT + 1])
        root = np.concatenate([ray, np.ones_like(ray[..., :1])], -1)
        joints_px[:, v] = camera.project_cam(root + better[:, v])
    group = store.create(recording.name, {"frame": len(poses), "view": len(recording.views)})
    for start, stop in group.shards():
        group.write(start, {"joints_px": joints_px[start:stop], "relative_depth": better[start:stop, ..., 2]})


def _measured(truth: Path, recordings: list[Recording], stores: dict[str, Store]) -> dict[str, dict[str, float]]:
    """N-MPJPE and PA-MPJPE in mm of each store's predictions, at the true depth of the root; nothing without truth."""
    if not truth.exists():
        return {}
    true = reading(truth, TRUTH)
    found: dict[str, dict[str, float]] = {}
    for name, store in stores.items():
        errors = np.concatenate([_errors(r, store, true[r.name]["joints_world_mm"]) for r in recordings], -1)
        found[name] = dict(zip(MEASURES, (round(float(m), 2) for m in metrics.mean(errors)), strict=True))
    return found


# The figures, each by its function of predicted and true poses.
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "n_mpjpe_mm": metrics.n_mpjpe, "pa_mpjpe_mm": metrics.pa_mpjpe,
}  # fmt: skip


def _errors(recording: Recording, store: Store, joints_world_mm: np.ndarray) -> np.ndarray:
    """The figures (figure, frame and view) of a recording, of the views that labels may be made from."""
    joints_px, relative_depth = (store[recording.name][name] for name in ("joints_px", "relative_depth"))
    errors = []
    for v in recording.cameras(labelling=True):
        camera = recording.views[v].camera
        if camera.known:
            true = camera.to_camera(joints_world_mm)
            predicted = camera.back_project(joints_px[:, v], true[:, ROOT, 2:] * (1 + relative_depth[:, v]))
            errors.append([measure(predicted, true) for measure in MEASURES.values()])
    return np.concatenate(errors, -1) if errors else np.empty((len(MEASURES), 0))
