"""Doubts about the truth: elsewhere, late, or aligned; and none about truth that is right."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.capture import read_capture
from pipeline.report.data.report_data import gather
from pipeline.report.data.truth_checks import find_delay, truth_alerts
from pipeline.stores import TRUTH, create_store
from pipeline.truth import open_truth
from tests.world.people import moving
from tests.world.records import TRUTH_SUMMARY, truth_record
from tests.world.results import files_of, write_all

FPS = 12.5


def write_truth(world, change, *, is_aligned=False):
    with create_store(world.paths.truth, TRUTH, TRUTH_SUMMARY.model_copy(update={"is_aligned": is_aligned})) as store:
        for name, joints in world.joints_world_mm.items():
            own = change(joints)
            store.create(name, {"frame": len(own)}, truth_record()).person(0).write(0, {"joints_world_mm": own})


def alerts(world):
    files = files_of(world.paths.data.parent)
    return truth_alerts(gather(files), open_truth(files.truth, files.labels, files.rigs))


def kinds(world):
    return {(alert.kind, alert.severity) for alert in alerts(world)}


@pytest.fixture
def world(tmp_path):
    return write_all(tmp_path)


def test_right_truth_raises_none(world):
    assert alerts(world) == []
    assert truth_alerts(gather(files_of(world.paths.data.parent)), None) == []


def test_wrong_axes_are_seen_where_the_person_is_detected(world):
    write_truth(world, lambda joints: joints[..., [2, 0, 1]])
    assert ("truth_misplaced", "error") in kinds(world)


def test_truth_that_is_late_says_how_to_set_the_clock(world):
    write_truth(world, lambda joints: joints[np.clip(np.arange(len(joints)) - 4, 0, None)])
    found = [alert for alert in alerts(world) if alert.kind == "truth_late"]
    assert [alert.subject for alert in found] == list(world.joints_world_mm)
    assert all("0.32 s late" in alert.message or "0.31 s late" in alert.message for alert in found)


def test_aligned_truth_says_what_its_errors_leave_out(tmp_path):
    world = write_all(tmp_path, extrinsics=False)
    R = Rotation.from_rotvec([1.0, 2.0, 0.5]).as_matrix()
    write_truth(world, lambda joints: 0.8 * joints @ R.T + 5000, is_aligned=True)
    found = alerts(world)
    assert {(alert.kind, alert.severity) for alert in found} == {("truth_aligned", "note")}
    assert len(found) == len(read_capture(world.paths.frames).recordings)
    assert "1.250 times as large as the truth" in found[0].evidence


def test_truth_that_cannot_be_aligned_is_a_warning(tmp_path):
    world = write_all(tmp_path, extrinsics=False)
    write_truth(world, lambda joints: np.full_like(joints, np.nan), is_aligned=True)
    assert kinds(world) == {("truth_not_aligned", "warning")}


@pytest.mark.parametrize("delay_s", [0.4, -0.4, 0.1, 0.613])
def test_delays_are_found_to_a_part_of_a_frame(delay_s):
    times_s = np.arange(0, 20, 1 / 25)
    rng = np.random.default_rng(0)
    labels = moving(times_s, 0) + rng.normal(scale=25, size=(len(times_s), 17, 3))
    labels[rng.random(labels.shape[:2]) < 0.2] = np.nan
    truth = moving(times_s - delay_s, 0)
    truth[:, 3] = np.nan
    found = find_delay(1.05 * labels, truth, 25)
    if abs(delay_s) > 0.2:
        assert found == pytest.approx(delay_s, abs=0.005)
    else:  # it may be too small for the noise
        assert found is None or found == pytest.approx(delay_s, abs=0.01)


def test_people_in_step_or_who_stand_still_have_no_delay():
    times_s = np.arange(0, 20, 1 / 25)
    noise = np.random.default_rng(0).normal(scale=40, size=(len(times_s), 17, 3))
    truth = moving(times_s, 0)
    assert find_delay(truth + noise, truth, 25) is None
    still = np.broadcast_to(truth[:1], truth.shape)
    assert find_delay(still + noise, still, 25) is None
    assert find_delay(np.full_like(truth, np.nan), truth, 25) is None
    assert find_delay(truth[:2], truth[:2], 25) is None
