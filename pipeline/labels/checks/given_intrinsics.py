"""Intrinsics that cannot be those of the videos, in every mode of calibration."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.verification.given_intrinsics import PrincipalPoints, judge_principal_points
from pipeline.labels.rig_result import CalibrationResult, Refused, refused


def check_intrinsics(recording: Recording) -> Refused | tuple[Alert, ...]:
    """Why the intrinsics of a recording cannot be used, or doubts about them: principal points far from the middle."""
    views = [recording.views[v] for v in recording.view_indices(for_labels=True)]
    if not views:
        return ()
    found = judge_principal_points(
        np.array([view.K for view in views], float), np.array([view.size_px for view in views], float)
    )
    if found.image_scale is not None:
        return _wrong_size(recording, found.image_scale)
    return tuple(
        Alert(
            kind="off_centre_principal_point", severity="error" if found.is_outside[i] else "warning",
            subject=f"{recording.name}, {view.name}",
            message="the principal point lies "
            + ("outside the image" if found.is_outside[i] else "far from the middle of the image"),
            evidence=_position(view.K, view.size_px, found, i),
            mend="Check that the calibration is that of this video: its image size, its rotation, and any crop.",
        )
        for i, view in enumerate(views)
        if found.is_far[i]
    )  # fmt: skip


def _wrong_size(recording: Recording, image_scale: float) -> Refused:
    width, height = recording.views[0].size_px
    reason = f"the cameras seem to be for images of {image_scale:.2g} times the size of the videos"
    mend = (
        f"State the calibrated image size in the calibration file (about {image_scale * width:.0f} x"
        f" {image_scale * height:.0f} for frames of {width} x {height}), or use the videos that were calibrated."
    )
    return refused(recording.name, reason, kind="wrong_image_size", mend=mend)


def _position(K: Sequence[Sequence[float]], size_px: tuple[int, int], found: PrincipalPoints, i: int) -> str:
    return f"at ({K[0][2]:.0f}, {K[1][2]:.0f}) of {size_px[0]} x {size_px[1]} px, {found.offset[i]:.0%} off the middle"


def with_doubts(result: CalibrationResult | Refused, doubts: Sequence[Alert]) -> CalibrationResult | Refused:
    """The result of a recording with alerts about it added."""
    return replace(result, alerts=(*result.alerts, *doubts))
