"""The optional refinement of the 3D network's poses: the stage in the order things happen."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from pipeline import metrics
from pipeline.capture import Recording, read_capture
from pipeline.files import atomic_write
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.loop import train
from pipeline.learning.engine.validation_split import validation
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.refinement.cross_validation import OutOfFoldPredictor
from pipeline.learning.refinement.refiner import Given, PosePairs, Refiner, RefinerTask, joined, refined, z_scored
from pipeline.learning.supervision import CapturePaths, camera_source, target_source
from pipeline.params.refine import RefineParams, RefineSource
from pipeline.params.train import TrainParams
from pipeline.skeleton import ROOT
from pipeline.stores import (
    POSES2D,
    PREDICTIONS,
    TRUTH,
    Poses2dRecord,
    PredictionRecord,
    PredictionStore,
    RecordingGroup,
    create_store,
    open_store,
)

Arrays = Mapping[str, np.ndarray] | RecordingGroup[PredictionRecord]  # those of PREDICTIONS, of one recording


def refine_predictions(
    source: RefineSource, paths: CapturePaths, poses2d: Path, detector: Path, model: Path, predictions: Path,
    refiner: Path, improved: Path, figures: Path, curve: Path, params: RefineParams, train_params: TrainParams,
) -> None:  # fmt: skip
    """Train the refinement unit on what the network says of unknown training subjects, and improve its predictions.

    Networks like it are trained for that, each without a part of the subjects, in about twice the time of `train`.
    The figures name the source of the training's targets, and errors before and after where there is truth.
    """
    capture, detections = read_capture(paths.frames), open_store(poses2d, POSES2D)
    network = OutOfFoldPredictor(capture, detections, paths, detector, model, train_params)
    unit = _trained(*_training_pairs(source, network), params, curve, source)
    with atomic_write(refiner) as aside:
        torch.save({"source": source, "weights": unit.state_dict()}, aside)
    given = open_store(predictions, PREDICTIONS)
    recordings = [r for r in capture.recordings if r.name in given]
    with create_store(improved, PREDICTIONS, given.summary.model_copy(update={"refined_by": source})) as store:
        for recording in recordings:
            _improve(unit, recording, given[recording.name], detections[recording.name].person(0), store)
        measured = _measured(paths.frames / "truth.zarr", recordings, {"before": given, "after": store})
    with atomic_write(figures) as aside:
        aside.write_text(json.dumps({f"refine_{source}": measured}, indent=1) + "\n")


def _training_pairs(source: RefineSource, network: OutOfFoldPredictor) -> tuple[PosePairs, PosePairs]:
    """Poses of training recordings as the network would see them and as the source has them.

    To train on, and those at the recordings' ends.
    """
    supervision = "full" if source == "truth" else "self"
    teach = target_source(network.params.model_copy(update={"supervision": supervision}), network.paths)
    taught = training_recordings(network.capture, network.detections, teach)
    wanted_cam_mm = {recording.name: targets.joints_cam_mm for recording, targets in taught}
    seen_by = camera_source(network.params, network.paths)
    found, metadata = [], []
    for recording, arrays in network.unseen([recording for recording, _ in taught]):
        joints, detected = wanted_cam_mm[recording.name], network.detections[recording.name].person(0)
        cameras = seen_by(recording)
        root = joints[:, :, ROOT : ROOT + 1]
        for v in recording.view_indices(for_labels=True):
            found.append(PosePairs(_given(cameras[v], v, arrays, detected), ((joints - root) / root[..., 2:])[:, v]))
            metadata += [(recording.name, recording.subject, frame) for frame in range(len(joints))]
    pairs = joined(found)
    usable = np.isfinite(pairs.given.poses).all((1, 2)) & np.isfinite(pairs.wanted).any((1, 2))
    names, subjects, frames = (np.array(column) for column in zip(*metadata, strict=True))
    apart = validation(names, subjects, frames, [])
    return pairs[usable & ~apart], pairs[usable & apart]


def _trained(trained: PosePairs, held: PosePairs, params: RefineParams, curve: Path, source: RefineSource) -> Refiner:
    torch.manual_seed(params.seed)
    unit = Refiner()
    z_scored(unit, trained.given)
    train(unit, RefinerTask(trained, held), params, curve, source=source)
    return unit


def _given(camera: Camera, v: int, arrays: Arrays, detected: RecordingGroup[Poses2dRecord]) -> Given:
    """The poses of one view, from the arrays of PREDICTIONS and POSES2D of one person."""
    points_norm, seen = (camera.undistort(values["joints_px"][:, v]) for values in (arrays, detected))
    depth = 1 + arrays["relative_depth"][:, v, :, None]
    joints = np.concatenate([points_norm, np.ones_like(depth)], -1) * depth
    return Given(joints - joints[:, ROOT : ROOT + 1], (seen - points_norm) * depth, detected["confidence"][:, v])


def _improve(
    unit: Refiner, recording: Recording, given: RecordingGroup[PredictionRecord],
    detected: RecordingGroup[Poses2dRecord], store: PredictionStore,
) -> None:  # fmt: skip
    """Refine the predictions of a recording; the root stays where it was seen."""
    arrays = given.person(0)
    joints_px, relative_depth = arrays["joints_px"], arrays["relative_depth"]
    for v, camera in enumerate(one.camera for one in given.record.cameras):
        ray = camera.undistort(joints_px[:, v, ROOT : ROOT + 1])
        root = np.concatenate([ray, np.ones_like(ray[..., :1])], -1)
        better = refined(unit, _given(camera, v, arrays, detected))
        joints_px[:, v], relative_depth[:, v] = camera.project_cam(root + better), better[..., 2]
    sizes = {"frame": len(joints_px), "view": len(recording.views)}
    group = store.create(recording.name, sizes, given.record).person(0)
    for start, stop in group.shards():
        group.write(start, {"joints_px": joints_px[start:stop], "relative_depth": relative_depth[start:stop]})


def _measured(
    truth: Path, recordings: list[Recording], stores: dict[str, PredictionStore]
) -> dict[str, dict[str, float]]:
    """N-MPJPE and PA-MPJPE in mm of each store's predictions, at the true depth of the root; nothing without truth."""
    if not truth.exists():
        return {}
    true = open_store(truth, TRUTH)
    found: dict[str, dict[str, float]] = {}
    for name, store in stores.items():
        errors = np.concatenate([_errors(r, store, true[r.name].person(0)["joints_world_mm"]) for r in recordings], -1)
        found[name] = dict(zip(MEASURES, (round(float(m), 2) for m in metrics.mean(errors)), strict=True))
    return found


# The figures, each by its function of predicted and true poses.
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "n_mpjpe_mm": metrics.n_mpjpe, "pa_mpjpe_mm": metrics.pa_mpjpe,
}  # fmt: skip


def _errors(recording: Recording, store: PredictionStore, joints_world_mm: np.ndarray) -> np.ndarray:
    """The figures (figure, frame and view) of a recording, of the views that labels may be made from."""
    group = store[recording.name]
    joints_px, relative_depth = (group.person(0)[name] for name in ("joints_px", "relative_depth"))
    errors = []
    for v in recording.view_indices(for_labels=True):
        camera = recording.views[v].camera
        if camera.has_extrinsics:
            true = camera.to_camera(joints_world_mm)
            depth_mm = true[:, ROOT, 2:] * (1 + relative_depth[:, v])
            predicted = group.record.cameras[v].camera.back_project(joints_px[:, v], depth_mm)
            errors.append([measure(predicted, true) for measure in MEASURES.values()])
    return np.concatenate(errors, -1) if errors else np.empty((len(MEASURES), 0))
