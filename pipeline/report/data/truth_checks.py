"""Doubts about the truth: whether it lies where the people are, whether it is in step, and what an alignment hides."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from pipeline import metrics
from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.truth import Truth

# A median distance of the detections from the projected truth above this share of the person's box: even poor detectors
# err by less than 10 %.
MISPLACED_PERCENT = 25.0
# Delays that are tried, in seconds, and the share of the distance that another delay must take away.
MAX_DELAY_S, MUCH_LESS, LEAST_MM = 1.0, 0.8, 5.0
MAX_FRAMES = 400  # that are compared, evenly spaced


def truth_alerts(data: ReportData, truth: Truth | None) -> list[Alert]:
    """Alerts about the truth of each recording; none without truth."""
    if truth is None:
        return []
    known = [recording for recording in data.capture.recordings if recording in truth]
    return [alert for recording in known for alert in _of_recording(data, recording, truth)]


def _of_recording(data: ReportData, recording: Recording, truth: Truth) -> Iterator[Alert]:
    if truth.is_aligned:
        yield _alert_of_alignment(recording, truth)
    views = [view for view in data.of_recording(recording.name) if view.has_truth and not view.evaluation_only]
    off_percent = _misplaced(views)
    if off_percent is not None and off_percent > MISPLACED_PERCENT:
        yield Alert(
            kind="truth_misplaced", severity="error", subject=recording.name,
            message="the true joints do not lie where the person is in the images, so that all errors are of no use",
            evidence=f"half of the detected joints are more than {off_percent:.0f} % of the person's box from them",
            mend="Check capture.truth (coordinates, axes, start_s), and that the file is of this recording.",
        )  # fmt: skip
    labelled = [view for view in views if np.isfinite(view.label_cam_mm).any()]
    delay = find_delay(labelled[0].label_cam_mm, labelled[0].true_cam_mm, recording.fps) if labelled else None
    if delay is not None:
        yield Alert(
            kind="truth_late", severity="warning", subject=recording.name,
            message=f"the truth seems to be {abs(delay):.2f} s {'late' if delay > 0 else 'early'}, so that errors are"
            " too large",
            evidence="the labels fit it better then", mend=f"Add {delay:+.3f} to capture.truth.start_s.",
        )  # fmt: skip


def _alert_of_alignment(recording: Recording, truth: Truth) -> Alert:
    found = truth.alignment(recording)
    if found is None:
        return Alert(
            kind="truth_not_aligned", severity="warning", subject=recording.name,
            message="its truth is not used, as there are too few labels to align it to",
        )  # fmt: skip
    return Alert(
        kind="truth_aligned", severity="note", subject=recording.name,
        message="the truth is aligned to the labels of the whole recording: only PA-MPJPE and errors over stated"
        " uncertainty are the same as with known cameras; other errors are somewhat too small",
        evidence=f"labels are {found.scale:.3f} times as large as the truth and {found.rms_mm:.0f} mm (rms) from it",
    )  # fmt: skip


def _misplaced(views: Sequence[ViewData]) -> float | None:
    """Median distance of the detections from the projected truth, percent of the box; None without any."""
    errors = [metrics.box_errors_percent(view.detected_px, view.true_px).ravel() for view in views]
    known = np.concatenate([own[np.isfinite(own)] for own in errors]) if errors else np.empty(0)
    return float(np.median(known)) if len(known) else None


def find_delay(
    labels: Float[np.ndarray, "frame 17 3"], truth: Float[np.ndarray, "frame 17 3"], fps: float
) -> float | None:
    """The time in s by which the truth is late; None if it is in step as far as the poses tell.

    Poses are compared around their centres, in the same frame of a camera, at every delay of whole frames; the delay is
    the minimum of a parabola through the three best ones.
    """
    most = min(round(MAX_DELAY_S * fps), len(labels) // 3)
    delays = np.arange(-most, most + 1)
    frames = most + linspace_indices(len(labels) - 2 * most, MAX_FRAMES)
    off_mm = np.array([_distance(labels[frames], truth[frames + delay]) for delay in delays])
    if not np.isfinite(off_mm).all():
        return None
    best, now = int(off_mm.argmin()), off_mm[most]
    if off_mm[best] > MUCH_LESS * now or now - off_mm[best] < LEAST_MM:
        return None
    part = 0.0
    if 0 < best < len(delays) - 1:
        before, at, after = off_mm[best - 1 : best + 2] ** 2
        part = 0.5 * (before - after) / (before - 2 * at + after)
    return float((delays[best] + part) / fps)


def _distance(labels: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of joints around the centres of those that both poses (frame, joint, 3) have; NaN without any."""
    known = np.isfinite(labels).all(-1) & np.isfinite(truth).all(-1)
    n = np.maximum(known.sum(1), 1)[:, None, None]
    a, b = (np.where(known[..., None], x, 0.0) for x in (labels, truth))
    off = np.linalg.norm((a - a.sum(1, keepdims=True) / n) - (b - b.sum(1, keepdims=True) / n), axis=-1)
    return float(off[known].mean()) if known.any() else float("nan")
