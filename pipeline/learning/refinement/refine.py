"""The optional refinement of the 3D network's poses: the steps of the stage `refine` in their order."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline import metrics
from pipeline.alerts import Alert, log_alerts
from pipeline.capture import Recording, read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.files import atomic_write, placeholder_reason, write_placeholder
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.loop import train
from pipeline.learning.engine.validation_split import validation_mask
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.refinement.cross_validation import OutOfFoldPredictor
from pipeline.learning.refinement.refiner import Refiner, RefinerInput, fit_normalisation, refine_poses
from pipeline.learning.refinement.task import PosePairs, RefinerTask, concatenate
from pipeline.learning.supervision import camera_reader, target_reader
from pipeline.learning.training_alerts import NoTrainingDataError
from pipeline.params.refine import RefineParams, RefineSource
from pipeline.params.train import TrainParams
from pipeline.skeleton import ROOT
from pipeline.stores import (
    POSES2D,
    PREDICTIONS,
    Poses2dRecord,
    PredictionRecord,
    PredictionStore,
    RecordingGroup,
    create_store,
    open_store,
)
from pipeline.truth import Truth, open_truth

# The arrays of PREDICTIONS and of POSES2D, of one recording and one person.
PredictedArrays = Mapping[str, np.ndarray] | RecordingGroup[PredictionRecord]
DetectedArrays = RecordingGroup[Poses2dRecord]


def refine_or_explain(
    source: RefineSource, paths: CapturePaths, weights: Path, params: RefineParams, train_params: TrainParams
) -> None:
    """Write the folder of `refine_predictions`, or a placeholder where there is nothing to refine or to train on."""
    missing = placeholder_reason(paths.predictions)
    if missing:
        write_placeholder(paths.refined(source), missing)
        return
    try:
        with atomic_write(paths.refined(source)) as aside:
            aside.mkdir()
            refine_predictions(source, paths, weights, aside, params, train_params)
    except NoTrainingDataError as error:
        alert = Alert(
            kind="not_refined", severity="warning", subject=f"refinement on {source}",
            message="the predictions were not refined", evidence=error.what.rstrip("."), mend=error.fix,
        )  # fmt: skip
        log_alerts([alert])
        write_placeholder(paths.refined(source), error.what, [alert])


def refine_predictions(
    source: RefineSource, paths: CapturePaths, weights: Path, folder: Path, params: RefineParams,
    train_params: TrainParams,
) -> None:  # fmt: skip
    """Train the refinement unit on out-of-fold predictions of training subjects, and refine the network's predictions.

    The folder gets the unit (`refiner.pt`), its curve (`curve.csv`), the refined predictions
    (`predictions.zarr`), and, if there is truth, the errors before and after (`figures.json`). The training of the
    folds' networks takes about twice the time of `train`.
    """
    capture, poses2d = read_capture(paths.frames), open_store(paths.poses2d, POSES2D)
    predictor = OutOfFoldPredictor(capture, poses2d, paths, weights, train_params)
    unit = _trained_unit(*_training_pairs(source, predictor), params, folder / "curve.csv")
    with atomic_write(folder / "refiner.pt") as aside:
        torch.save({"source": source, "weights": unit.state_dict()}, aside)
    before = open_store(paths.predictions, PREDICTIONS)
    recordings = [r for r in capture.recordings if r.name in before]
    summary = before.summary.model_copy(update={"refined_by": source})
    with create_store(folder / "predictions.zarr", PREDICTIONS, summary) as after:
        for recording in recordings:
            _refine(unit, recording, before[recording.name], poses2d[recording.name].person(0), after)
        truth = open_truth(paths.truth, paths.labels, paths.rigs)
        figures = _figures(truth, recordings, {"before": before, "after": after})
    with atomic_write(folder / "figures.json") as aside:
        aside.write_text(json.dumps({f"refine_{source}": figures}, indent=1) + "\n")


def _training_pairs(source: RefineSource, predictor: OutOfFoldPredictor) -> tuple[PosePairs, PosePairs]:
    """Out-of-fold predictions of training recordings with the source's targets, for training and for validation."""
    supervision = "full" if source == "truth" else "self"
    read_targets = target_reader(predictor.params.model_copy(update={"supervision": supervision}), predictor.paths)
    read_cameras = camera_reader(predictor.params, predictor.paths)
    training = training_recordings(predictor.capture, predictor.poses2d, read_targets)
    targets_cam_mm = {recording.name: targets.joints_cam_mm for recording, targets in training}
    parts, samples = [], []
    for recording, arrays in predictor.predict([recording for recording, _ in training]):
        cameras, joints = read_cameras(recording), targets_cam_mm[recording.name]
        detected = predictor.poses2d[recording.name].person(0)
        root = joints[:, :, ROOT : ROOT + 1]
        targets = (joints - root) / root[..., 2:]
        for v in recording.view_indices(for_labels=True):
            parts.append(PosePairs(_refiner_input(cameras[v], v, arrays, detected), targets[:, v]))
            samples += [(recording.name, recording.subject, frame) for frame in range(len(joints))]
    pairs = concatenate(parts)
    usable = np.isfinite(pairs.inputs.poses).all((1, 2)) & np.isfinite(pairs.targets).any((1, 2))
    if not usable.any():
        what = f"None of {len(usable)} out-of-fold predictions has a target of the pelvis"
        raise NoTrainingDataError(what, fix="See the numbers of rejected joints in the report.")
    names, subjects, frames = (np.array(column) for column in zip(*samples, strict=True))
    validation = validation_mask(names, subjects, frames, [])
    training_rows = usable & ~validation if (usable & ~validation).any() else usable  # too few frames to split
    return pairs[training_rows], pairs[usable & validation]


