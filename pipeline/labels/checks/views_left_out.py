"""Alerts about views that a calibration from the people left out."""

from collections.abc import Sequence

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.labels.checks.mirrored_images import mirrored_alerts
from pipeline.labels.observations import Observations
from pipeline.labels.rig_result import subject_of


def left_out_alerts(pool: Sequence[Recording], observed: Sequence[Observations], rig: Rig) -> list[Alert]:
    """Alerts about each view that has no extrinsics because of what it sees: the reason, and whether it is mirrored.

    `observed` are the detections of each recording.
    """
    scaled = [one.scale_focal(rig.focal_scale) for one in observed]
    points_norm = np.concatenate([one.points_norm for one in scaled])
    sigma = np.concatenate([one.sigma for one in scaled])
    names = [view.name for view in pool[0].views]
    mirrored = mirrored_alerts(subject_of(pool), names, points_norm, sigma, rig.R, rig.t, sorted(rig.left_out))
    mend = (
        "Check that the camera is synchronous, stood still, and sees the same person together with at least two other "
        "views for some time."
    )
    left_out = [
        Alert(
            kind="view_left_out", severity="error", subject=f"{subject_of(pool)}, {pool[0].views[view].name}",
            message="the view is not calibrated and has no part in the labels", evidence=reason, mend=mend,
        )
        for view, reason in sorted(rig.left_out.items())
    ]  # fmt: skip
    return [*left_out, *mirrored]
