"""Alerts about views that a calibration from the people left out."""

from collections.abc import Sequence

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.labels.rig_result import subject_of


def left_out_alerts(pool: Sequence[Recording], rig: Rig) -> list[Alert]:
    """An alert for each view that has no extrinsics because of what it sees, with the reason."""
    mend = (
        "Check that the camera is synchronous, stood still, and sees the same person together with at least two other "
        "views for some time."
    )
    return [
        Alert(
            kind="view_left_out", severity="error", subject=f"{subject_of(pool)}, {pool[0].views[view].name}",
            message="the view is not calibrated and has no part in the labels", evidence=reason, mend=mend,
        )
        for view, reason in sorted(rig.left_out.items())
    ]  # fmt: skip
