"""2D poses from the truth of a capture, with errors of known size: for studies of what detections cost."""

import zlib
from pathlib import Path

import numpy as np

from pipeline.alerts import log_alerts
from pipeline.capture import Recording, read_capture
from pipeline.errors import UserError
from pipeline.labels.poses2d.result import report_detections
from pipeline.params.detect import Gt2dParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import (
    POSES2D,
    TRUTH,
    Poses2dRecord,
    Poses2dStore,
    Poses2dSummary,
    TruthStore,
    create_store,
    open_store,
)

FRAMES_PER_BLOCK = 1024
# Outliers lie this far from the joint, in any direction, in heights of the person, and are this sure.
OUTLIER_DISTANCE, OUTLIER_CONFIDENCE = (0.1, 0.5), (0.25, 0.7)


def project_truth(frames: Path, poses2d: Path, params: Gt2dParams) -> None:
    """Project the true joints of every packed frame into its views, add errors, and write the store of 2D poses.

    There are no landmarks besides the joints. Raises UserError if the footage has no truth or no extrinsics, or if the
    truth is not in their world.
    """
    capture = read_capture(frames.resolve())
    path = frames.resolve() / "truth.zarr"
    if not path.exists():
        fix = "Choose another detect.detector, or add files of true joints."
        raise UserError("detect.detector = gt2d needs truth, which the footage does not have", fix=fix)
    truth = open_store(path, TRUTH)
    if truth.summary.is_aligned:
        fix = "See capture.truth.coordinates, or choose another detect.detector."
        raise UserError("detect.detector = gt2d needs truth in the world of the extrinsics", fix=fix)
    with create_store(poses2d.resolve(), POSES2D) as store:
        records = [_write(store, recording, truth, params) for recording in capture.recordings]
        alerts = report_detections(capture, records, "The truth")
        log_alerts(alerts)
        provenance = {"name": "gt2d", **{name: str(value) for name, value in params.model_dump().items()}}
        store.write_summary(Poses2dSummary(detector=provenance, alerts=alerts))


def _write(store: Poses2dStore, recording: Recording, truth: TruthStore, params: Gt2dParams) -> Poses2dRecord:
    """Write the 2D poses of a recording and return its record."""
    names = [view.name for view in recording.views]
    without = [view.name for view in recording.views if not view.camera.has_extrinsics]
    if without:
        what = f"detect.detector = gt2d needs extrinsics, which {', '.join(without)} does not have"
        raise UserError(what, where=recording.name, fix="Add them to the calibration file.")
    starts = range(0, recording.n_frames, FRAMES_PER_BLOCK)
    blocks = [(start, min(start + FRAMES_PER_BLOCK, recording.n_frames)) for start in starts]
    found = sum(np.isfinite(_projected(recording, truth, *block)).any((2, 3)).sum(0) for block in blocks)
    record = Poses2dRecord(
        persons=[recording.subject], views=names, found=dict(zip(names, np.asarray(found).tolist(), strict=True)),
        crashed=dict.fromkeys(names, 0),
    )  # fmt: skip
    group = store.create(recording.name, {"frame": recording.n_frames, "view": len(names)}, record).person(0)
    for start, stop in group.shards():
        rng = np.random.default_rng([params.seed, zlib.crc32(recording.name.encode()), start])
        arrays = add_errors(_projected(recording, truth, start, stop), params, rng)
        group.write(start, {name: values.astype(np.float32) for name, values in arrays.items()})
    return record


def _projected(recording: Recording, truth: TruthStore, start: int, stop: int) -> np.ndarray:
    """Pixels (F, V, J, 2) of the true joints of some frames; NaN where there is no truth, or behind the camera."""
    px = np.full((stop - start, len(recording.views), N_JOINTS, 2), np.nan)
    if recording.name not in truth:
        return px
    joints = truth[recording.name].person(0).rows("joints_world_mm", start, stop).astype(float)
    for v, view in enumerate(recording.views):
        in_camera = view.camera.to_camera(joints)
        is_before = in_camera[..., 2] > 0
        px[:, v] = np.where(is_before[..., None], view.camera.project_cam(in_camera), np.nan)
    return px


def add_errors(px: np.ndarray, params: Gt2dParams, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Joints, confidence and boxes from true joints (F, V, J, 2) in pixels; NaN: missing.

    Errors are independent between joints, views and frames, and in proportion to the person's height in the image. The
    box is that of the true joints.
    """
    known = np.isfinite(px).all(-1)
    low = np.where(known[..., None], px, np.inf).min(2)
    high = np.where(known[..., None], px, -np.inf).max(2)
    is_there = known.any(-1)
    height = np.where(is_there, high[..., 1] - low[..., 1], 0.0)[..., None]
    noisy = px + rng.normal(size=px.shape) * params.noise * height[..., None]
    angle = rng.uniform(0, 2 * np.pi, known.shape)
    distance = rng.uniform(*OUTLIER_DISTANCE, known.shape) * height
    is_outlier = rng.random(known.shape) < params.outliers
    moved = px + distance[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    noisy = np.where(is_outlier[..., None], moved, noisy)
    confidence = np.where(is_outlier, rng.uniform(*OUTLIER_CONFIDENCE, known.shape), 1.0)
    is_found = known & (rng.random(known.shape) >= params.missing)
    return {
        "joints_px": np.where(is_found[..., None], noisy, np.nan),
        "confidence": np.where(is_found, confidence, 0.0),
        "box_px": np.where(is_there[..., None], np.concatenate([low, high], -1), np.nan),
    }
