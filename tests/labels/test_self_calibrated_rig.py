"""Self-calibration of pools in which the detector fails on a view: in one recording, or in all."""

import numpy as np
import pytest

from pipeline.geometry.align import rig_error
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.self_calibrated_rig import PRINCIPAL_POINT_STD
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


def test_where_the_focal_length_is_not_exact_rotations_are_uncertain_by_that_of_the_principal_point(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)
    std = {}
    for focal in ("exact", "unknown"):
        params = CALIBRATE.model_copy(update={"focal": focal})
        calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, params)
        group = open_store(world.paths.rigs, RIGS)["r0"]
        std[focal] = group["rotation_std_deg"][0]
    focal_px = np.array([camera.K[0, 0] for camera in group.record.intrinsics])
    width = np.array([camera.size_px[0] for camera in group.record.intrinsics])
    of_principal_point = np.degrees(np.sqrt(2) * PRINCIPAL_POINT_STD * width / focal_px)
    assert (std["exact"] < 0.3 * of_principal_point).all()
    assert (std["unknown"] >= of_principal_point).all()
    assert (std["unknown"] < 1.3 * of_principal_point).all()


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


def calibrate_with_another_person(tmp_path, where):
    """The rig of a recording in which views show another person in the frames `where` (F, V)."""
    world = observed_walkers(tmp_path, noise_px=2.0, n_recordings=2, n_frames=len(where), area_mm=500)
    other = np.stack([camera.project(world.joints_world_mm["r1"] + [500, 400, 0]) for camera in world.cameras], 1)
    px = np.where(where[..., None, None], other, world.joints_px("r0"))
    overwrite_poses2d(world, "r0", joints_px=px)
    overwrite_poses2d(world, "r1", confidence=np.zeros(px.shape[:3]))
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, CALIBRATE)
    return open_store(world.paths.rigs, RIGS)


def test_other_people_have_no_part_in_the_rig(tmp_path):
    where = np.zeros((60, 4), bool)
    alone = errors_of(calibrate_with_another_person(tmp_path / "alone", where)["r0"])
    where[10:30, 1], where[40:55, :2] = True, True
    rigs = calibrate_with_another_person(tmp_path / "others", where)
    assert rigs["r0"].record.views_left_out == []
    assert errors_of(rigs["r0"])[0] < 2 * alone[0] + 0.1
