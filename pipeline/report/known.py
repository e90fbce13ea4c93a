"""What the labels would have been with the cameras the footage came with: the bar for the self-calibrated ones."""

import tempfile
from pathlib import Path

from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.triangulate import TriangulateParams
from pipeline.report.data.report_data import Files, ReportData, gather


def gather_with_known_rig(
    files: Files, report_data: ReportData, calibrate: CalibrateParams, triangulate: TriangulateParams
) -> ReportData | None:
    """The material with labels from the same detections and the given extrinsics; None without those or truth.

    The labels are made by the functions that the stages call, in a temporary folder.
    """
    cameras = [s.view.camera for s in report_data.select("train") if s.has_truth]
    if not cameras or not all(camera.known for camera in cameras):
        return None
    with tempfile.TemporaryDirectory() as folder:
        rigs, labels = Path(folder) / "rigs.zarr", Path(folder) / "labels.zarr"
        calibrate_capture(files.frames, files.poses2d, rigs, calibrate.model_copy(update={"mode": "known"}))
        triangulate_capture(files.frames, files.poses2d, rigs, labels, triangulate)
        return gather(files, labels)
