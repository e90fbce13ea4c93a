"""The result of a calibration task: a rig as arrays and fields of the store, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig, unknown_rig
from pipeline.labels.observations import EXPECTED_NOISE
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import TimeRecord


@dataclass(frozen=True)
class CalibrationResult:
    """The arrays of a rig, the fields of its record except the cameras, which differ between recordings, and doubts."""

    arrays: dict[str, np.ndarray]  # the arrays of RIGS by name
    fields: dict[str, Any]  # of RigRecord
    alerts: tuple[Alert, ...] = ()
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by recording: views that contradict there


@dataclass(frozen=True)
class Refused:
    """Why a rig could not be calibrated, and the alerts that say so."""

    reason: str
    alerts: tuple[Alert, ...]  # at least one error


def refused(subject: str, reason: str, *, kind: str = "no_rig", mend: str = "", more: Sequence[Alert] = ()) -> Refused:
    """A refusal whose alert has the reason as its message; `more` are other alerts about the subject."""
    alert = Alert(kind=kind, severity="error", subject=subject, message=f"not calibrated: {reason}", mend=mend)
    return Refused(reason, (alert, *more))


def without_views(
    result: CalibrationResult | Refused, recording: Recording, names: frozenset[str]
) -> CalibrationResult | Refused:
    """The result of a pool for one of its recordings, in which some views have no extrinsics."""
    if isinstance(result, Refused) or not names:
        return result
    out = np.array([view.name in names for view in recording.views])
    arrays = dict(result.arrays)
    for name in ("R_cam_from_world", "t_cam_from_world_mm"):
        arrays[name] = arrays[name].copy()
        arrays[name][:, out] = np.nan
    left_out = list(dict.fromkeys([*result.fields["views_left_out"], *sorted(names)]))
    return replace(result, arrays=arrays, fields=result.fields | {"views_left_out": left_out})


def with_times(result: CalibrationResult | Refused, times: list[TimeRecord]) -> CalibrationResult | Refused:
    """The result of a pool for one of its recordings, whose views have some times."""
    return result if isinstance(result, Refused) else replace(result, fields=result.fields | {"times": times})


def subject_of(pool: Sequence[Recording]) -> str:
    """The name of a pool of recordings in alerts and in the log."""
    return f"rig {pool[0].rig} ({len(pool)} recordings)" if len(pool) > 1 else pool[0].name


def static_fields(
    pool: Sequence[Recording], rig: Rig, params: CalibrateParams, *, scale: str, gravity: str, moved_deg: float | None
) -> dict[str, Any]:
    """The fields of the record of a static rig, without the cameras."""
    labelling = pool[0].view_indices(for_labels=True)
    return {
        "mode": params.mode, "moving": False, "scale": scale, "gravity": gravity,
        "scale_std": None, "gravity_std_deg": None,
        "ignore_distortion": params.ignore_distortion,
        "focal": params.focal, "focal_scale": rig.focal_scale.tolist(),
        "focal_std": [0.0 if params.focal == "exact" else finite_or_none(std) for std in rig.focal_std.tolist()],
        "pool": [recording.name for recording in pool], "n_poses": rig.n_poses,
        "parallax_deg": finite_or_none(rig.parallax_deg),
        "views_left_out": [pool[0].views[v].name for v in labelling if np.isnan(rig.t[v, 0])],
        "moved_deg": finite_or_none(moved_deg), "failed_frames": {}, **_quality(rig),
    }  # fmt: skip


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
    """The arrays of RIGS, one row per rig; NaN for a missing rig. Only a single rig has a covariance of its poses."""
    all_rigs = [rig or unknown_rig(len(focal_px)) for rig in rigs]
    focal = float(focal_px.mean())
    arrays = {
        "R_cam_from_world": np.stack([rig.R for rig in all_rigs]),
        "t_cam_from_world_mm": np.stack([rig.t for rig in all_rigs]),
        "rotation_std_deg": np.stack([rig.rotation_std_deg for rig in all_rigs]),
        "center_std_mm": np.stack([rig.center_std for rig in all_rigs]),
        "center_covariance_mm2": np.stack([rig.center_covariance_in_world for rig in all_rigs]),
        "residual_px": np.stack([rig.residual * focal_px for rig in all_rigs]),
        "epipolar_start_px": np.array([rig.epipolar_start * focal for rig in all_rigs]),
        "epipolar_px": np.array([rig.epipolar * focal for rig in all_rigs]),
    }
    return arrays | ({"pose_covariance": all_rigs[0].pose_covariance[None]} if len(all_rigs) == 1 else {})
