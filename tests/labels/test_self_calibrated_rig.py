"""Self-calibration of pools in which the detector fails on a view: in one recording, or in all."""

import numpy as np
import pytest

from pipeline.geometry.align import rig_error
from pipeline.labels.calibrate import calibrate_capture
from pipeline.stores import RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.cameras import centers_of, ring
from tests.world.detections import observed_walkers, overwrite_poses2d


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrate_with_failures(tmp_path, failing):
    """Rigs of three recordings; in the failing ones the detector marks a person elsewhere in the images of c2."""
    world = observed_walkers(tmp_path, n_recordings=3)
    for name in failing:
        px = world.joints_px(name)
        angle = np.random.default_rng(3).uniform(0, 2 * np.pi, len(px))
        height = np.ptp(px[:, 2, :, 1], axis=-1)[:, None]
        px[:, 2] += (0.25 * height * np.stack([np.cos(angle), np.sin(angle)], -1))[:, None]
        overwrite_poses2d(world, name, joints_px=px)
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, CALIBRATE)
    return open_store(world.paths.rigs, RIGS)


def errors_of(group):
    R, t = group["R_cam_from_world"][0], group["t_cam_from_world_mm"][0]
    known = np.isfinite(t).all(-1)
    R_true, t_true = (one[known] for one in ring(4))
    return rig_error(R[known], centers_of(R[known], t[known]), R_true, centers_of(R_true, t_true))


def test_a_view_that_contradicts_in_one_recording_is_left_out_there(tmp_path):
    rigs = calibrate_with_failures(tmp_path, ["r1"])
    assert [rigs[name].record.views_left_out for name in ("r0", "r1", "r2")] == [[], ["c2"], []]
    [alert] = [one for one in rigs.summary.alerts if one.kind == "view_contradicts" and one.severity == "error"]
    assert alert.subject == "r1, c2"
    for name in ("r0", "r1", "r2"):
        assert errors_of(rigs[name])[0] < 1.0


def test_a_view_that_contradicts_in_most_recordings_is_calibrated_in_none(tmp_path):
    rigs = calibrate_with_failures(tmp_path, ["r0", "r1", "r2"])
    for name in ("r0", "r1", "r2"):
        assert rigs[name].record.views_left_out == ["c2"]
        assert errors_of(rigs[name])[0] < 0.5
