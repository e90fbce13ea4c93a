"""The tasks of the calibration: a rig from a pool of recordings, from each frame alone, or as it was given."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry import triangulation
from pipeline.geometry.rig import Rig, find_rig, measure_rig, unknown_rig
from pipeline.geometry.rig_per_frame import find_rigs
from pipeline.geometry.rig_start import RigNotFound
from pipeline.geometry.scale import bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.spread import evenly
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe
from pipeline.params import CalibrateParams
from pipeline.stores import POSES2D, reading

# Of a pool of recordings at most this many frames are read, spread evenly.
FRAMES_PER_POOL = 4000
# Frames of a recording from which its people's size and the vertical are taken.
FRAMES_FOR_SCALE = 300
# Without a scale the cameras' mean distance from their middle counts as this many millimetres.
UNSCALED_MM = 1000.0


@dataclass(frozen=True)
class FoundRig:
    """Poses as the store of rigs wants them, and what is said about them."""

    arrays: dict[str, np.ndarray]  # the arrays of RIGS by name
    about: dict[str, Any]


def pooled_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> FoundRig | str:
    """The rig that filmed all recordings of a pool, or the reason why it cannot be found."""
    observed = _observe_pool(pool, poses2d, params)
    rays, sigma = (np.concatenate([getattr(one, name) for one in observed]) for name in ("rays", "sigma"))
    usable = np.isfinite(sigma).any((0, 1)).sum()
    if usable < 2:
        return f"only {usable} view(s) with joints of confidence {params.min_confidence} or more"
    try:
        rig = find_rig(rays, sigma, seed=params.seed)
    except RigNotFound as error:
        return str(error)
    people = [_people(one, rig) for one in observed]
    factor = _scale(pool, people, rig, params)
    if not np.isfinite(factor):
        return f"the scale cannot be told from {params.scale}: too few joints are found"
    up = up_direction(np.concatenate(people))
    rig = rig.scaled(factor)
    if up is not None:
        rig = rig.turned(upright_axes(up), np.zeros(3))
    focal_px = observed[0].focal_px
    about = {
        "mode": params.mode, "ignore_distortion": params.ignore_distortion,
        "scale": params.scale, "gravity": "people" if up is not None else "none",
        "pool": [recording.name for recording in pool], "n_poses": rig.n_poses, "parallax_deg": rig.parallax_deg,
        "views_left_out": [pool[0].views[v].name for v in pool[0].cameras(labelling=True) if np.isnan(rig.t[v, 0])],
        **_quality(rig),
    }  # fmt: skip
    return FoundRig(_arrays([rig], focal_px), about)


def _observe_pool(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> list[Observations]:
    store = reading(poses2d, POSES2D)
    most = max(FRAMES_PER_POOL // len(pool), 1)
    observed = []
    for recording in pool:
        group = store[recording.name]
        cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
        one = observe(recording, cameras, group, (0, group.n_rows), min_confidence=params.min_confidence)
        observed.append(one.taken(evenly(group.n_rows, most)))
    return observed


def _people(observed: Observations, rig: Rig) -> np.ndarray:
    """Joints (F, J, 3) of some frames of a recording, in the rig's unit and world."""
    few = observed.taken(evenly(len(observed.rays), FRAMES_FOR_SCALE))
    n_views = few.rays.shape[2]
    points = triangulation.robust(few.rays.reshape(-1, n_views, 2), few.sigma.reshape(-1, n_views), rig.R, rig.t)
    return points.reshape(*few.rays.shape[:2], 3)


def _scale(pool: Sequence[Recording], people: Sequence[np.ndarray], rig: Rig, params: CalibrateParams) -> float:
    """Millimetres per unit of the rig; the median over the subjects of the pool."""
    if params.scale == "none":
        centers = -np.einsum("vji,vj->vi", rig.R, rig.t)
        return float(UNSCALED_MM / np.nanmean(np.linalg.norm(centers - np.nanmean(centers, axis=0), axis=-1)))
    by_subject: dict[str, list[float]] = {}
    for recording, joints in zip(pool, people, strict=True):
        if params.scale == "height" and recording.height_mm is not None:
            factor = height_scale(joints, recording.height_mm)
        else:
            factor = bone_scale(joints)
        if np.isfinite(factor):
            by_subject.setdefault(recording.subject, []).append(factor)
    return float(np.median([np.median(own) for own in by_subject.values()])) if by_subject else float("nan")


