"""The tasks of the calibration of cameras that stand still: a rig found from a pool of recordings, given or refined."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.calibration.bundle import EXACT, Focal
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import Rig, adjust_extrinsics, find_rig, measure_rig, unknown_rig
from pipeline.geometry.calibration.rig_motion import rotation_change_deg
from pipeline.geometry.calibration.scale import bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe, observe_landmarks
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, open_store

# Of a pool of recordings at most this many frames are read, spread evenly.
FRAMES_PER_POOL = 4000
# Frames of a recording from which its people's size and the vertical are taken.
FRAMES_FOR_SCALE = 300
# Without a scale the cameras' mean distance from their middle counts as this many millimetres.
UNSCALED_MM = 1000.0

# What `calibrate.focal` says of the focal lengths given. Approximate ones come from data sheets and image headers.
FOCAL = {"exact": EXACT, "approximate": Focal(std=0.05), "unknown": Focal(std=np.inf)}


@dataclass(frozen=True)
class CalibrationResult:
    """The arrays of a rig and the fields of its record, but for the cameras, which differ between recordings."""

    arrays: dict[str, np.ndarray]  # the arrays of RIGS by name
    fields: dict[str, Any]  # of RigRecord


def pooled_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | str:
    """The rig that filmed all recordings of a pool, or the reason why it cannot be found."""
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
        return no_scale(params)
    moved_deg = rotation_change_deg(points_norm, sigma, rig)
    up, gravity = vertical_of(pool[0], people, rig, params)
    rig = rig.scaled(factor).in_axes(up, np.zeros(3))
    fields = _fields(pool, rig, params, scale=params.scale, gravity=gravity, moved_deg=moved_deg)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields)


def adjusted_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | str:
    """The extrinsics that the footage of a pool came with, adjusted to its people, in the world and scale given.

    Views without extrinsics are added. The reason where the extrinsics or the joints do not do.
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
    """The extrinsics the footage came with, or the reason why they do not do."""
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return given
    [observed] = _observe_pool(pool, poses2d, params)[0]
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE))
    rig = measure_rig(few.points_norm, few.sigma, *given)
    fields = _fields(pool, rig, params, scale="known", gravity="known", moved_deg=None)
    return CalibrationResult(arrays_of([rig], observed.focal_px), fields)


def _given_poses(recording: Recording) -> tuple[np.ndarray, np.ndarray] | str:
    """Extrinsics (V, 3, 3), (V, 3) of the views that may make labels, NaN where there are none."""
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
    """The fields of the record of a static rig."""
    labelling = pool[0].view_indices(for_labels=True)
    return {
        "mode": params.mode, "moving": False, "scale": scale, "gravity": gravity,
        "ignore_distortion": params.ignore_distortion,
        "focal": params.focal, "focal_scale": rig.focal.scale, "focal_std": rig.focal.std,
        "pool": [recording.name for recording in pool], "n_poses": rig.n_poses,
        "parallax_deg": rig.parallax_deg if np.isfinite(rig.parallax_deg) else None,
        "views_left_out": [pool[0].views[v].name for v in labelling if np.isnan(rig.t[v, 0])],
        "moved_deg": moved_deg, "failed_frames": {}, **_quality(rig),
    }  # fmt: skip


def _observe_pool(
    pool: Sequence[Recording], poses2d: Path, params: CalibrateParams
) -> tuple[list[Observations], np.ndarray, np.ndarray]:
    """What was seen of the joints of each recording, and rays and sigma of all that was seen, to calibrate from."""
    store = open_store(poses2d, POSES2D)
    most = max(FRAMES_PER_POOL // len(pool), 1)
    observed, marks = [], []
    for recording in pool:
        group = store[recording.name].person(0)
        cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
        rows = linspace_indices(group.n_rows, most)
        own = observe(recording, cameras, group, rows, min_confidence=params.min_confidence)
        observed.append(own)
        marks.append(observe_landmarks(recording, cameras, group, rows, own, min_confidence=params.min_confidence))
    return (
        observed,
        np.concatenate([points_norm for points_norm, _ in marks]),
        np.concatenate([sigma for _, sigma in marks]),
    )


def _with_noise_of_joints(rig: Rig, observed: Sequence[Observations]) -> Rig:
    """A rig found from all landmarks, with the noise of the joints alone, which is what labels are made of."""
    few = [
        one.taken(linspace_indices(len(one.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal.scale)
        for one in observed
    ]
    points_norm, sigma = np.concatenate([one.points_norm for one in few]), np.concatenate([one.sigma for one in few])
    return replace(rig, noise=measure_rig(points_norm, sigma, rig.R, rig.t).noise)


@dataclass(frozen=True)
class People:
    """A recording's people in some frames, in the unit and world of a rig."""

    joints: np.ndarray  # (F, J, 3)
    covariance: np.ndarray  # (F, J, 6): xx, xy, xz, yy, yz, zz

    @classmethod
    def seen(cls, observed: Observations, R: np.ndarray, t: np.ndarray, noise: float) -> "People":
        """As one rig, R (V, 3, 3), or one for each frame sees them, with this noise as a multiple of sigma."""
        sigma = noise * observed.sigma
        joints = triangulation.robust(observed.points_norm, sigma, R, t)
        distance, _ = reprojection.residuals(joints, observed.points_norm, R, t)
        agreeing = np.where(distance <= triangulation.ROBUST_WIDTH * sigma, sigma, np.inf)
        covariance = reprojection.covariance(joints, agreeing, R, t)[..., *np.triu_indices(3)]
        return cls(joints, np.where(np.isfinite(covariance), covariance, np.nan))


def people_of(observed: Observations, rig: Rig) -> People:
    """The people of a recording as its rig sees them."""
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal.scale)
    return People.seen(few, rig.R, rig.t, rig.noise)


def vertical_of(
    recording: Recording, people: Sequence[People], rig: Rig, params: CalibrateParams
) -> tuple[np.ndarray, str]:
    """Axes (3, 3) of the rig's world as columns, z upwards, and what told them; as they are where nothing does."""
    if params.gravity == "extrinsics":
        views = [v for v in np.flatnonzero(rig.has_extrinsics) if recording.views[v].camera.has_extrinsics]
        given = [rig.R[v].T @ np.array(recording.views[v].R_cam_from_world)[:, 2] for v in views]
        up: np.ndarray | None = np.mean(given, axis=0) if given else None
        reported = "extrinsics"
    else:
        up, reported = up_direction(np.concatenate([own.joints for own in people])), "people"
    return (np.eye(3), "none") if up is None else (upright_axes(up / np.linalg.norm(up)), reported)


def no_scale(params: CalibrateParams) -> str:
    """Why a rig has no scale."""
    why = "one of its cameras has no pose" if params.scale == "baseline" else "too few joints are found"
    return f"the scale cannot be told from {params.scale}: {why}"


def scale_of(pool: Sequence[Recording], people: Sequence[People], rig: Rig, params: CalibrateParams) -> float:
    """Millimetres per unit of the rig; the median over the subjects of the pool, where their size tells it."""
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


def _quality(rig: Rig) -> dict[str, Any]:
    # JSON has no NaN: what is not known is None.
    noise, known = EXPECTED_NOISE * rig.noise, np.isfinite(rig.inlier_share)
    return {
        "n_frames": rig.n_frames,
        "inlier_share": float(rig.inlier_share[known].mean()) if known.any() else 0.0,
        "noise_share": noise if np.isfinite(noise) else EXPECTED_NOISE,
    }


def arrays_of(rigs: Sequence[Rig | None], focal_px: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of RIGS, a row for each rig; NaN where there is none."""
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
