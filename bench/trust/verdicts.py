"""The verdict on a run: the error of its labels, rig and scale against what it states and what it warns of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.spatial.transform import Rotation

from bench.trust.runs import FoundRig, Outcome
from pipeline.geometry.align import rig_similarity, similarity
from pipeline.geometry.calibration.gauge import gauge_basis, units_of
from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import LIMB_JOINTS

Verdict = Literal["right", "refused", "covered", "stated", "warned", "SILENT"]
# What labels and rig may differ by from the truth before errors are measured. The world of a self-calibrated rig is
# arbitrary, with a scale that is judged by itself; an adjusted one may drift from the given world; a given one may not.
Freedom = Literal["similarity", "rigid", "none"]
FREEDOM: dict[str, Freedom] = {"rig": "similarity", "adjust": "rigid", "known": "none"}

# An error counts beyond this distance from the error of the unaltered run: decoding and encoding a video alone moves
# labels by 4 to 5 mm.
FREE_MM, FREE_DEG, FREE_SCALE = 8.0, 0.3, 0.05
SIGMAS = 2.0
# A single view of the rig, and the share of labels that may lie beyond 2 standard deviations and the free distance.
# where the unaltered run is at most FREE_MM better, and where there is no other run to compare with: 4.6 % of normal
# errors along a line lie beyond 2 standard deviations.
VIEW_SIGMAS, SHARE, SHARE_ALONE = 3.0, 0.02, 0.05
FAR_MM = 1e4  # of a missing label, where people are compared
CLIPPED_SIGMAS = 5.0
TRIM = 0.7  # the share of labels that the alignment over a recording is made from


@dataclass(frozen=True)
class Errors:
    """Errors of a run and what it states for them; NaN for what is not known or does not exist."""

    labels_mm: float  # median over the valid limb joints
    labels_high_mm: float  # 98th percentile over single labels
    labels_std_mm: float  # stated, median
    labels_rms_ratio: float  # root mean square of error over stated deviation, at most CLIPPED_SIGMAS each
    share_off: (
        float  # share of the valid labels off by more than 2 standard deviations and FREE_MM beyond the reference
    )
    valid: float  # share of the labels that the reference has
    rig_deg: float  # root mean square over the views
    rig_std_deg: float
    rig_worst_sigmas: float  # of a single view
    center_mm: float  # root mean square over the views
    center_std_mm: float
    scale: float  # found over true, minus 1
    scale_std: float | None

    def wrong(self, share: float) -> list[str]:
        """What is off by more than the free distance and 2 standard deviations; of the labels, more than `share`."""
        found = []
        if self.share_off > share:
            found.append("labels")
        beyond = self.rig_deg > SIGMAS * self.rig_std_deg or self.rig_worst_sigmas > VIEW_SIGMAS
        if self.rig_deg > FREE_DEG and beyond:
            found.append("rig")
        if self.center_mm > FREE_MM and self.center_mm > SIGMAS * self.center_std_mm:
            found.append("centres")
        if abs(self.scale) > FREE_SCALE and abs(self.scale) > SIGMAS * (self.scale_std or 0.0):
            found.append("scale")
        return found


def verdict(outcome: Outcome, errors: Errors | None, usual: Outcome | None, usual_mm: float = 0.0) -> Verdict:
    """The verdict on a run, given its errors; `usual` is the run on the unaltered take, `usual_mm` its median error.

    right: nothing wrong beyond what is stated, and labels (median) within FREE_MM of the unaltered ones; without an
    unaltered run, within the stated standard deviation. refused: no result.
    covered: off, but within 2 stated standard deviations, and a warning. stated: the same without a warning. warned:
    beyond what is stated, but with a warning. SILENT: beyond what is stated, and no warning. A warning that the
    unaltered take has too says nothing about the alteration.
    """
    if errors is None:
        return "refused"
    known = {(alert.kind, alert.severity) for alert in usual.warnings} if usual else set()
    warned = any((alert.kind, alert.severity) not in known for alert in outcome.warnings)
    if errors.wrong(SHARE if usual else SHARE_ALONE):
        return "warned" if warned else "SILENT"
    if not errors.labels_mm > max(usual_mm + FREE_MM, errors.labels_std_mm if usual is None else 0.0):
        return "right"
    return "covered" if warned else "stated"


def label_errors(
    outcome: Outcome, reference: np.ndarray, freedom: Freedom, *, shift: int = 0
) -> tuple[np.ndarray, np.ndarray, float]:
    """Errors (F, L) of limb joints, their stated deviations, and the scale of the reference over that of the labels.

    After an alignment over the whole recording, made from the labels that fit best. The labels of frame i are compared
    with the reference of frame i - shift.
    """
    assert outcome.joints_world_mm is not None
    assert outcome.uncertainty_mm is not None
    own, std = outcome.joints_world_mm[:, LIMB_JOINTS], outcome.uncertainty_mm[:, LIMB_JOINTS]
    wanted = np.full_like(own, np.nan)
    rows = np.arange(max(shift, 0), min(len(own), len(reference) + shift))
    wanted[rows] = reference[rows - shift][:, LIMB_JOINTS]
    if freedom == "none":
        return np.linalg.norm(own - wanted, axis=-1), std, 1.0
    a, b = own.reshape(-1, 3), wanted.reshape(-1, 3)
    moved, factor = trimmed_alignment(a, b, scale=freedom == "similarity")
    return np.linalg.norm(moved - b, axis=-1).reshape(std.shape), factor * std, factor


def trimmed_alignment(a: np.ndarray, b: np.ndarray, *, scale: bool) -> tuple[np.ndarray, float]:
    """Points a (N, 3) aligned with b by the best fitting share TRIM of them, and the scale of b over a."""
    kept = a
    for _ in range(5):
        factor, R, t = similarity(kept, b, scale=scale)
        moved = factor * a @ R.T + t
        distance = np.linalg.norm(moved - b, axis=-1)
        if not np.isfinite(distance).any():
            break
        kept = np.where((distance <= np.nanquantile(distance, TRIM))[:, None], a, np.nan)
    return moved, float(factor)


def rig_errors(rig: FoundRig, cameras: list[Camera], freedom: Freedom) -> tuple[np.ndarray, np.ndarray, float]:
    """Rotation errors (V,) in degrees, centre errors (V,) in mm of the true world, and the scale true over found."""
    R = np.stack([camera.R_cam_from_world for camera in cameras])
    centers = np.stack([camera.center_world_mm for camera in cameras])
    factor, Q, shift = (1.0, np.eye(3), np.zeros(3))
    if freedom != "none":
        factor, Q, shift = rig_similarity(rig.R, rig.centers_mm, R, centers)
    if freedom == "rigid":
        factor = 1.0
        shift = np.nanmean(centers - rig.centers_mm @ Q.T, axis=0)
    R_found, found = rig.R @ Q.T, factor * rig.centers_mm @ Q.T + shift
    rotation = Rotation.from_matrix(np.where(np.isfinite(R_found), R_found @ np.swapaxes(R, -1, -2), np.eye(3)))
    moved = -np.einsum("vij,vj->vi", R, found - centers)
    steps = np.concatenate([rotation.as_rotvec(), moved], -1)
    known = np.isfinite(steps).all(-1)
    if freedom != "none":
        steps[known] = _without_gauge(steps[known], R[known], centers[known], scale=freedom == "similarity")
    steps[~known] = np.nan
    return np.degrees(np.linalg.norm(steps[:, :3], axis=-1)), np.linalg.norm(steps[:, 3:], axis=-1), factor


def _without_gauge(steps: np.ndarray, R: np.ndarray, centers: np.ndarray, *, scale: bool) -> np.ndarray:
    """Steps of cameras (V, 6) without the part that moves the whole world.

    A similarity by the rotations alone leaves this part in the centres. The stated deviations are of steps without it,
    in the same units: radians and shares of the rig's extent.
    """
    t = -np.einsum("vij,vj->vi", R, centers)
    units = units_of(R, t)
    basis, _ = np.linalg.qr(gauge_basis(R, t)[:, : 7 if scale else 6] / units[:, None])
    own = steps.ravel() / units
    return ((own - basis @ (basis.T @ own)) * units).reshape(-1, 6)


def errors_of(
    outcome: Outcome, people: Sequence[np.ndarray], cameras: list[Camera] | None, freedom: Freedom,
    usual: np.ndarray | None = None, shifts: Sequence[int] = (0,),
) -> Errors | None:  # fmt: skip
    """The errors of a run; None if it was refused.

    `people` are the joints (F, J, 3) of everybody whose labels may be made, the nearest at each frame counts; of
    several shifts the best. `usual` (F, L) are the errors of the unaltered run against the same reference.
    """
    if outcome.refused is not None:
        return None
    fields = dict.fromkeys(
        ("labels_mm", "labels_high_mm", "labels_std_mm", "labels_rms_ratio", "share_off"), np.nan
    ) | {"valid": 1.0}
    scale = float("nan")
    if people and outcome.joints_world_mm is not None:
        tried = [[label_errors(outcome, one, freedom, shift=shift) for one in people] for shift in shifts]
        error, std, factor = min((_nearest(of_people) for of_people in tried), key=lambda one: np.nanmedian(one[0]))
        free = FREE_MM + (0.0 if usual is None else np.nan_to_num(usual))
        valid, wanted = np.isfinite(error), np.isfinite(people[0][:, LIMB_JOINTS, 0])
        fields = {
            "labels_mm": float(np.nanmedian(error)),
            "labels_high_mm": float(np.nanpercentile(error, 98)), "labels_std_mm": float(np.nanmedian(std)),
            "labels_rms_ratio": _rms(np.minimum(error / std, CLIPPED_SIGMAS)),
            "share_off": float(((error > SIGMAS * std) & (error > free))[valid].mean()),
            "valid": float(valid.sum() / max(wanted.sum(), 1)),
        }  # fmt: skip
        scale = 1 / factor - 1
    return Errors(**fields, **_rig_fields(outcome.rig, cameras, freedom, scale))


def _nearest(of_people: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> tuple[np.ndarray, np.ndarray, float]:
    """The errors of each frame against the person that fits it best; the scale is that of the first one."""
    errors = np.stack([error for error, _, _ in of_people])
    best = np.where(np.isfinite(errors), errors, FAR_MM).mean(-1).argmin(0)
    frames = np.arange(errors.shape[1])
    return errors[best, frames], np.stack([std for _, std, _ in of_people])[best, frames], of_people[0][2]


def _rig_fields(rig: FoundRig | None, cameras: list[Camera] | None, freedom: Freedom, scale: float) -> dict[str, Any]:
    names = ("rig_deg", "rig_std_deg", "rig_worst_sigmas", "center_mm", "center_std_mm")
    if rig is None or cameras is None:
        return dict.fromkeys(names, np.nan) | {"scale": scale, "scale_std": rig.scale_std if rig else None}
    deg, mm, factor = rig_errors(rig, cameras, freedom)
    known = np.isfinite(deg) & np.isfinite(rig.rotation_std_deg)
    values = (
        _rms(deg), _rms(rig.rotation_std_deg), float((deg / rig.rotation_std_deg)[known].max(initial=0)), _rms(mm),
        factor * _rms(rig.center_std_mm),
    )  # fmt: skip
    own_scale = 1 / factor - 1 if freedom == "similarity" and np.isnan(scale) else scale
    return dict(zip(names, values, strict=True)) | {"scale": own_scale, "scale_std": rig.scale_std}


def _rms(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")