def rigs_of_frames(recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams) -> FoundRig:
    """A rig of each frame of the rows (start, stop), NaN where there is none; each with a scale of its own."""
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    poses = reading(poses2d, POSES2D)[recording.name]
    observed = observe(recording, cameras, poses, rows, min_confidence=params.min_confidence)
    failed: Counter[str] = Counter()
    rigs: list[Rig | None] = []
    for f, result in enumerate(find_rigs(observed.rays, observed.sigma, seed=params.seed)):
        rig = None
        if isinstance(result, str):
            failed[result] += 1
        else:
            factor = _scale([recording], [_people(observed.taken(np.array([f])), result)], result, params)
            if np.isfinite(factor):
                rig = result.scaled(factor)
            else:
                failed[f"the scale cannot be told from {params.scale}"] += 1
        rigs.append(rig)
    good = [rig for rig in rigs if rig is not None]
    about = {
        "mode": params.mode, "ignore_distortion": params.ignore_distortion,
        "scale": params.scale, "gravity": "none", "pool": [recording.name],
        "failed_frames": dict(failed),
        "n_frames": len(good),
        "inlier_share": float(np.mean([np.nanmean(rig.inlier_share) for rig in good])) if good else None,
        "noise_share": EXPECTED_NOISE * float(np.median([rig.noise for rig in good])) if good else None,
    }  # fmt: skip
    return FoundRig(_arrays(rigs, observed.focal_px), about)


def given_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> FoundRig | str:
    """The extrinsics the footage came with, or the reason why they do not do."""
    recording = pool[0]
    labelling = recording.cameras(labelling=True)
    known = [v for v in labelling if recording.views[v].camera.known]
    if len(known) < 2:
        return f"only {len(known)} view(s) that may make labels came with extrinsics"
    n_views = len(recording.views)
    R, t = np.full((n_views, 3, 3), np.nan), np.full((n_views, 3), np.nan)
    for v in known:
        camera = recording.views[v].camera
        R[v], t[v] = camera.R_cam_from_world, camera.t_cam_from_world_mm
    [observed] = _observe_pool(pool, poses2d, params)
    few = observed.taken(evenly(len(observed.rays), FRAMES_FOR_SCALE))
    rig = measure_rig(few.rays, few.sigma, R, t)
    about = {
        "mode": params.mode,
        "ignore_distortion": params.ignore_distortion,
        "scale": "known",
        "gravity": "known",
        "pool": [recording.name],
        **_quality(rig),
    }
    return FoundRig(_arrays([rig], observed.focal_px), about)


def _quality(rig: Rig) -> dict[str, Any]:
    # JSON has no NaN: what is not known is None.
    noise, known = EXPECTED_NOISE * rig.noise, np.isfinite(rig.inlier_share)
    return {
        "n_frames": rig.n_frames,
        "inlier_share": float(rig.inlier_share[known].mean()) if known.any() else 0.0,
        "noise_share": noise if np.isfinite(noise) else EXPECTED_NOISE,
    }


def _arrays(rigs: Sequence[Rig | None], focal_px: np.ndarray) -> dict[str, np.ndarray]:
    all_rigs = [rig or unknown_rig(len(focal_px)) for rig in rigs]
    focal = float(focal_px.mean())
    return {
        "R_cam_from_world": np.stack([rig.R for rig in all_rigs]),
        "t_cam_from_world_mm": np.stack([rig.t for rig in all_rigs]),
        "focal_factor": np.array([rig.focal.factor for rig in all_rigs]),
        "focal_std": np.array([rig.focal.std for rig in all_rigs]),
        "rotation_std_deg": np.stack([rig.rotation_std_deg for rig in all_rigs]),
        "center_std_mm": np.stack([rig.center_std for rig in all_rigs]),
        "residual_px": np.stack([rig.residual * focal_px for rig in all_rigs]),
        "epipolar_start_px": np.array([rig.epipolar_start * focal for rig in all_rigs]),
        "epipolar_px": np.array([rig.epipolar * focal for rig in all_rigs]),
    }
