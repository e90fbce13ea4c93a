"""The people in a calibrated rig: they fix its scale and its vertical."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.body.scale import UNKNOWN, Scale, height_scale, mean_scale, scale_from_bones
from pipeline.geometry.body.segment_lengths import SegmentLengths, segment_lengths
from pipeline.geometry.body.vertical import find_vertical, upright_axes
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.rig import measure_rig
from pipeline.geometry.camera import reprojection
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import Observations
from pipeline.params.calibrate import CalibrateParams

# Evenly spread frames of a recording that determine the scale and the vertical.
FRAMES_FOR_SCALE = 300
# Scales of a larger relative standard deviation raise an alert.
MAX_SCALE_STD = 0.08
# Without a scale, the mean distance of the cameras from their centroid is set to this.
UNSCALED_MM = 1000.0


def with_noise_of_joints(rig: Rig, observed: Sequence[Observations]) -> Rig:
    """A rig calibrated from all landmarks, with the noise measured on joints, because labels are made from joints."""
    few = [
        one.taken(linspace_indices(len(one.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal_scale)
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
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE)).scale_focal(rig.focal_scale)
    return People.triangulated(few, rig.R, rig.t, rig.noise)


@dataclass(frozen=True)
class UprightAxes:
    """The axes of a world with z upwards, what determined them, and the standard deviation of the vertical."""

    axes: np.ndarray  # (3, 3), as columns in the rig's world
    source: str  # `people`, `extrinsics`, or `none`: neither determines the vertical
    std_deg: float | None  # None: unknown


def vertical_of(recording: Recording, people: Sequence[People], rig: Rig, params: CalibrateParams) -> UprightAxes:
    """The axes of a world with z upwards; the identity if neither extrinsics nor people determine the vertical."""
    if params.gravity == "extrinsics":
        views = [v for v in np.flatnonzero(rig.has_extrinsics).tolist() if recording.views[v].camera.has_extrinsics]
        given = [rig.R[v].T @ np.array(recording.views[v].R_cam_from_world)[:, 2] for v in views]
        if not given:
            return UprightAxes(np.eye(3), "none", None)
        up = np.mean(given, axis=0)
        return UprightAxes(upright_axes(up / np.linalg.norm(up)), "extrinsics", _std_of_verticals(given, rig, views))
    vertical = find_vertical(np.concatenate([own.joints for own in people]))
    if vertical is None:
        return UprightAxes(np.eye(3), "none", None)
    return UprightAxes(upright_axes(vertical.up), "people", vertical.std_deg)


def _std_of_verticals(given: Sequence[np.ndarray], rig: Rig, views: Sequence[int]) -> float | None:
    """Standard deviation, degrees, of the mean of several cameras' verticals; of one, that of the camera's rotation."""
    std = float(np.sqrt(np.mean(rig.rotation_std_deg[list(views)] ** 2)))
    if len(given) > 1:
        mean = np.mean(given, axis=0)
        off = np.degrees(np.linalg.norm(np.array(given) - mean, axis=-1))
        std = max(std, float(np.sqrt((off**2).sum() / (len(given) - 1) / len(given))))
    return std if np.isfinite(std) else None


def stds_of(scale: Scale, upright: UprightAxes | None) -> dict[str, float | None]:
    """The standard deviations of scale and vertical as fields of a rig's record."""
    known = bool(np.isfinite(scale.std))
    gravity_std_deg = None if upright is None else upright.std_deg
    return {"scale_std": scale.std if known else None, "gravity_std_deg": gravity_std_deg}


def scale_alerts(subject: str, scale: Scale, params: CalibrateParams) -> tuple[Alert, ...]:
    """A warning if the scale is uncertain."""
    if not scale.std > MAX_SCALE_STD:
        return ()
    mend = (
        "Give the subject's height (calibrate.scale: height) or the measured distance between two cameras (baseline)."
    )
    if params.scale == "baseline":
        mend = "Measure the distance between two cameras that stand farther apart."
    return (
        Alert(
            kind="uncertain_scale", severity="warning", subject=subject, mend=mend,
            message="lengths are not known well", evidence=f"scale from {params.scale}, +-{scale.std:.0%}",
        ),
    )  # fmt: skip


def scale_missing(params: CalibrateParams) -> str:
    """The reason why a rig has no scale."""
    reason = "one of its cameras has no extrinsics" if params.scale == "baseline" else "too few joints are found"
    return f"the scale cannot be determined from {params.scale}: {reason}"


def scale_of(pool: Sequence[Recording], people: Sequence[People], rig: Rig, params: CalibrateParams) -> Scale:
    """Millimetres per unit of the rig, from what `params.scale` says; UNKNOWN if that is not seen often enough.

    The standard deviation is NaN where there is no scale (`none`).
    """
    if params.scale == "baseline":
        return _scale_of_baseline(pool[0], rig, params)
    if params.scale == "none":
        centers = rig.centers
        unit = UNSCALED_MM / np.nanmean(np.linalg.norm(centers - np.nanmean(centers, axis=0), axis=-1))
        return Scale(float(unit), float("nan"))
    if params.scale == "height":
        return mean_scale([
            height_scale(own.joints, recording.height_mm, own.covariance)
            for recording, own in zip(pool, people, strict=True) if recording.height_mm is not None
        ])  # fmt: skip
    by_subject: dict[str, list[SegmentLengths]] = {}
    for recording, own in zip(pool, people, strict=True):
        by_subject.setdefault(recording.subject, []).append(segment_lengths(own.joints, own.covariance))
    return scale_from_bones(list(by_subject.values()))


def _scale_of_baseline(recording: Recording, rig: Rig, params: CalibrateParams) -> Scale:
    """The scale at which two cameras have their measured distance, and how well the rig determines that distance."""
    a, b = ([view.name for view in recording.views].index(name) for name in params.baseline.cameras)
    between = rig.centers[b] - rig.centers[a]
    distance = float(np.linalg.norm(between))
    if not distance > 0:
        return UNKNOWN
    covariance = rig.center_covariance_in_world[[a, b]].sum(0)
    variance = float(between @ covariance @ between) / distance**4
    return Scale(params.baseline.mm / distance, float(np.sqrt(max(variance, 0.0))))
