"""Writes the calibrated cameras of a capture for other programs (`epiline export-rig`)."""

from pathlib import Path

from pipeline.errors import UserError
from pipeline.formats.calibration import write_calibration
from pipeline.stores import RIGS, open_store

COMMENT = """\
Written by epiline. Intrinsics are those of the packed frames, of the sizes given here;
scale them for videos of another size. The unit of length was fixed by: {scale}."""


def export_rig(rigs: Path, path: Path, form: str, recording: str | None = None) -> list[str]:
    """Write the cameras of a recording, by default the first that was calibrated; return the names of the cameras.

    Their intrinsics are those of the packed frames, as found by the calibration; a comment in the file says so.
    Raises UserError if the recording has no rig or one rig per frame, and if the file exists.
    """
    store = open_store(rigs, RIGS)
    name = next((name for name in store if recording in (None, name)), None)
    if name is None:
        wanted = "any recording" if recording is None else f"the recording {recording}"
        raise UserError(
            f"There is no rig of {wanted}", where=str(rigs), fix=f"Calibrated are: {', '.join(store) or '-'}."
        )
    rig = store[name]
    if rig.n_rows > 1:
        fix = "Calibrate with calibrate.mode=rig to find one for all frames."
        raise UserError(f"{name} has {rig.n_rows} rigs, one per frame", where=str(rigs), fix=fix)
    views = zip(rig.record.cameras, rig.cameras(), strict=True)
    cameras = {record.view: camera for record, camera in views if camera.has_extrinsics}
    write_calibration(path, cameras, form, COMMENT.format(scale=rig.record.scale))
    return list(cameras)
