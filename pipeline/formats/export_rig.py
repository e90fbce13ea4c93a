"""Writes the calibrated cameras of a capture for other programs (`epiline export-rig`)."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.formats.calibration_writers import write_calibration
from pipeline.geometry.camera.model import Camera
from pipeline.labels.observations import assumed_cameras
from pipeline.stores import RIGS, focal_scales, open_store


def export_rig(data: Path, path: Path, form: str, recording: str | None = None) -> list[str]:
    """Write the cameras of a recording, by default the first that was calibrated; the names of those written.

    They are those of the packed frames: pixels, focal lengths and lens as the labels were made with.
    Raises UserError where there is no such rig.
    """
    rigs = open_store(data / "rigs.zarr", RIGS)
    capture = read_capture(data / "frames").scale_focal(focal_scales(rigs))
    calibrated = [r for r in capture.recordings if r.name in rigs]
    chosen = next((r for r in calibrated if recording in (None, r.name)), None)
    if chosen is None:
        fix = f"There are {', '.join(r.name for r in calibrated)}."
        raise UserError(f"No rig of the recording {recording} was found", where=str(data / "rigs.zarr"), fix=fix)
    rig = rigs[chosen.name]
    R, t = rig["R_cam_from_world"], rig["t_cam_from_world_mm"]
    if len(R) > 1:
        fix = "Calibrate with calibrate.mode=rig to find one for all."
        raise UserError(f"{chosen.name} has {len(R)} rigs, one a frame", where=str(data / "rigs.zarr"), fix=fix)
    cameras = assumed_cameras(chosen, ignore_distortion=rig.attrs["ignore_distortion"])
    posed: dict[str, Camera] = {
        view.name: replace(camera, R_cam_from_world=R[0, v], t_cam_from_world_mm=t[0, v])
        for v, (view, camera) in enumerate(zip(chosen.views, cameras, strict=True))
        if np.isfinite(t[0, v]).all()
    }
    write_calibration(path, posed, form)
    return list(posed)
