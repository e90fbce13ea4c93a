"""The calibration task for cameras that move slowly: one rig per frame of a recording."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.align import rotation_angle
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.rig_windows import find_moving_rig
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import (
    EXPECTED_NOISE,
    Observations,
    assumed_cameras,
    observe,
    observe_landmarks,
    open_detections,
)
from pipeline.labels.people_in_rig import (
    People,
    scale_alerts,
    scale_missing,
    scale_of,
    stds_of,
    vertical_of,
)
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused
from pipeline.params.calibrate import CalibrateParams

# Median distance of normally distributed points in the plane from their mean, in standard deviations.
RAYLEIGH_MEDIAN = 1.1774


def observe_recording(
    recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams
) -> tuple[Observations, tuple[np.ndarray, np.ndarray]]:
    """Observed joints of one person, and normalised points and sigmas of all landmarks."""
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    poses = open_detections(poses2d, recording)
    observed = observe(recording, cameras, poses, rows, min_confidence=params.min_confidence)
    return observed, observe_landmarks(recording, cameras, poses, rows, observed, min_confidence=params.min_confidence)


def moving_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """Calibrate a recording whose cameras move slowly, one rig per frame; the reason if that fails."""
    [recording] = pool
    if not recording.n_frames:
        return refused(recording.name, "it has no frames")
    observed, (points_norm, sigma) = observe_recording(recording, poses2d, (0, recording.n_frames), params)
    results = find_moving_rig(points_norm, sigma, length=params.window_frames, seed=params.seed)
    failed = Counter(result for result in results if isinstance(result, str))
    rigs = [result for result in results if isinstance(result, Rig)]
    if not rigs:
        return refused(recording.name, f"no window could be calibrated: {failed.most_common(1)[0][0]}")
    R, t = np.stack([rig.R for rig in rigs]), np.stack([rig.t for rig in rigs])
    with_rig = observed.taken(np.array([isinstance(result, Rig) for result in results]))
    noise = noise_of_joints(with_rig, R, t)
    people = People.triangulated(with_rig, R, t, noise)
    scale = scale_of([recording], [people], rigs[0], params)
    if not np.isfinite(scale.factor):
        return refused(recording.name, scale_missing(params))
    up = vertical_of(recording, [people], rigs[0], params)
    upright = [
        rig.scaled(scale.factor).in_axes(up.axes, np.zeros(3)) if isinstance(rig, Rig) else None for rig in results
    ]
    fields = fields_of_rigs(recording, params, rigs, failed) | {
        "gravity": up.source, "noise_share": EXPECTED_NOISE * noise, "moved_deg": _largest_rotation_deg(R),
        **stds_of(scale, up),
    }  # fmt: skip
    alerts = scale_alerts(recording.name, scale, params)
    return CalibrationResult(arrays_of(upright, observed.focal_px), fields, alerts)


def noise_of_joints(observed: Observations, R: np.ndarray, t: np.ndarray) -> float:
    """Standard deviation of the joints' residuals as a multiple of the expected sigma, with one rig per frame."""
    joints = triangulation.robust(observed.points_norm, observed.sigma, R, t)
    distance, _ = reprojection.residuals(joints, observed.points_norm, R, t)
    seen = np.isfinite(distance) & np.isfinite(observed.sigma)
    freedom = 1 - 1.5 * float(seen.any(-1).sum()) / max(float(seen.sum()), 1.0)
    median = float(np.median((distance / observed.sigma)[seen])) if seen.any() else RAYLEIGH_MEDIAN
    return median / RAYLEIGH_MEDIAN / float(np.sqrt(max(freedom, 0.1)))


def _largest_rotation_deg(R: np.ndarray) -> float | None:
    """The largest rotation of a camera, degrees, between the first and any other frame of R (F, V, 3, 3)."""
    angle = rotation_angle(R @ np.swapaxes(R[:1], -1, -2))
    return float(np.degrees(np.nanmax(angle))) if np.isfinite(angle).any() else None


def fields_of_rigs(
    recording: Recording, params: CalibrateParams, rigs: Sequence[Rig], failed: Counter[str]
) -> dict[str, Any]:
    """The fields of the record of one rig per frame, without the cameras."""
    known = np.any([rig.has_extrinsics for rig in rigs], axis=0)
    return {
        "mode": params.mode, "moving": True, "scale": params.scale, "gravity": "none", "pool": [recording.name],
        "focal": "exact", "focal_scale": [1.0] * len(known), "focal_std": [0.0] * len(known),
        "ignore_distortion": params.ignore_distortion,
        "failed_frames": dict(failed), "n_frames": len(rigs), "n_poses": None, "parallax_deg": None, "moved_deg": None,
        "views_left_out": [recording.views[v].name for v in recording.view_indices(for_labels=True) if not known[v]],
        "inlier_share": float(np.mean([np.nanmean(rig.inlier_share) for rig in rigs])),
        "noise_share": EXPECTED_NOISE * float(np.median([rig.noise for rig in rigs])),
    }  # fmt: skip
