"""Writes the calibrated cameras of a capture for other programs (`epiline export-rig`)."""

from pathlib import Path

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.formats.calibration import write_calibration
from pipeline.geometry.camera.model import Camera
from pipeline.stores import RIGS, open_store
from pipeline.video.sources import read_header

COMMENT = """\
Written by epiline. Intrinsics are those of {images}: {sizes}.
The unit of length was fixed by: {scale}."""


def export_rig(rigs: Path, capture: Path, path: Path, form: str, recording: str | None = None) -> str:
    """Write the cameras of a recording, by default the first that was calibrated; return what was written, as text.

    Their intrinsics are those of the videos in the folder `capture` (the stage's) or, if a video is no longer there, of
    the packed frames; a comment in the file says which, and the image sizes.
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
    packed = {record.view: camera for record, camera in views if camera.has_extrinsics}
    of_videos = _of_videos(packed, capture, name)
    cameras = of_videos or packed
    images = "the videos" if of_videos else "the packed frames, not of the videos; scale them for other sizes"
    sizes = _sizes(cameras)
    write_calibration(path, cameras, form, COMMENT.format(images=images, sizes=sizes, scale=rig.record.scale))
    return f"{', '.join(cameras)}; intrinsics for {images}: {sizes}"


def _of_videos(packed: dict[str, Camera], capture: Path, recording: str) -> dict[str, Camera] | None:
    """The cameras for the pixels of their videos; None if a video cannot be read."""
    try:
        found = next((one for one in read_capture(capture).recordings if one.name == recording), None)
        files = {view.name: Path(view.file) for view in found.views} if found else {}
        return {name: camera.resized(read_header(files[name]).size_px) for name, camera in packed.items()}
    except (UserError, KeyError):
        return None


def _sizes(cameras: dict[str, Camera]) -> str:
    sizes = {name: f"{camera.size_px[0]} x {camera.size_px[1]} px" for name, camera in cameras.items()}
    if len(set(sizes.values())) == 1:
        return next(iter(sizes.values()))
    return ", ".join(f"{name} {size}" for name, size in sizes.items())
