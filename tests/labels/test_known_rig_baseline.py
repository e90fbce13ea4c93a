"""Labels made with the cameras as given: near the truth where there are any, a note otherwise."""

import numpy as np
import pytest

from pipeline.capture import View, read_capture
from pipeline.files import why_absent
from pipeline.geometry.camera.model import Camera
from pipeline.labels.known_rig_baseline import label_with_known_rig
from pipeline.stores import LABELS, RIGS, open_store
from tests.geometry.scene import SIZE_PX, K
from tests.labels.capture import CALIBRATE, DIST, TRIANGULATE, rewrite_capture, write_capture

KNOWN = CALIBRATE.model_copy(update={"mode": "known"})


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


@pytest.fixture
def capture(tmp_path):
    """A folder with a capture, its 2D poses and (an empty folder will do) its truth."""
    truth = write_capture(tmp_path, noise_px=0.0)
    (tmp_path / "truth.zarr").mkdir()
    return tmp_path, truth


def label(folder):
    label_with_known_rig(folder, folder / "poses2d.zarr", folder / "baseline", KNOWN, TRIANGULATE)
    return folder / "baseline"


def test_given_cameras_give_the_true_joints(capture):
    folder, truth = capture
    baseline = label(folder)
    assert why_absent(baseline) is None
    assert sorted(path.name for path in baseline.iterdir()) == ["labels.zarr", "rigs.zarr"]
    labels = open_store(baseline / "labels.zarr", LABELS)
    for name, joints_mm in truth.items():
        np.testing.assert_allclose(labels[name].person(0)["joints_world_mm"], joints_mm, atol=0.5)
    rigs, [recording, _] = open_store(baseline / "rigs.zarr", RIGS), read_capture(folder).recordings
    given = np.stack([view.camera.t_cam_from_world_mm for view in recording.views])
    np.testing.assert_allclose(rigs[recording.name]["t_cam_from_world_mm"][0], given, rtol=1e-5)


def test_without_truth_there_is_nothing_to_measure_by(capture):
    folder, _ = capture
    (folder / "truth.zarr").rmdir()
    assert why_absent(label(folder)) == "the footage has no truth to measure by"


def test_without_extrinsics_there_is_none(capture):
    folder, _ = capture

    def forget(recording):
        recording.views[2] = View.of("c2", "none", Camera(K, DIST, SIZE_PX))

    rewrite_capture(folder, forget)
    assert why_absent(label(folder)) == "camera c2 of r0 came without extrinsics"


def test_extrinsics_that_no_training_recording_needs_may_be_missing(tmp_path):
    write_capture(tmp_path, split="test")
    (tmp_path / "truth.zarr").mkdir()
    assert why_absent(label(tmp_path)) is None
