"""Alerts about cameras that are not of one kind, as their found focal lengths show."""

from collections.abc import Sequence

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.labels.rig_result import subject_of

# A focal length that differs from those of the other cameras by more than this, and by more than this many standard
# deviations, is another one.
MIN_DIFFERENCE, DIFFERENCE_STDS = 0.1, 2.0


def focal_length_alerts(pool: Sequence[Recording], rig: Rig) -> list[Alert]:
    """An alert about the cameras whose focal length over the given one differs from that of the other cameras.

    None if they do not differ by more than chance, or if the focal lengths are exact.
    """
    with np.errstate(invalid="ignore"):
        middle = np.exp(np.median(np.log(rig.focal_scale[rig.has_extrinsics])))
        difference = rig.focal_scale / middle - 1
        is_other = (np.abs(difference) > MIN_DIFFERENCE) & (np.abs(difference) > DIFFERENCE_STDS * rig.focal_std)
    other = np.flatnonzero(is_other & rig.has_extrinsics & (rig.focal_std > 0))
    if not len(other):
        return []
    names = [view.name for view in pool[0].views]
    found = "; ".join(f"{names[v]}: {difference[v]:+.0%} +- {rig.focal_std[v]:.0%}" for v in other)
    return [
        Alert(
            kind="different_focal_lengths", severity="warning", subject=subject_of(pool),
            message="the focal lengths of the cameras do not have the ratios of the given ones: lenses or zooms differ",
            evidence=f"relative to the median of all cameras {found}",
            mend="Give a calibration file with the intrinsics of each camera, or film with lenses of one kind.",
        )
    ]  # fmt: skip
