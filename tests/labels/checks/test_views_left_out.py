"""Alerts about views that a calibration left out, each with the reason."""

import numpy as np
import pytest

from pipeline.labels.calibrate import calibrate_capture
from pipeline.skeleton import MIRROR
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


def mirror(world, name: str, view: int) -> None:
    px = world.joints_px(name)
    px += np.random.default_rng(0).normal(scale=4.0, size=px.shape)
    width = world.cameras[view].size_px[0]
    px[:, view] = px[:, view][:, MIRROR]
    px[:, view, :, 0] = width - 1 - px[:, view, :, 0]
    overwrite_poses2d(world, name, joints_px=px)


@pytest.mark.parametrize("mode", ["rig", "known"])
def test_a_mirrored_view_is_named(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1)
    mirror(world, "r0", 2)
    params = CALIBRATE.model_copy(update={"mode": mode})
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, params)
    rigs = open_store(world.paths.rigs, RIGS)
    assert rigs["r0"].record.views_left_out == ["c2"]
    [alert] = [one for one in rigs.summary.alerts if one.kind == "mirrored_view"]
    assert (alert.severity, alert.subject) == ("error", "r0, c2")
    assert "Flip the video" in alert.mend
