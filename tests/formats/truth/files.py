"""Files of true points as programs write them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_trc(
    path: Path, names: Sequence[str], points: np.ndarray, times_s: np.ndarray, units: str = "m", *, end: str = ""
) -> Path:
    """A TRC file as Pose2Sim and OpenSim write it; missing points are empty cells."""
    rate, n = f"{1 / np.diff(times_s).mean():g}", len(points)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{n}\t{len(names)}\t{units}\t{rate}\t1\t{n}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"X{i + 1}\tY{i + 1}\tZ{i + 1}" for i in range(len(names))),
    ]
    for i, (time, row) in enumerate(zip(times_s, points, strict=True)):
        cells = ["" if np.isnan(x) else f"{x:.6f}" for x in row.ravel()]
        lines.append("\t".join([str(i + 1), f"{time:.6f}", *cells]) + end)
    path.write_text("\n".join(lines) + "\n")
    return path


def write_csv(path: Path, names: Sequence[str], points: np.ndarray, times_s: np.ndarray, unit: str = "") -> Path:
    """A table with a column for each coordinate."""
    header = ["time_s", *(f"{name}_{axis}{unit}" for name in names for axis in "xyz")]
    rows = [[f"{time:.6f}", *("" if np.isnan(x) else f"{x:.4f}" for x in row.ravel())]
            for time, row in zip(times_s, points, strict=True)]  # fmt: skip
    path.write_text("\n".join(",".join(line) for line in [header, *rows]) + "\n")
    return path
