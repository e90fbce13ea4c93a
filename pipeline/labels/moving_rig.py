"""Calibration tasks for moving cameras: one rig per frame of a recording."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.align import nearest_rotation, rig_similarity, rotation_angle
from pipeline.geometry.body.scale import Scale
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.rig_windows import find_moving_rig
from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe, observe_landmarks
from pipeline.labels.people_in_rig import (
    People,
    people_of,
    scale_alerts,
    scale_missing,
    scale_of,
    stds_of,
    vertical_of,
)
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, open_store

# Median distance of normally distributed points in the plane from their mean, in standard deviations.
RAYLEIGH_MEDIAN = 1.1774
# Passes of the alternation between the mean rig and the rigs aligned to it.
PASSES_TO_MEAN_RIG = 4


@dataclass(frozen=True)
class FrameRigs:
    """The rigs of some frames, each calibrated from its own frame: each has its own world frame, in mm."""

    rigs: list[Rig | None]  # of each frame
    failed: Counter[str]  # number of frames without a rig, by reason
    focal_px: np.ndarray  # (V,)
    scale_stds: list[float]  # relative standard deviation of the scale of each rig


def rigs_of_frames(recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams) -> FrameRigs:
    """Calibrate each frame of the rows (start, stop) on its own, each with its own scale."""
    observed, _ = _observe(recording, poses2d, rows, params)
    failed: Counter[str] = Counter()
    rigs: list[Rig | None] = []
    scale_stds: list[float] = []
    for f, result in enumerate(find_rigs(observed.points_norm, observed.sigma, seed=params.seed)):
        rig = None
        if isinstance(result, str):
            failed[result] += 1
        else:
            scale = scale_of([recording], [people_of(observed.taken(np.array([f])), result)], result, params)
            if np.isfinite(scale.factor):
                rig = result.scaled(scale.factor)
                scale_stds.append(scale.std)
            else:
                failed[scale_missing(params)] += 1
        rigs.append(rig)
    return FrameRigs(rigs, failed, observed.focal_px, scale_stds)


def joined_frames(
    recording: Recording, parts: Sequence[FrameRigs], params: CalibrateParams
) -> CalibrationResult | Refused:
    """The rigs of all frames of a recording in one world; if no frame has a rig, the most frequent reason."""
    if not parts:
        return refused(recording.name, "it has no frames")
    rigs = [rig for part in parts for rig in part.rigs]
    failed = sum((part.failed for part in parts), Counter[str]())
    if not any(rigs):
        return refused(recording.name, f"no frame could be calibrated: {failed.most_common(1)[0][0]}")
    aligned = in_one_world(rigs)
    good = [rig for rig in aligned if rig is not None]
    n_unaligned = sum(rig is not None for rig in rigs) - len(good)
    if n_unaligned:
        failed["it shares fewer than two cameras with the other frames"] += n_unaligned
    # Each frame has its own scale, and the person's proportions make the same error in all of them.
    scale = Scale(1.0, float(np.median([std for part in parts for std in part.scale_stds])))
    fields = _fields(recording, params, good, failed) | stds_of(scale, None)
    return CalibrationResult(
        arrays_of(aligned, parts[0].focal_px), fields, scale_alerts(recording.name, scale, params)
    )


def in_one_world(rigs: Sequence[Rig | None]) -> list[Rig | None]:
    """Bring the rigs of the frames of a recording into one world; each keeps its own scale.

    The world frame of a rig found from one frame is the frame of one of its cameras. Here each rig is aligned rigidly
    to the mean rig, which has the mean rotation and the mean centre of each camera. The alternation of aligning and
    averaging is generalised Procrustes analysis. A rig that shares fewer than two cameras with the mean rig becomes
    None.
    """
    found = [rig for rig in rigs if rig is not None]
    first = max(found, key=lambda rig: int(rig.has_extrinsics.sum()))
    R, centers = first.R, first.centers
    aligned: list[Rig | None] = list(rigs)
    for _ in range(PASSES_TO_MEAN_RIG):
        aligned = [None if rig is None else _aligned(rig, R, centers) for rig in rigs]
        R, centers = _mean_rig([rig for rig in aligned if rig is not None])
    return aligned


def _aligned(rig: Rig, R: np.ndarray, centers: np.ndarray) -> Rig | None:
    """A rig aligned rigidly to the rig R (V, 3, 3), centers (V, 3); None if they share fewer than two cameras."""
    shared = rig.has_extrinsics & np.isfinite(centers).all(-1)
    if shared.sum() < 2:
        return None
    _, Q, _ = rig_similarity(rig.R, rig.centers, R, centers)
    shift = centers[shared].mean(0) - Q @ rig.centers[shared].mean(0)
    return rig.in_axes(Q.T, -Q.T @ shift)


def _mean_rig(rigs: Sequence[Rig]) -> tuple[np.ndarray, np.ndarray]:
    """The mean rotation (V, 3, 3) and the mean centre (V, 3) of each camera; NaN for a camera that no rig has."""
    R, centers = np.stack([rig.R for rig in rigs]), np.stack([rig.centers for rig in rigs])
    known = np.isfinite(centers).all(-1)
    n, seen = known.sum(0), known.any(0)
    R_mean, center_mean = np.full(R.shape[1:], np.nan), np.full(centers.shape[1:], np.nan)
    R_mean[seen] = nearest_rotation(np.where(known[..., None, None], R, 0).sum(0)[seen])
    center_mean[seen] = np.where(known[..., None], centers, 0).sum(0)[seen] / n[seen, None]
    return R_mean, center_mean


def _observe(
    recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams
) -> tuple[Observations, tuple[np.ndarray, np.ndarray]]:
    """Observed joints of one person, and normalised points and sigmas of all landmarks."""
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    poses = open_store(poses2d, POSES2D)[recording.name].person(0)
    observed = observe(recording, cameras, poses, rows, min_confidence=params.min_confidence)
    return observed, observe_landmarks(recording, cameras, poses, rows, observed, min_confidence=params.min_confidence)


def moving_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """Calibrate a recording whose cameras move slowly, one rig per frame; the reason if that fails."""
    [recording] = pool
    if not recording.n_frames:
        return refused(recording.name, "it has no frames")
    observed, (points_norm, sigma) = _observe(recording, poses2d, (0, recording.n_frames), params)
    results = find_moving_rig(points_norm, sigma, length=params.window_frames, seed=params.seed)
    failed = Counter(result for result in results if isinstance(result, str))
    rigs = [result for result in results if isinstance(result, Rig)]
    if not rigs:
        return refused(recording.name, f"no window could be calibrated: {failed.most_common(1)[0][0]}")
    R, t = np.stack([rig.R for rig in rigs]), np.stack([rig.t for rig in rigs])
    with_rig = observed.taken(np.array([isinstance(result, Rig) for result in results]))
    noise = _noise_of_joints(with_rig, R, t)
    people = People.triangulated(with_rig, R, t, noise)
    scale = scale_of([recording], [people], rigs[0], params)
    if not np.isfinite(scale.factor):
        return refused(recording.name, scale_missing(params))
    up = vertical_of(recording, [people], rigs[0], params)
    upright = [
        rig.scaled(scale.factor).in_axes(up.axes, np.zeros(3)) if isinstance(rig, Rig) else None for rig in results
    ]
    fields = _fields(recording, params, rigs, failed) | {
        "gravity": up.source, "noise_share": EXPECTED_NOISE * noise, "moved_deg": _largest_rotation_deg(R),
        **stds_of(scale, up),
    }  # fmt: skip
    alerts = scale_alerts(recording.name, scale, params)
    return CalibrationResult(arrays_of(upright, observed.focal_px), fields, alerts)


def _noise_of_joints(observed: Observations, R: np.ndarray, t: np.ndarray) -> float:
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


def _fields(recording: Recording, params: CalibrateParams, rigs: Sequence[Rig], failed: Counter[str]) -> dict[str, Any]:
    """The fields of the record of one rig per frame, without the cameras."""
    known = np.any([rig.has_extrinsics for rig in rigs], axis=0)
    return {
        "mode": params.mode, "moving": True, "scale": params.scale, "gravity": "none", "pool": [recording.name],
        "focal": "exact", "focal_scale": 1.0, "focal_std": 0.0, "ignore_distortion": params.ignore_distortion,
        "failed_frames": dict(failed), "n_frames": len(rigs), "n_poses": None, "parallax_deg": None, "moved_deg": None,
        "views_left_out": [recording.views[v].name for v in recording.view_indices(for_labels=True) if not known[v]],
        "inlier_share": float(np.mean([np.nanmean(rig.inlier_share) for rig in rigs])),
        "noise_share": EXPECTED_NOISE * float(np.median([rig.noise for rig in rigs])),
    }  # fmt: skip
