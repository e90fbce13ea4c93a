"""Times of frames from files beside the videos."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.datasets.given_frame_times import read_given_times
from pipeline.datasets.takes import Take
from pipeline.errors import UserError
from pipeline.video.frame_times import read_times
from pipeline.video.times import Clock, clock_of
from tests.datasets.footage import footage, read

CLOCKS = {name: clock_of(np.arange(20) / 25) for name in ("port_0", "port_1")}


def times_of(camera: int) -> np.ndarray:
    return 123.3 + np.arange(20) / 25 + 0.012 * camera


def read_from(folder: Path, name: str, lines: list[str], clocks: dict[str, Clock] = CLOCKS) -> dict[str, np.ndarray]:
    (folder / name).write_text("\n".join(lines) + "\n")
    times = read_given_times(Take("S1", folder, []), clocks)
    assert times is not None
    return times


def lines(unit_s: float = 1.0, n: int = 20) -> list[str]:
    rows = [f"{c},{i},{times_of(c)[i % 20] / unit_s:.6f}" for i in range(n) for c in (1, 0)]
    return ["camera,frame,time_s", *rows]


def test_without_a_file_there_are_no_times(tmp_path):
    assert read_given_times(Take("S1", tmp_path, []), CLOCKS) is None


def test_a_line_for_each_frame_of_each_camera(tmp_path):
    times = read_from(tmp_path, "frame_times.csv", lines())
    for camera in (0, 1):
        np.testing.assert_allclose(times[f"port_{camera}"], times_of(camera))


def test_caliscopes_older_file(tmp_path):
    """Its numbers of frames count from the start of the recording, of which the video has a part."""
    rows = [f"{40 + i},{c},{26 + i},{times_of(c)[i]:.6f}" for i in reversed(range(20)) for c in (1, 0)]
    times = read_from(tmp_path, "frame_time_history.csv", ["sync_index,port,frame_index,frame_time", *rows])
    np.testing.assert_allclose(times["port_1"], times_of(1))


def test_caliscopes_present_file(tmp_path):
    rows = [f"{c},{times_of(c)[i]:.6f}" for i in range(20) for c in (0, 1)]
    clocks = {"cam_0": CLOCKS["port_0"], "cam_1": CLOCKS["port_1"]}
    times = read_from(tmp_path, "timestamps.csv", ["cam_id,frame_time", *rows], clocks)
    np.testing.assert_allclose(times["cam_1"], times_of(1))


@pytest.mark.parametrize("unit_s", [1e-3, 1e-6, 1e-9])
def test_the_unit_is_found_from_the_rate_of_the_videos(tmp_path, unit_s):
    times = read_from(tmp_path, "frame_times.csv", lines(unit_s))
    np.testing.assert_allclose(times["port_0"], times_of(0), rtol=1e-9)


def test_the_last_frames_may_be_missing_from_a_video(tmp_path):
    clocks = CLOCKS | {"port_0": clock_of(np.arange(18) / 25)}
    times = read_from(tmp_path, "frame_times.csv", lines(), clocks)
    np.testing.assert_allclose(times["port_0"], times_of(0)[:18])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (["camera,when", "0,1"], r"frame_times.csv has no camera and time \(line 2|line 2.*has no camera and time"),
        (["camera,time_s", "0,soon"], "has no camera and time"),
        (["camera,time_s"], "has no times"),
        ([line for line in lines() if line[0] != "1"], r"port_1 has no camera in the file, whose cameras are 0 "),
        (lines()[:-8], r"16 times of port_., whose video has 20 frames"),
        (lines(n=25), r"25 times of port_., whose video has 20 frames"),
        ([line.replace("123.34", "123.99") for line in lines()], r"The times of port_0 do not increase at frame 2"),
        ([*lines()[:-1], re.sub("[^,]+$", "inf", lines()[-1])], r"The times of port_. do not increase at frame 19"),
        (
            [re.sub(r"^(1,.*),12(.*)", r"\1,12\g<2>e3", line) for line in lines()],
            r"The times of port_1 run 1000 times as fast as those of port_0",
        ),
        ([re.sub(r"^(1,.*),12", r"\1,92", line) for line in lines()], r"no time in common: .*port_1 923\.31 to"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as error:
        read_from(tmp_path, "frame_times.csv", content)
    assert "frame_times.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_manifest_has_the_times(tmp_path):
    root = footage(tmp_path)
    rows = [f"cam{1 + c},{10 + i / 25 + 0.01 * c}" for i in range(5) for c in (0, 1)]
    (root / "S1_walk" / "timestamps.csv").write_text("\n".join(["camera,time_s", *rows]) + "\n")
    [recording] = read(root).recordings
    assert recording.fps == pytest.approx(25)
    np.testing.assert_allclose(read_times(recording.views[1].times), 10.01 + np.arange(5) / 25)
