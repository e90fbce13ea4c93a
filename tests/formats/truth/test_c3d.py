"""True points as C3D: written byte by byte as the format's manual has it, and by the package."""

import struct
import sys

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.truth.c3d import read

NAMES = ["LHJC", "RHJC"]
POINTS = np.arange(18, dtype=float).reshape(3, 2, 3)


def parameter(group: int, name: str, kind: int, dims: list[int], data: bytes) -> bytes:
    body = struct.pack("<bB", kind, len(dims)) + bytes(dims) + data + b"\0"
    return struct.pack("<bb", len(name), group) + name.encode() + struct.pack("<h", len(body) + 2) + body


def write_c3d(path, points, units=b"mm", first_frame=1, rate=100.0):
    """A file of 32-bit floats on Intel: a header, a block of parameters, and a block of points."""
    n_frames, n_points = points.shape[:2]
    header = struct.pack(
        "<BBHHHHHfHHf", 2, 80, n_points, 0, first_frame, first_frame + n_frames - 1, 10, -1, 3, 0, rate
    )
    group = struct.pack("<bb", 5, -1) + b"POINT" + struct.pack("<h", 3) + b"\0"
    labels = b"".join(name.encode().ljust(8) for name in NAMES)
    block = group
    block += parameter(1, "USED", 2, [], struct.pack("<h", n_points))
    block += parameter(1, "SCALE", 4, [], struct.pack("<f", -1))
    block += parameter(1, "RATE", 4, [], struct.pack("<f", rate))
    block += parameter(1, "DATA_START", 2, [], struct.pack("<h", 3))
    block += parameter(1, "FRAMES", 2, [], struct.pack("<h", n_frames))
    block += parameter(1, "LABELS", -1, [8, n_points], labels)
    block += parameter(1, "UNITS", -1, [len(units)], units) if units else b""
    values = b"".join(
        struct.pack("<ffff", *(np.zeros(3) if np.isnan(x).any() else x), -1 if np.isnan(x).any() else 0)
        for x in points.reshape(-1, 3)
    )
    path.write_bytes(
        header.ljust(512, b"\0") + (b"\x01\x50\x01\x54" + block).ljust(512, b"\0") + values.ljust(512, b"\0")
    )
    return path


@pytest.mark.parametrize(("units", "factor"), [(b"mm", 1), (b"m ", 1000)])
def test_points_names_rate_and_unit_are_read(tmp_path, units, factor):
    pytest.importorskip("ezc3d")
    points = POINTS.copy()
    points[1, 1] = np.nan
    found = read(write_c3d(tmp_path / "truth.c3d", points, units, first_frame=51))
    assert found.names == tuple(NAMES)
    np.testing.assert_allclose(found.points_mm, factor * points)
    np.testing.assert_allclose(found.times_s, [0.5, 0.51, 0.52])


def test_a_file_that_the_package_writes_is_read(tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d()
    for key, value in (("RATE", [50.0]), ("UNITS", ["m"]), ("LABELS", NAMES)):
        file["parameters"]["POINT"][key]["value"] = value
    file["data"]["points"] = np.concatenate([POINTS.transpose(2, 1, 0), np.ones((1, 2, 3))])
    file.write(str(tmp_path / "truth.c3d"))
    found = read(tmp_path / "truth.c3d")
    assert found.names == tuple(NAMES)
    np.testing.assert_allclose(found.points_mm, 1000 * POINTS)
    np.testing.assert_allclose(found.times_s, [0, 0.02, 0.04])


def test_other_files_are_refused(tmp_path):
    pytest.importorskip("ezc3d")
    (tmp_path / "truth.c3d").write_bytes(b"no file of points" * 100)
    with pytest.raises(ValueError, match="ezc3d cannot read it"):
        read(tmp_path / "truth.c3d")
    with pytest.raises(ValueError, match="POINT:UNITS"):
        read(write_c3d(tmp_path / "truth.c3d", POINTS, units=b""))


def test_without_the_package_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(UserError, match=r"need the package ezc3d .*\[c3d\]"):
        read(tmp_path / "truth.c3d")
