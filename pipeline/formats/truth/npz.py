"""True points as NumPy's npz: `joints` (F, N, 3), their `names`, `time_s` or `frame`, and `unit`."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from pipeline.formats.truth.named_points import NamedPoints, mm_per_unit
from pipeline.skeleton import JOINTS


def read(path: Path) -> NamedPoints:
    """The points of a file; without `names`, they are the project's 17 joints, and without `unit` millimetres."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, EOFError, BadZipFile) as error:
        raise ValueError(f"It is no npz file: {error}") from None
    if "joints" not in arrays:
        raise ValueError(f"It has no array joints, but {', '.join(arrays) or 'nothing'}")
    joints = np.asarray(arrays["joints"], float)
    names = tuple(str(name) for name in arrays["names"]) if "names" in arrays else JOINTS
    if joints.ndim != 3 or joints.shape[1:] != (len(names), 3):
        raise ValueError(f"joints has the shape {joints.shape}, not (frames, {len(names)} names, 3)")
    factor = mm_per_unit(str(arrays.get("unit", "mm")))
    times, frames = (np.asarray(arrays[key], float) if key in arrays else None for key in ("time_s", "frame"))
    return NamedPoints(names, factor * joints, times, frames)
