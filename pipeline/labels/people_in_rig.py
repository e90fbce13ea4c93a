"""The people in a calibrated rig: they fix its scale and its vertical."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.body.scale import bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.rig import measure_rig
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import Observations
from pipeline.params.calibrate import CalibrateParams

# Evenly spread frames of a recording that determine the scale and the vertical.
FRAMES_FOR_SCALE = 300
# Without a scale, the mean distance of the cameras from their centroid is set to this.
UNSCALED_MM = 1000.0


def with_noise_of_joints(rig: Rig, observed: Sequence[Observations]) -> Rig:
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
