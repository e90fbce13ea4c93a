"""The true joints of the packed frames: at their times, wherever the file has rows close enough."""

import numpy as np
import pytest

from pipeline.capture import Capture, Recording
from pipeline.stores import TRUTH, open_store
from pipeline.video.true_joints import write_truth_of_frames
from tests.video.videos import write_truth
from tests.world.people import moving


def packed(numbers):
    recording = Recording(
        name="S1_walk", subject="S1", action="walk", split="train", rig="r", fps=10.0, n_frames=len(numbers),
        frame_numbers=list(numbers), clock_fps=20.0, views=[],
    )  # fmt: skip
    return Capture(source="test", recordings=[recording])


def written(tmp_path, times_s, numbers):
    write_truth(tmp_path, moving(times_s, 1), times_s)
    (tmp_path / "frames").mkdir()
    alerts = write_truth_of_frames(tmp_path / "truth.zarr", packed(numbers), tmp_path / "frames")
    return alerts, tmp_path / "frames" / "truth.zarr"


def test_joints_are_those_of_the_times_of_the_frames(tmp_path):
    """Every second frame of a video of 20 Hz, its fourth one dropped, and truth of 100 Hz on another clock."""
    numbers = [0, 2, 6, 8]
    alerts, path = written(tmp_path, np.arange(-0.333, 2, 0.01), numbers)
    assert not alerts
    own = open_store(path, TRUTH)["S1_walk"]
    np.testing.assert_allclose(own.person(0)["joints_world_mm"], moving(np.array(numbers) / 20, 1), atol=0.05)
    np.testing.assert_allclose(own["time_s"], np.array(numbers) / 20)
    assert own.record.persons == ["S1"]


def test_frames_outside_the_file_have_none_and_are_counted(tmp_path):
    alerts, path = written(tmp_path, np.arange(0.2, 0.6, 0.05), range(0, 20, 2))
    known = np.isfinite(open_store(path, TRUTH)["S1_walk"].person(0)["joints_world_mm"]).all((1, 2))
    assert known.tolist() == [False] * 2 + [True] * 4 + [False] * 4
    (alert,) = alerts
    assert (alert.kind, alert.severity, alert.subject) == ("truth_gaps", "note", "S1_walk")
    assert "4 of 10 frames have true joints" in alert.message
    assert "the file has 0.20 to 0.55 s, the footage 0.00 to 0.90 s" in alert.evidence


@pytest.mark.parametrize("times_s", [np.arange(50, 52, 0.01), np.array([0.05, 0.35, 0.65])], ids=["late", "sparse"])
def test_a_file_of_other_times_is_an_error_and_no_truth(tmp_path, times_s):
    alerts, path = written(tmp_path, times_s, range(0, 20, 2))
    assert [(alert.kind, alert.severity) for alert in alerts] == [("truth_elsewhere", "error")]
    assert "start_s" in alerts[0].mend
    assert not path.exists()
