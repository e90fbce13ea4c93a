"""True points as C3D, the format of motion capture systems, read by the package ezc3d."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.truth.named_points import NamedPoints, mm_per_unit


def read(path: Path) -> NamedPoints:
    """The points of a file; invalid ones, whose residual is negative, are missing, and the file states its unit.

    Frames are counted from 1 at time 0, so that a file that was cut keeps its times.
    """
    try:
        ezc3d: Any = importlib.import_module("ezc3d")
    except ImportError:
        fix = "Install it with pip install '.[c3d]', or convert the file to TRC."
        raise UserError("C3D files need the package ezc3d", where=str(path), fix=fix) from None
    try:
        file = ezc3d.c3d(str(path))
    except Exception as error:  # the binding raises what the C++ library throws
        raise ValueError(f"ezc3d cannot read it: {error}") from None
    point = file["parameters"]["POINT"]
    labels = [name for key in ("LABELS", "LABELS2", "LABELS3") if key in point for name in point[key]["value"]]
    points = np.moveaxis(np.asarray(file["data"]["points"], float)[:3], 0, -1).transpose(1, 0, 2)
    if not len(labels) or points.shape[1] < 1 or not len(points):
        raise ValueError("It holds no points")
    valid = np.asarray(file["data"]["meta_points"]["residuals"], float)[0].T >= 0
    points = np.where(valid[..., None], points, np.nan)[:, : len(labels)]
    rate = float(file["header"]["points"]["frame_rate"])
    times = (int(file["header"]["points"]["first_frame"]) + np.arange(len(points))) / rate
    units = point["UNITS"]["value"] if "UNITS" in point else []
    if not units:
        raise ValueError("It does not state its unit of length, POINT:UNITS")
    return NamedPoints(tuple(labels[: points.shape[1]]), mm_per_unit(units[0]) * points, times)
