"""Calibration tasks for static cameras: self-calibration, and given extrinsics, adjusted or unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.calibration.bundle import EXACT, Focal
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import (
    Rig,
    adjust_extrinsics,
    find_rig,
    measure_rig,
    unknown_rig,
)
from pipeline.geometry.calibration.rig_motion import rotation_change_deg
from pipeline.geometry.calibration.scale import bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe, observe_landmarks
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, open_store

# At most this many evenly spread frames of a pool of recordings are read.
FRAMES_PER_POOL = 4000
# Evenly spread frames of a recording that determine the scale and the vertical.
FRAMES_FOR_SCALE = 300
# Without a scale, the mean distance of the cameras from their centroid is set to this.
UNSCALED_MM = 1000.0

# The values of `calibrate.focal`. Approximate focal lengths come from data sheets and image headers.
FOCAL = {"exact": EXACT, "approximate": Focal(std=0.05), "unknown": Focal(std=np.inf)}


@dataclass(frozen=True)
class CalibrationResult:
    """The arrays of a rig and the fields of its record, except the cameras, which differ between recordings."""

    arrays: dict[str, np.ndarray]  # the arrays of RIGS by name
    fields: dict[str, Any]  # of RigRecord


def pooled_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | str:
    """Calibrate the rig of a pool of recordings from their 2D poses only; the reason if that fails."""
    observed, points_norm, sigma = _observe_pool(pool, poses2d, params)
    usable = np.isfinite(sigma).any((0, 1)).sum()
    if usable < 2:
        return f"only {usable} view(s) with joints of confidence {params.min_confidence} or more"
    try:
        rig = find_rig(points_norm, sigma, seed=params.seed, focal=FOCAL[params.focal])
    except RigNotFound as error:
        return str(error)
    rig = _with_noise_of_joints(rig, observed)
    people = [people_of(one, rig) for one in observed]
    factor = scale_of(pool, people, rig, params)
    if not np.isfinite(factor):
        return scale_missing(params)
    moved_deg = rotation_change_deg(points_norm, sigma, rig)
    up, gravity = vertical_of(pool[0], people, rig, params)
    rig = rig.scaled(factor).in_axes(up, np.zeros(3))
    fields = _fields(pool, rig, params, scale=params.scale, gravity=gravity, moved_deg=moved_deg)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields)


def adjusted_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | str:
    """Adjust the given extrinsics of a pool to its 2D poses, in the given world and scale; the reason if that fails.

    Views without extrinsics are registered to the others.
    """
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return given
    observed, points_norm, sigma = _observe_pool(pool, poses2d, params)
    try:
        rig, moved_deg = adjust_extrinsics(points_norm, sigma, *given, seed=params.seed, focal=FOCAL[params.focal])
    except RigNotFound as error:
        return str(error)
    rig = _with_noise_of_joints(rig, observed)
    fields = _fields(pool, rig, params, scale="known", gravity="known", moved_deg=moved_deg)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields)


def given_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | str:
    """The given extrinsics, unchanged; the reason if fewer than two views have any."""
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return given
    [observed] = _observe_pool(pool, poses2d, params)[0]
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE))
    rig = measure_rig(few.points_norm, few.sigma, *given)
    fields = _fields(pool, rig, params, scale="known", gravity="known", moved_deg=None)
    return CalibrationResult(arrays_of([rig], observed.focal_px), fields)


def _given_poses(recording: Recording) -> tuple[np.ndarray, np.ndarray] | str:
    """The given extrinsics (V, 3, 3), (V, 3) of the labelling views, NaN where a view has none."""
    known = [v for v in recording.view_indices(for_labels=True) if recording.views[v].camera.has_extrinsics]
    if len(known) < 2:
        return f"only {len(known)} view(s) that may make labels came with extrinsics"
    R, t = np.full((len(recording.views), 3, 3), np.nan), np.full((len(recording.views), 3), np.nan)
    for v in known:
        camera = recording.views[v].camera
        R[v], t[v] = camera.R_cam_from_world, camera.t_cam_from_world_mm
    return R, t


def _fields(
    pool: Sequence[Recording], rig: Rig, params: CalibrateParams, *, scale: str, gravity: str, moved_deg: float | None
) -> dict[str, Any]:
    """The fields of the record of a static rig, without the cameras."""
    labelling = pool[0].view_indices(for_labels=True)
    return {
        "mode": params.mode, "moving": False, "scale": scale, "gravity": gravity,
        "ignore_distortion": params.ignore_distortion,
        "focal": params.focal, "focal_scale": rig.focal.scale, "focal_std": finite_or_none(rig.focal.std),
        "pool": [recording.name for recording in pool], "n_poses": rig.n_poses,
        "parallax_deg": finite_or_none(rig.parallax_deg),
        "views_left_out": [pool[0].views[v].name for v in labelling if np.isnan(rig.t[v, 0])],
        "moved_deg": finite_or_none(moved_deg), "failed_frames": {}, **_quality(rig),
    }  # fmt: skip


def _observe_pool(
    pool: Sequence[Recording], poses2d: Path, params: CalibrateParams
) -> tuple[list[Observations], np.ndarray, np.ndarray]:
    """Observed joints of each recording, and normalised points and sigmas of all landmarks of the pool."""
    store = open_store(poses2d, POSES2D)
    n_frames = max(FRAMES_PER_POOL // len(pool), 1)
    observed, landmarks = [], []
    for recording in pool:
        group = store[recording.name].person(0)
        cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
        rows = linspace_indices(group.n_rows, n_frames)
        own = observe(recording, cameras, group, rows, min_confidence=params.min_confidence)
        observed.append(own)
        landmarks.append(observe_landmarks(recording, cameras, group, rows, own, min_confidence=params.min_confidence))
    points_norm, sigma = (np.concatenate(arrays) for arrays in zip(*landmarks, strict=True))
    return observed, points_norm, sigma


def _with_noise_of_joints(rig: Rig, observed: Sequence[Observations]) -> Rig:
    """A rig calibrated from all landmarks, with the noise measured on joints, because labels are made from joints."""
    few = [
        one.taken(linspace_indices(len(one.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal.scale)
        for one in observed
    ]
    points_norm, sigma = np.concatenate([one.points_norm for one in few]), np.concatenate([one.sigma for one in few])
    return replace(rig, noise=measure_rig(points_norm, sigma, rig.R, rig.t).noise)


@dataclass(frozen=True)
class People:
    """The triangulated person of a recording in some frames, in the unit and world of a rig."""

    joints: np.ndarray  # (F, J, 3)
    covariance: np.ndarray  # (F, J, 6): xx, xy, xz, yy, yz, zz

    @classmethod
    def triangulated(cls, observed: Observations, R: np.ndarray, t: np.ndarray, noise: float) -> "People":
        """Triangulate with one rig, R (V, 3, 3), or one per frame; `noise` is a multiple of the expected sigma."""
        sigma = noise * observed.sigma
        joints = triangulation.robust(observed.points_norm, sigma, R, t)
        distance, _ = reprojection.residuals(joints, observed.points_norm, R, t)
        agreeing = np.where(distance <= triangulation.ROBUST_WIDTH * sigma, sigma, np.inf)
        covariance = reprojection.covariance(joints, agreeing, R, t)[..., *np.triu_indices(3)]
        return cls(joints, np.where(np.isfinite(covariance), covariance, np.nan))


def people_of(observed: Observations, rig: Rig) -> People:
    """Triangulate the person of a recording in evenly spread frames."""
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal.scale)
    return People.triangulated(few, rig.R, rig.t, rig.noise)


def vertical_of(
    recording: Recording, people: Sequence[People], rig: Rig, params: CalibrateParams
) -> tuple[np.ndarray, str]:
    """Axes (3, 3) of a world with z upwards, as columns in the rig's world, and the source that determined them.

    The identity and `none` if neither extrinsics nor people determine the vertical.
    """
    if params.gravity == "extrinsics":
        views = [v for v in np.flatnonzero(rig.has_extrinsics) if recording.views[v].camera.has_extrinsics]
        given = [rig.R[v].T @ np.array(recording.views[v].R_cam_from_world)[:, 2] for v in views]
        up: np.ndarray | None = np.mean(given, axis=0) if given else None
        source = "extrinsics"
    else:
        up, source = up_direction(np.concatenate([own.joints for own in people])), "people"
    return (np.eye(3), "none") if up is None else (upright_axes(up / np.linalg.norm(up)), source)


def scale_missing(params: CalibrateParams) -> str:
    """The reason why a rig has no scale."""
    reason = "one of its cameras has no extrinsics" if params.scale == "baseline" else "too few joints are found"
    return f"the scale cannot be determined from {params.scale}: {reason}"


def scale_of(pool: Sequence[Recording], people: Sequence[People], rig: Rig, params: CalibrateParams) -> float:
    """Millimetres per unit of the rig; from people: the median over the subjects of the pool. NaN if unknown."""
    if params.scale == "baseline":
        names = [view.name for view in pool[0].views]
        a, b = (rig.centers[names.index(name)] for name in params.baseline.cameras)
        return float(params.baseline.mm / np.linalg.norm(a - b))
    if params.scale == "none":
        centers = -np.einsum("vji,vj->vi", rig.R, rig.t)
        return float(UNSCALED_MM / np.nanmean(np.linalg.norm(centers - np.nanmean(centers, axis=0), axis=-1)))
    by_subject: dict[str, list[float]] = {}
    for recording, own in zip(pool, people, strict=True):
        if params.scale == "height" and recording.height_mm is not None:
            factor = height_scale(own.joints, recording.height_mm, own.covariance)
        else:
            factor = bone_scale(own.joints, own.covariance)
        if np.isfinite(factor):
            by_subject.setdefault(recording.subject, []).append(factor)
    return float(np.median([np.median(found) for found in by_subject.values()])) if by_subject else float("nan")


def finite_or_none(value: float | None) -> float | None:
    """The value, or None for NaN, which records cannot hold."""
    return value if value is not None and np.isfinite(value) else None


def _quality(rig: Rig) -> dict[str, Any]:
    noise, known = EXPECTED_NOISE * rig.noise, np.isfinite(rig.inlier_share)
    return {
        "n_frames": rig.n_frames,
        "inlier_share": float(rig.inlier_share[known].mean()) if known.any() else 0.0,
        "noise_share": noise if np.isfinite(noise) else EXPECTED_NOISE,
    }


def arrays_of(rigs: Sequence[Rig | None], focal_px: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of RIGS, one row per rig; NaN for a missing rig."""
    all_rigs = [rig or unknown_rig(len(focal_px)) for rig in rigs]
    focal = float(focal_px.mean())
    return {
        "R_cam_from_world": np.stack([rig.R for rig in all_rigs]),
        "t_cam_from_world_mm": np.stack([rig.t for rig in all_rigs]),
        "rotation_std_deg": np.stack([rig.rotation_std_deg for rig in all_rigs]),
        "center_std_mm": np.stack([rig.center_std for rig in all_rigs]),
        "center_covariance_mm2": np.stack([rig.center_covariance_in_world for rig in all_rigs]),
        "residual_px": np.stack([rig.residual * focal_px for rig in all_rigs]),
        "epipolar_start_px": np.array([rig.epipolar_start * focal for rig in all_rigs]),
        "epipolar_px": np.array([rig.epipolar * focal for rig in all_rigs]),
    }
