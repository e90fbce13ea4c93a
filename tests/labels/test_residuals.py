"""The residuals of rigs by view and by landmark."""

import logging

import numpy as np
import pytest

from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.residuals import log_residuals
from pipeline.skeleton import JOINTS
from pipeline.stores import POSES2D, RIGS, ResidualsRecord, open_store, reopen
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers, overwrite_poses2d
from tests.world.records import POSES2D_SUMMARY


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def residuals_of(world, **changes):
    paths, params = world.paths, CALIBRATE.model_copy(update=changes)
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, params)
    return open_store(paths.rigs, RIGS)["r0"].record.residuals


@pytest.mark.parametrize("mode", ["rig", "adjust", "known", "window"])
def test_a_joint_that_the_detector_misplaces_in_a_view_stands_out(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=60)
    px = world.joints_px("r0") + np.random.default_rng(7).normal(size=(60, 4, 17, 2))
    wrist = JOINTS.index("l_wrist")
    px[:, 2, wrist] += [40.0, 0]
    overwrite_poses2d(world, "r0", joints_px=px)
    found = residuals_of(world, mode=mode)
    assert found.landmarks == list(JOINTS)
    assert found.worst == (wrist, 2)
    assert 20 < found.by_landmark[wrist][2] < 42
    # Four views leave 5 of the 8 coordinates of a point to the residuals.
    assert found.by_view == pytest.approx([1.18 * np.sqrt(5 / 8)] * 4, rel=0.25)


def test_residuals_are_of_all_landmarks_in_pixels_of_the_cameras_found(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=60, landmarks=True)
    found = residuals_of(world)
    assert found.landmarks[:2] == ["landmark 1", "landmark 2"]
    assert np.shape(found.by_landmark) == (34, 4)
    assert max(found.by_view) < 0.2  # the landmarks are exact


def test_landmarks_of_files_have_the_names_of_the_files(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=20, landmarks=True)
    names = [f"point {i}" for i in range(34)]
    store = reopen(world.paths.poses2d, POSES2D)
    store.write_summary(POSES2D_SUMMARY.model_copy(update={"landmarks": names}))
    assert residuals_of(world).landmarks == names


def test_the_log_names_the_worst_landmark_and_nothing_without_residuals(tmp_path, caplog):
    pool = observed_walkers(tmp_path, n_recordings=1).capture.recordings
    found = ResidualsRecord(landmarks=["nose", "chin"], by_view=[1.0, 2.0, None, 1.5],
                            by_landmark=[[1.0, 2.0, None, 1.0], [1.0, 7.25, None, 2.0]])  # fmt: skip
    with caplog.at_level(logging.INFO, "epiline"):
        log_residuals(pool, found)
        log_residuals(pool, ResidualsRecord(landmarks=["nose"], by_view=[None] * 4, by_landmark=[[None] * 4]))
    assert caplog.messages == [
        "r0: median residuals by view: c0 1.0 px, c1 2.0 px, c3 1.5 px; the largest by landmark: chin in c1, 7.2 px"
    ]
