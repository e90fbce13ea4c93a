"""Labels made with the cameras the footage came with, to compare the self-calibrated ones with.

The result is a folder. Where the footage has a truth to measure by, and extrinsics for all labelling views of the
training recordings, it holds `rigs.zarr` and `labels.zarr`, made as the stages `calibrate` and `triangulate` make
theirs; otherwise it says why it holds nothing (`files.why_absent`).
"""

import logging
from pathlib import Path

from pipeline.capture import read_capture
from pipeline.files import atomic_write, write_absent
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.triangulate import TriangulateParams

log = logging.getLogger("epiline")


def label_with_known_rig(
    frames: Path, poses2d: Path, baseline: Path, calibrate: CalibrateParams, triangulate: TriangulateParams
) -> None:
    """Write labels from the detections and the given extrinsics, or the reason why there are none.

    The mode of `calibrate` is known. Raises UserError where no recording can be labelled.
    """
    reason = _why_not(frames)
    if reason:
        log.info("Baseline: none, as %s", reason)
        write_absent(baseline, reason)
        return
    with atomic_write(baseline) as aside:
        aside.mkdir()
        calibrate_capture(frames, poses2d, aside / "rigs.zarr", calibrate)
        triangulate_capture(frames, poses2d, aside / "rigs.zarr", aside / "labels.zarr", triangulate)


def _why_not(frames: Path) -> str | None:
    if not (frames / "truth.zarr").exists():
        return "the footage has no truth to measure by"
    for recording in read_capture(frames).recordings:
        for view in (recording.views[v] for v in recording.view_indices(for_labels=True)):
            if recording.split == "train" and not view.camera.has_extrinsics:
                return f"camera {view.name} of {recording.name} came without extrinsics"
    return None
