"""Videos that are given twice, found by their hashes: refused within a recording, an alert between recordings."""

from collections.abc import Mapping
from itertools import combinations

from pipeline.alerts import Alert
from pipeline.capture import Capture, Recording
from pipeline.errors import UserError


def check_no_copy(recording: Recording, hashes: Mapping[str, str]) -> None:
    """Raise UserError if two views of a recording are one video; `hashes` are those of the videos' files."""
    for a, b in combinations(recording.views, 2):
        if hashes[a.file] == hashes[b.file]:
            what = f"The videos of {a.name} and {b.name} are copies of one video"
            raise UserError(
                what, where=recording.name, fix=f"Replace one of them by the video of its own camera: {b.file}."
            )


def alerts_of_copies(capture: Capture, hashes: Mapping[str, str]) -> list[Alert]:
    """Alerts about pairs of recordings that share videos: an error if one trains and the other tests."""
    alerts = []
    for one, other in combinations(capture.recordings, 2):
        shared = {hashes[view.file] for view in one.views} & {hashes[view.file] for view in other.views}
        if not shared:
            continue
        names = ", ".join(view.name for view in one.views if hashes[view.file] in shared)
        leaks = one.split != other.split
        message = "the recordings share videos" + (", though one is for training and one for testing" if leaks else "")
        mend = "Remove the copies; results on the test recording say nothing." if leaks else "Remove the copies."
        alerts.append(Alert(
            kind="copied_video", severity="error" if leaks else "warning", subject=f"{one.name}, {other.name}",
            message=message, evidence=f"equal hashes of {names}", mend=mend,
        ))  # fmt: skip
    return alerts
