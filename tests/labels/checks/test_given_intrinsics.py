"""Intrinsics that are not those of the videos, in every mode."""

import pytest

from pipeline.errors import UserError
from pipeline.labels.calibrate import calibrate_capture
from pipeline.stores import RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrate(world, **changes):
    paths = world.paths
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, CALIBRATE.model_copy(update=changes))
    return open_store(paths.rigs, RIGS)


def halve_images(recording):
    for view in recording.views:
        view.size_px = (500, 500)


@pytest.mark.parametrize("mode", ["rig", "known", "adjust", "window", "frame"])
def test_cameras_of_larger_images_are_refused_with_the_mend(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=10)
    world.rewrite(halve_images)
    with pytest.raises(UserError, match=r"images of 2 times the size.*State the calibrated image size.*1001 x 1001"):
        calibrate(world, mode=mode)


def test_the_other_recordings_are_calibrated(tmp_path):
    world = observed_walkers(tmp_path)
    halve_images(world.capture.recordings[0])
    world.capture.write(world.paths.frames)
    rigs = calibrate(world)
    assert list(rigs) == ["r1"]
    assert list(rigs.summary.rejected) == ["r0"]
    assert [(alert.kind, alert.severity) for alert in rigs.summary.alerts] == [("wrong_image_size", "error")]


@pytest.mark.parametrize(("x", "severity"), [(800.0, "warning"), (1100.0, "error")])
def test_one_principal_point_far_from_the_middle_is_an_alert(tmp_path, x, severity):
    world = observed_walkers(tmp_path, n_recordings=1)

    def displace(recording):
        recording.views[1].K[0][2] = x

    world.rewrite(displace)
    alerts = calibrate(world).summary.alerts
    [alert] = [alert for alert in alerts if alert.kind == "off_centre_principal_point"]
    assert (alert.severity, alert.subject) == (severity, "r0, c1")
