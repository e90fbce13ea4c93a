"""The manifest: round trip, paths, cameras."""

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera

CAMERA = Camera(np.diag([500.0, 510, 1]), np.array([-0.1, 0, 0, 0]), (320, 240), np.eye(3), np.array([1.0, 2, 3]))


def capture_of(*views):
    recording = Recording(
        name="S1_walk", subject="S1", action="walk", split="train", rig="r", fps=25, n_frames=10, views=list(views)
    )
    return Capture(source="videos", recordings=[recording])


def test_round_trip(tmp_path):
    views = View.of("a", "videos/a.mp4", CAMERA), View.of("b", "/abs/b.mp4", CAMERA.with_extrinsics(None, None))
    capture_of(*views).write(tmp_path)
    first, second = read_capture(tmp_path).recordings[0].views
    assert first.file == str(tmp_path / "videos/a.mp4")
    assert second.file == "/abs/b.mp4"
    np.testing.assert_array_equal(first.camera.K, CAMERA.K)
    np.testing.assert_array_equal(first.camera.t_cam_from_world_mm, CAMERA.t_cam_from_world_mm)
    assert first.camera.has_extrinsics
    assert not second.camera.has_extrinsics


def test_labelling_views_leave_out_those_for_evaluation():
    views = [View.of(name, "f", CAMERA, evaluation_only=name == "b") for name in "abc"]
    recording = capture_of(*views).recordings[0]
    assert recording.view_indices() == [0, 1, 2]
    assert recording.view_indices(for_labels=True) == [0, 2]


def test_missing_manifest_and_other_version(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_capture(tmp_path)
    (tmp_path / "manifest.json").write_text('{"version": 99, "takes": []}')
    with pytest.raises(UserError, match="has version 99, this code reads version 1"):
        read_capture(tmp_path)


def test_other_keys_are_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"version": 1, "source": "videos", "takes": []}')
    with pytest.raises(UserError, match=r"recordings is missing; takes is not known to this code \(.*manifest.json\)"):
        read_capture(tmp_path)


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError):
        View(name="a", file="f", K=np.eye(3).tolist(), dist=[], size_px=(1, 1), foo=1)
