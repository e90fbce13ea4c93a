"""True joints in the world of the given cameras, and whether they are people whom these cameras see."""

import re
from itertools import product

import numpy as np
from jaxtyping import Float

from pipeline.capture import Recording
from pipeline.errors import UserError
from pipeline.geometry.body.scale import scale_from_bones
from pipeline.geometry.body.segment_lengths import segment_lengths
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.verification.given_size import SizeOfPeople, judge_size
from pipeline.params.capture import EVEN, ODD, TruthParams

# Rows that are measured, evenly spaced.
MAX_ROWS = 500
# The truth is refused if it lies in the images of no camera in more than this share of its rows, and other axes are
# proposed if it lies in those of all cameras in more than the second.
LEAST_SEEN, WELL_SEEN = 0.05, 0.5

Joints = Float[np.ndarray, "row 17 3"]


def rotation_of_axes(axes: str) -> Float[np.ndarray, "3 3"]:
    """The rotation from a file's coordinates to those whose axes are the file's axes in another order.

    >>> rotation_of_axes("x-zy") @ [1, 2, 3]
    array([ 1., -3.,  2.])
    """
    parts = re.findall("-?[xyz]", axes)
    return np.array([(-1 if part[0] == "-" else 1) * np.eye(3)["xyz".index(part[-1])] for part in parts])


def place(joints_mm: Joints, recording: Recording, params: TruthParams) -> Joints:
    """The joints in the world of the recording's cameras; unchanged if labels will place them.

    Raises UserError if extrinsics are needed and not given, and for an unknown camera.
    """
    if params.coordinates == "aligned":
        return joints_mm
    cameras = {view.name: view.camera for view in recording.views}
    if not all(camera.has_extrinsics for camera in cameras.values()):
        what = f"capture.truth.coordinates = {params.coordinates} needs the extrinsics of the cameras"
        raise UserError(what, fix="Add them to the calibration file, or set capture.truth.coordinates=aligned.")
    if params.coordinates == "world":
        return _to_world(joints_mm, params.axes, None)
    if params.camera not in cameras:
        what = f"capture.truth.camera = {params.camera} is none of the cameras {', '.join(cameras)}"
        raise UserError(what, fix="Name one of them.")
    return _to_world(joints_mm, params.axes, cameras[params.camera])


def check_is_seen(joints_mm: Joints, recording: Recording, params: TruthParams) -> None:
    """Raise UserError if joints that are placed by `place` lie in the images of no camera, with axes that would."""
    if params.coordinates == "aligned" or not np.isfinite(joints_mm).any():
        return
    cameras = [view.camera for view in recording.views]
    if _seen(place(joints_mm, recording, params), cameras).max() > LEAST_SEEN:
        return
    found = {axes: _seen(place(joints_mm, recording, params.model_copy(update={"axes": axes})), cameras).min()
             for axes in all_axes()}  # fmt: skip
    best = max(found, key=lambda axes: found[axes])
    fix = "Give them in the world of the extrinsics, or set capture.truth.coordinates=aligned."
    if found[best] >= WELL_SEEN:
        fix = f"With capture.truth.axes={best} they lie in those of all cameras."
    raise UserError("The true joints lie in the images of no camera", fix=fix)


def check_size(joints_mm: Joints) -> SizeOfPeople | None:
    """How large the person is; None if no bone is seen.

    Raises UserError for an impossible size, with the unit of length that it tells.
    """
    size = judge_size(scale_from_bones([[segment_lengths(joints_mm[linspace_indices(len(joints_mm), MAX_ROWS)])]]))
    if size is not None and size.verdict == "impossible":
        what = f"The true joints are those of a person {size.ratio:.3g} times as large as an adult"
        unit = f"They seem to be {size.unit}: state" if size.unit else "State"
        raise UserError(what, fix=f"{unit} the unit of length in the file (docs/data.md).")
    return size


def _to_world(joints_mm: Joints, axes: str, source: Camera | None) -> Joints:
    """Joints in the world; of a camera's coordinates with its extrinsics."""
    joints: Joints = joints_mm @ rotation_of_axes(axes).T
    if source is not None and source.R_cam_from_world is not None and source.t_cam_from_world_mm is not None:
        joints = (joints - source.t_cam_from_world_mm) @ source.R_cam_from_world
    return joints


def _seen(joints_world_mm: Joints, cameras: list[Camera]) -> Float[np.ndarray, " view"]:
    """The share of the rows with joints in which each camera's image has at least half of them."""
    known = np.isfinite(joints_world_mm).all(-1)
    rows = np.flatnonzero(known.any(1))
    rows = rows[linspace_indices(len(rows), MAX_ROWS)]
    shares = np.zeros(len(cameras))
    for v, camera in enumerate(cameras):
        cam = camera.to_camera(joints_world_mm[rows])
        px = camera.project_cam(cam)
        with np.errstate(invalid="ignore"):
            inside = (cam[..., 2] > 0) & (px > -0.5).all(-1) & (px < np.array(camera.size_px) - 0.5).all(-1)
        shares[v] = (inside.sum(1) >= known[rows].sum(1) / 2).mean() if len(rows) else 0.0
    return shares


def all_axes() -> list[str]:
    """The 24 values of `capture.truth.axes`, which are all rotations that exchange axes."""
    return [
        "".join(sign + letter for sign, letter in zip(signs, letters, strict=True))
        for letters in (*EVEN, *ODD)
        for signs in product(("", "-"), repeat=3)
        if (signs.count("-") % 2 == 1) == (letters in ODD)
    ]
