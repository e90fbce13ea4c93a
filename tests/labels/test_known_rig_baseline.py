"""Labels made with the cameras as given: near the truth where there are any, a note otherwise."""

import numpy as np
import pytest

from pipeline.capture import View, read_capture
from pipeline.files import placeholder_alerts, placeholder_reason
from pipeline.geometry.camera.model import Camera
from pipeline.labels.known_rig_baseline import label_with_known_rig
from pipeline.stores import LABELS, RIGS, open_store
from tests.labels.params import CALIBRATE, TRIANGULATE
from tests.world.cameras import DIST, SIZE_PX, K
from tests.world.detections import observed_walkers

KNOWN = CALIBRATE.model_copy(update={"mode": "known"})


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


@pytest.fixture
def world(tmp_path):
    """A capture with its 2D poses and (an empty folder will do) its truth."""
    world = observed_walkers(tmp_path, noise_px=0.0)
    world.paths.truth.mkdir()
    return world


def label(world):
    paths = world.paths
    label_with_known_rig(paths.frames, paths.poses2d, paths.baseline, KNOWN, TRIANGULATE)
    return paths.baseline


def test_given_cameras_give_the_true_joints(world):
    baseline = label(world)
    assert placeholder_reason(baseline) is None
    assert sorted(path.name for path in baseline.iterdir()) == ["labels.zarr", "rigs.zarr"]
    labels = open_store(baseline / "labels.zarr", LABELS)
    for name, joints_mm in world.joints_world_mm.items():
        np.testing.assert_allclose(labels[name].person(0)["joints_world_mm"], joints_mm, atol=0.5)
    rigs, [recording, _] = open_store(baseline / "rigs.zarr", RIGS), read_capture(world.paths.frames).recordings
    given = np.stack([view.camera.t_cam_from_world_mm for view in recording.views])
    np.testing.assert_allclose(rigs[recording.name]["t_cam_from_world_mm"][0], given, rtol=1e-5)


def test_without_truth_there_is_nothing_to_measure_by(world):
    world.paths.truth.rmdir()
    assert placeholder_reason(label(world)) == "the footage has no truth to measure by"


def test_without_extrinsics_there_is_none(world):
    def forget(recording):
        recording.views[2] = View.of("c2", "none", Camera(K, DIST, SIZE_PX))

    world.rewrite(forget)
    assert placeholder_reason(label(world)) == "camera c2 of r0 came without extrinsics"


def test_extrinsics_that_no_training_recording_needs_may_be_missing(tmp_path):
    world = observed_walkers(tmp_path, split="test")
    world.paths.truth.mkdir()
    assert placeholder_reason(label(world)) is None


def test_given_cameras_that_are_useless_leave_an_alert(world):
    def behind(recording):
        for view in recording.views:
            view.t_cam_from_world_mm = [0.0, 0.0, -1e6]

    world.rewrite(behind)
    [alert] = placeholder_alerts(label(world))
    assert (alert.kind, alert.severity) == ("no_baseline", "warning")
    assert placeholder_reason(world.paths.baseline) == alert.evidence
