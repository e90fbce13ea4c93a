"""Recordings of one rig have the same views: what happens to a view that only some of them have."""

from collections.abc import Sequence

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.errors import UserError

# A camera belongs to a rig if at least this share of the rig's recordings has a video of it.
MIN_SHARE = 0.5


def use_common_views(recordings: Sequence[Recording]) -> tuple[list[tuple[str, UserError]], list[Alert]]:
    """Take views out of the recordings whose cameras most recordings of the rig lack, with an alert about each.

    Also returned are the recordings that lack a camera which most others of the rig have, as a video is then missing:
    their names, and why they cannot be used.
    """
    missing: list[tuple[str, UserError]] = []
    alerts: list[Alert] = []
    for rig in dict.fromkeys(recording.rig for recording in recordings):
        pool = [recording for recording in recordings if recording.rig == rig]
        common = _common_names(pool)
        for recording in pool:
            names = [view.name for view in recording.views]
            if lacking := sorted(common - set(names)):
                missing.append((recording.name, _missing(recording.name, lacking)))
            elif further := [name for name in names if name not in common]:
                alerts.append(_further(recording.name, further))
                recording.views = [view for view in recording.views if view.name in common]
    return missing, alerts


def _common_names(pool: Sequence[Recording]) -> set[str]:
    """The cameras that enough recordings have."""
    names = [view.name for recording in pool for view in recording.views]
    return {name for name in names if names.count(name) >= MIN_SHARE * len(pool)}


def _missing(recording: str, names: Sequence[str]) -> UserError:
    what = f"No video of camera {', '.join(names)}, which other recordings have"
    fix = "Add it, or give the recording a calibration file of its own without that camera."
    return UserError(what, where=recording, fix=fix)


def _further(recording: str, names: Sequence[str]) -> Alert:
    return Alert(
        kind="further_views", severity="warning", subject=f"{recording}, {', '.join(names)}",
        message="the video is not used, as most recordings of the same rig have none of this camera",
        mend="To use it, put the calibration file into the folder of the recording: it is then calibrated by itself.",
    )  # fmt: skip