def _trained_unit(training: PosePairs, validation: PosePairs, params: RefineParams, curve: Path) -> Refiner:
    torch.manual_seed(params.seed)
    unit = Refiner()
    fit_normalisation(unit, training.inputs)
    train(unit, RefinerTask(training, validation), params, curve)
    return unit


def _refiner_input(camera: Camera, v: int, predicted: PredictedArrays, detected: DetectedArrays) -> RefinerInput:
    """The unit's input of one view."""
    points_norm, detected_norm = (camera.undistort(arrays["joints_px"][:, v]) for arrays in (predicted, detected))
    depth = 1 + predicted["relative_depth"][:, v, :, None]
    joints = np.concatenate([points_norm, np.ones_like(depth)], -1) * depth
    offsets = (detected_norm - points_norm) * depth
    return RefinerInput(joints - joints[:, ROOT : ROOT + 1], offsets, detected["confidence"][:, v])


def _refine(
    unit: Refiner, recording: Recording, before: RecordingGroup[PredictionRecord], detected: DetectedArrays,
    after: PredictionStore,
) -> None:  # fmt: skip
    """Refine the predictions of a recording; the root's position in the image is unchanged.

    A pose with a joint that has no ray, far outside the image of a lens with distortion, is not refined.
    """
    predicted = before.person(0)
    joints_px, relative_depth = predicted["joints_px"], predicted["relative_depth"]
    for v, camera in enumerate(one.camera for one in before.record.cameras):
        root_norm = camera.undistort(joints_px[:, v, ROOT : ROOT + 1])
        root = np.concatenate([root_norm, np.ones_like(root_norm[..., :1])], -1)
        refined = refine_poses(unit, _refiner_input(camera, v, predicted, detected))
        refined_px = camera.project_cam(root + refined)
        known = np.isfinite(refined_px).all((1, 2))
        joints_px[known, v], relative_depth[known, v] = refined_px[known], refined[known, :, 2]
    sizes = {"frame": len(joints_px), "view": len(recording.views)}
    group = after.create(recording.name, sizes, before.record).person(0)
    for start, stop in group.shards():
        group.write(start, {"joints_px": joints_px[start:stop], "relative_depth": relative_depth[start:stop]})


def _figures(
    truth: Truth | None, recordings: Sequence[Recording], stores: Mapping[str, PredictionStore]
) -> dict[str, dict[str, float]]:
    """N-MPJPE and PA-MPJPE in mm of each store's predictions, at the true depth of the root; empty without truth."""
    known = [recording for recording in recordings if truth is not None and recording in truth]
    if truth is None or not known:
        return {}
    figures: dict[str, dict[str, float]] = {}
    for name, store in stores.items():
        errors = np.concatenate([_errors(recording, store, truth) for recording in known], -1)
        figures[name] = dict(zip(MEASURES, (round(float(m), 2) for m in metrics.mean(errors)), strict=True))
    return figures


# Figure -> function of predicted and true poses.
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "n_mpjpe_mm": metrics.n_mpjpe, "pa_mpjpe_mm": metrics.pa_mpjpe,
}  # fmt: skip


def _errors(recording: Recording, store: PredictionStore, truth: Truth) -> np.ndarray:
    """Errors (measure, frame and view) of a recording's predictions in the labelling views."""
    group, cameras = store[recording.name], truth.cameras(recording)
    joints_px, relative_depth = (group.person(0)[name] for name in ("joints_px", "relative_depth"))
    in_cameras = cameras.to_cameras(truth.joints_world_mm(recording))
    errors = []
    for v in recording.view_indices(for_labels=True):
        if cameras.has_pose[v]:
            true = in_cameras[:, v]
            depth_mm = true[:, ROOT, 2:] * (1 + relative_depth[:, v])
            predicted = group.record.cameras[v].camera.back_project(joints_px[:, v], depth_mm)
            errors.append([measure(predicted, true) for measure in MEASURES.values()])
    return np.concatenate(errors, -1) if errors else np.empty((len(MEASURES), 0))
