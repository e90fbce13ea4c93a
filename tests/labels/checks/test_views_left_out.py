"""Alerts about views that a calibration left out, each with the reason."""

import numpy as np
import pytest

from pipeline.labels.calibrate import calibrate_capture
from pipeline.stores import RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers, overwrite_poses2d


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def test_a_view_that_sees_the_person_once_is_left_out_with_the_reason(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)
    px = world.joints_px("r0")
    px += np.random.default_rng(0).normal(scale=7.0, size=px.shape)
    px[1:, 2] = px[0, 2, 6:] = np.nan
    overwrite_poses2d(world, "r0", joints_px=px)
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, CALIBRATE)
    rigs = open_store(world.paths.rigs, RIGS)
    assert rigs["r0"].record.views_left_out == ["c2"]
    [alert] = [one for one in rigs.summary.alerts if one.kind == "view_left_out"]
    assert (alert.severity, alert.subject) == ("error", "r0, c2")
    assert "joints" in alert.evidence
    assert "two other views" in alert.mend


def test_views_that_share_enough_are_not_mentioned(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, CALIBRATE)
    assert not [one for one in open_store(world.paths.rigs, RIGS).summary.alerts if one.kind == "view_left_out"]
