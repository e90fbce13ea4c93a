"""Alerts about cameras whose found focal lengths show that they are not of one kind."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry.calibration.calibrated_rig import unknown_rig
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.checks.found_focal_lengths import focal_length_alerts
from pipeline.stores import RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrated(tmp_path, given, **changes):
    """The rigs of walkers before cameras whose given focal lengths are `given` times the true ones."""
    world = observed_walkers(tmp_path, n_frames=40, n_recordings=1)

    def misjudge(recording):
        for view, factor in zip(recording.views, given, strict=True):
            camera = view.camera.scale_focal(factor)
            view.K, view.dist = camera.K.tolist(), camera.dist.tolist()

    world.rewrite(misjudge)
    paths = world.paths
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, CALIBRATE.model_copy(update=changes))
    return open_store(paths.rigs, RIGS)


def alerts_of(rigs):
    return [alert for alert in rigs.summary.alerts if alert.kind == "different_focal_lengths"]


@pytest.mark.parametrize("mode", ["rig", "adjust"])
def test_a_camera_of_another_focal_length_is_named_with_how_much_and_how_sure(tmp_path, mode):
    rigs = calibrated(tmp_path, [1.0, 1 / 1.3, 1.0, 1.0], focal="unknown", mode=mode)
    [alert] = alerts_of(rigs)
    assert (alert.severity, alert.subject) == ("warning", "r0")
    assert "c1: +" in alert.evidence
    assert "c0" not in alert.evidence
    assert "calibration file" in alert.mend
    scale = rigs["r0"].record.focal_scale
    assert scale[1] / np.median(scale) == pytest.approx(1.3, abs=0.03)


def test_cameras_of_one_kind_raise_no_alert_even_if_all_are_other_than_given(tmp_path):
    assert not alerts_of(calibrated(tmp_path, [1.25] * 4, focal="unknown"))


@pytest.mark.parametrize(("scale", "std", "n_alerts"), [(1.3, 0.05, 1), (1.3, 0.2, 0), (1.08, 0.001, 0), (1.3, 0.0, 0)])
def test_only_differences_that_matter_and_are_not_chance_are_alerts(tmp_path, scale, std, n_alerts):
    pool = observed_walkers(tmp_path, n_frames=2, n_recordings=1).capture.recordings
    rig = replace(unknown_rig(4), t=np.zeros((4, 3)), focal_scale=np.array([1, scale, 1, 1]), focal_std=np.full(4, std))
    assert len(focal_length_alerts(pool, rig)) == n_alerts


def test_a_view_without_extrinsics_is_not_judged(tmp_path):
    pool = observed_walkers(tmp_path, n_frames=2, n_recordings=1).capture.recordings
    t = np.zeros((4, 3))
    t[1] = np.nan
    rig = replace(unknown_rig(4), t=t, focal_scale=np.array([1, 1.5, 1, 1]), focal_std=np.full(4, 0.01))
    assert not focal_length_alerts(pool, rig)
