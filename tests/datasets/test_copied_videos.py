"""Videos that are given twice."""

import shutil

import pytest

from pipeline.errors import UserError
from tests.datasets.footage import footage, read


def copy(root, source, target):
    shutil.copy(root / f"{source}.mp4", root / f"{target}.mp4")


def test_a_recording_with_one_video_under_two_names_is_rejected(tmp_path, caplog):
    root = footage(tmp_path, takes=("S1_walk", "S2_sit"))
    copy(root, "S1_walk/cam1", "S1_walk/cam2")
    capture = read(root)
    assert [recording.name for recording in capture.recordings] == ["S2_sit"]
    assert "videos of cam1 and cam2 are copies of one video" in capture.rejected[0].reason
    assert "S1_walk is skipped" in caplog.text


def test_without_another_recording_that_is_an_error(tmp_path):
    root = footage(tmp_path)
    copy(root, "S1_walk/cam1", "S1_walk/cam2")
    with pytest.raises(UserError, match=r"cam1 and cam2 are copies of one video \(S1_walk\)"):
        read(root)


def test_two_recordings_that_share_a_video_are_an_alert(tmp_path):
    root = footage(tmp_path, takes=("S1_walk", "S2_sit", "S3_run"))
    copy(root, "S1_walk/cam2", "S2_sit/cam2")
    [alert] = read(root).alerts
    assert (alert.kind, alert.severity, alert.subject) == ("copied_video", "warning", "S1_walk, S2_sit")
    assert "cam2" in alert.evidence


def test_a_video_shared_by_training_and_test_is_an_error_alert(tmp_path):
    root = footage(tmp_path, takes=("S1_walk", "S7_walk"))
    copy(root, "S1_walk/cam1", "S7_walk/cam1")
    [alert] = read(root).alerts
    assert alert.severity == "error"
    assert "for testing" in alert.message


def test_footage_without_copies_raises_no_alert(tmp_path):
    assert read(footage(tmp_path, takes=("S1_walk", "S7_walk"))).alerts == []
