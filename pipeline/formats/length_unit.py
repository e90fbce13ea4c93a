"""The unit of length of a calibration: inferred from the distances between the cameras where the file is silent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.alerts import Alert
from pipeline.formats.calibration_format import MM_PER_M
from pipeline.geometry.camera.model import Camera

# Usual range of the largest distance between two cameras that film people, in mm. It is narrow enough to tell metres
# from millimetres: a rig that fits in one of the units does not fit in the other.
USUAL_SPAN_MM = (200.0, 30_000.0)
# Range that is possible where the file states its unit.
POSSIBLE_SPAN_MM = (20.0, 200_000.0)
MEND = (
    "Only calibrate.mode known and adjust use it; they compare it with the size of the people. To state it, write unit"
    ' = "m" or "mm" under [metadata] of a TOML file.'
)


@dataclass(frozen=True)
class ScaledCameras:
    """Cameras in millimetres, what was inferred to scale them, and doubts about that."""

    cameras: dict[str, Camera]
    inferred: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()


def infer_unit(cameras: Mapping[str, Camera], file: str, *, has_scale: bool = True) -> ScaledCameras:
    """Scale cameras whose translations were taken for metres, though their file does not state the unit of length.

    The unit is the one of metres and millimetres in which the distances are usual, or closer to usual. Without
    `has_scale`, the numbers have no unit at all, and their scale is a note.
    """
    span_mm = _span_mm(cameras)
    if span_mm is None:
        return ScaledCameras(dict(cameras))
    in_mm = _from_usual(span_mm / MM_PER_M) < _from_usual(span_mm)
    if in_mm:
        cameras, span_mm = {name: _scaled(camera) for name, camera in cameras.items()}, span_mm / MM_PER_M
    unit, apart = ("millimetres" if in_mm else "metres"), f"the cameras are up to {_metres(span_mm)} apart"
    if not has_scale:
        message = f"the scale of the extrinsics is arbitrary; {unit} are assumed: {apart}"
    elif _from_usual(span_mm) > 1:
        message = f"the file does not state its unit of length; {unit} are assumed, though {apart} then"
    else:
        return ScaledCameras(dict(cameras), (f"the file does not state its unit of length; {unit}: {apart}",))
    return ScaledCameras(dict(cameras), alerts=(_alert(file, message),))


def check_unit(cameras: Mapping[str, Camera], file: str) -> ScaledCameras:
    """The cameras, with an alert if they stand so close together or so far apart that the stated unit must be wrong."""
    span_mm = _span_mm(cameras)
    if span_mm is None or POSSIBLE_SPAN_MM[0] <= span_mm <= POSSIBLE_SPAN_MM[1]:
        return ScaledCameras(dict(cameras))
    message = f"the unit of length must be wrong: the cameras are up to {_metres(span_mm)} apart"
    return ScaledCameras(dict(cameras), alerts=(_alert(file, message),))


def _span_mm(cameras: Mapping[str, Camera]) -> float | None:
    """The largest distance between two cameras; None where fewer than two have extrinsics."""
    centers = [camera.center_world_mm for camera in cameras.values() if camera.has_extrinsics]
    finite = np.array([center for center in centers if np.isfinite(center).all()])
    if len(finite) < 2:
        return None
    span_mm = float(np.linalg.norm(finite[:, None] - finite, axis=-1).max())
    return span_mm if span_mm > 0 else None


def _from_usual(span_mm: float) -> float:
    """The factor to the nearest usual span; at most 1 for usual ones."""
    return max(USUAL_SPAN_MM[0] / span_mm, span_mm / USUAL_SPAN_MM[1])


def _scaled(camera: Camera) -> Camera:
    t_mm = camera.t_cam_from_world_mm
    return camera if t_mm is None else replace(camera, t_cam_from_world_mm=t_mm / MM_PER_M)


def _metres(span_mm: float) -> str:
    return f"{span_mm / MM_PER_M:.3g} m"


def _alert(file: str, message: str) -> Alert:
    return Alert(kind="unknown_unit", severity="note", subject=file, message=message, mend=MEND)
