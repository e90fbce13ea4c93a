"""Labels made with the cameras given with the footage, to compare with the labels of self-calibrated cameras.

The result is a folder. If the footage has truth, and extrinsics for all labelling views of the training recordings, the
folder holds `rigs.zarr` and `labels.zarr`, made by the functions of the stages `calibrate` and `triangulate`. Otherwise
it holds the reason why there are no labels (`files.placeholder_reason`).
"""

import logging
from pathlib import Path

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.files import atomic_write, write_placeholder
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.triangulate import TriangulateParams

log = logging.getLogger("epiline")


def label_with_known_rig(
    frames: Path, poses2d: Path, baseline: Path, calibrate: CalibrateParams, triangulate: TriangulateParams
) -> None:
    """Write labels from the detections and the given extrinsics, or the reason why there are none.

    `calibrate.mode` is set to `known`. That no recording can be labelled is an alert, as only a comparison is missing.
    """
    reason = _why_not(frames)
    if reason:
        log.info("Baseline: none, as %s", reason)
        write_placeholder(baseline, reason)
        return
    try:
        with atomic_write(baseline) as aside:
            aside.mkdir()
            calibrate_capture(frames, poses2d, aside / "rigs.zarr", calibrate)
            triangulate_capture(frames, poses2d, aside / "rigs.zarr", aside / "labels.zarr", triangulate)
    except UserError as error:
        alert = Alert(
            kind="no_baseline", severity="warning", subject="cameras as given",
            message="no labels could be made with them, to compare with", evidence=str(error),
            mend="Check the calibration file: errors against the truth use these cameras too.",
        )  # fmt: skip
        log_alerts([alert])
        write_placeholder(baseline, str(error), [alert])


def _why_not(frames: Path) -> str | None:
    if not (frames / "truth.zarr").exists():
        return "the footage has no truth to measure by"
    for recording in read_capture(frames).recordings:
        for view in (recording.views[v] for v in recording.view_indices(for_labels=True)):
            if recording.split == "train" and not view.camera.has_extrinsics:
                return f"camera {view.name} of {recording.name} came without extrinsics"
    return None
