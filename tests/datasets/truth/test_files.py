"""The truth of a folder of footage, and everything that can be wrong with its files."""

import hashlib

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.skeleton import JOINTS as NAMES
from tests.datasets.truth.footage import JOINTS, TIMES_S, cameras, footage, read, write_npz
from tests.formats.truth.files import write_csv, write_trc


def joints_of(store, name="S1_walk"):
    return store[name].person(0)["joints_world_mm"]


def kinds(capture):
    return [(alert.kind, alert.severity, alert.subject) for alert in capture.alerts]


def test_the_world_of_the_extrinsics(tmp_path):
    root = footage(tmp_path)
    write_npz(root)
    capture, store = read(root)
    np.testing.assert_allclose(joints_of(store), JOINTS, rtol=1e-6)
    np.testing.assert_array_equal(store["S1_walk"]["time_s"], TIMES_S)
    record = store["S1_walk"].record
    assert (record.persons, record.source, record.missing) == (["S1"], "truth.npz", [])
    assert record.coordinates == "world, axes xyz"
    assert record.sha256 == hashlib.sha256((root / "S1_walk/truth.npz").read_bytes()).hexdigest()
    assert not store.summary.is_aligned
    assert not capture.alerts


def test_the_coordinates_of_a_camera(tmp_path):
    root = footage(tmp_path)
    write_npz(root, cameras()["cam2"].to_camera(JOINTS) / 1000, unit="m")
    store = read(root, "camera", camera="cam2")[1]
    np.testing.assert_allclose(joints_of(store), JOINTS, atol=0.01)
    assert store["S1_walk"].record.coordinates == "camera cam2, axes xyz"
    assert not store.summary.is_aligned


def test_a_file_of_pose2sim_in_metres_with_y_up(tmp_path):
    """Pose2Sim turns its world, whose z is up, by a change of the axes: (x, y, z) becomes (y, z, x)."""
    root = footage(tmp_path)
    write_trc(root / "S1_walk/Truth.trc", NAMES, JOINTS[..., [1, 2, 0]] / 1000, 7 + TIMES_S)
    store = read(root, axes="zxy", start_s=7.0)[1]
    np.testing.assert_allclose(joints_of(store), JOINTS, atol=0.01)
    np.testing.assert_allclose(store["S1_walk"]["time_s"], TIMES_S, atol=1e-5)


def test_frame_numbers_become_times(tmp_path):
    root = footage(tmp_path)
    np.savez(root / "S1_walk/truth.npz", joints=JOINTS[:20], frame=np.arange(20))
    np.testing.assert_allclose(read(root)[1]["S1_walk"]["time_s"], np.arange(20) / 25)


def test_joints_that_the_file_lacks_are_missing_and_said(tmp_path):
    root = footage(tmp_path)
    kept = [i for i, name in enumerate(NAMES) if name not in ("spine", "neck")]
    joints = JOINTS[:, kept].copy()
    joints[3, 5] = np.nan
    write_csv(root / "S1_walk/truth.csv", [NAMES[i] for i in kept], joints, TIMES_S)
    capture, store = read(root)
    expected = JOINTS.copy()
    expected[:, [NAMES.index("spine"), NAMES.index("neck")]] = np.nan
    expected[3, kept[5]] = np.nan
    np.testing.assert_allclose(joints_of(store), expected, atol=0.01)
    assert store["S1_walk"].record.missing == ["spine", "neck"]
    assert kinds(capture) == [("truth_without_joints", "note", "S1_walk")]
    assert "has no spine, neck" in capture.alerts[0].message


def test_aligned_truth_needs_no_extrinsics_and_stays_where_it_is(tmp_path):
    root = footage(tmp_path, extrinsics=False)
    write_npz(root, JOINTS + 1e5)
    store = read(root, "aligned")[1]
    np.testing.assert_allclose(joints_of(store), JOINTS + 1e5, rtol=1e-6)
    assert store.summary.is_aligned
    assert store["S1_walk"].record.coordinates == "aligned"


def test_a_file_that_nobody_asked_for_is_a_note(tmp_path):
    root = footage(tmp_path)
    write_npz(root)
    capture, store = read(root, "none")
    assert store is None
    assert kinds(capture) == [("truth_unused", "note", "S1_walk")]


def test_recordings_without_a_file_or_with_a_bad_one_have_no_truth(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_run", "S3_sit"))
    write_npz(root)
    write_npz(root, 20 * JOINTS, "S2_run")
    capture, store = read(root)
    assert list(store) == ["S1_walk"]
    assert [recording.name for recording in capture.recordings] == ["S1_walk", "S2_run", "S3_sit"]
    assert kinds(capture) == [("truth_missing", "note", "S3_sit"), ("truth_refused", "error", "S2_run")]
    assert "times as large as an adult" in capture.alerts[1].evidence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": JOINTS / 1000}, r"0\.00\d+ times as large as an adult \(S1_walk\).*metres that were read"),
        ({"joints": np.full_like(JOINTS, np.nan)}, "all are missing"),
        ({"joints": JOINTS, "names": [f"M{i}" for i in range(17)]}, "None of its points is known as a joint: M0"),
        ({"joints": JOINTS + 50_000.0}, "in the images of no camera"),
        ({"joints": JOINTS[:5]}, "5 rows, but 80 times"),
        ({"joints": JOINTS[:, :16]}, "17 names"),
    ],
)
def test_where_no_truth_is_usable_the_run_ends(tmp_path, change, message):
    root = footage(tmp_path)
    write_npz(root, **change)
    with pytest.raises(UserError, match=rf"No truth is usable: .*{message}"):
        read(root)


def test_the_unit_that_the_size_tells_is_named(tmp_path):
    root = footage(tmp_path, ("S1_walk", "S2_run"))
    write_npz(root)
    write_npz(root, JOINTS / 1000, "S2_run")
    capture = read(root)[0]
    assert "metres that were read as millimetres" in capture.alerts[0].mend


def test_a_large_person_is_a_note(tmp_path):
    root = footage(tmp_path)
    write_npz(root, 1.3 * JOINTS)
    assert kinds(read(root)[0]) == [("truth_size", "note", "S1_walk")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coordinates": "camera", "camera": "cam9"}, "cam9 is none of the cameras cam1, cam2"),
        ({"coordinates": "camera", "axes": "-xy-z"}, r"images of no camera.*capture\.truth\.axes=xyz"),
    ],
)
def test_parameters_that_do_not_fit_the_footage(tmp_path, changes, message):
    root = footage(tmp_path)
    write_npz(root, cameras()["cam1"].to_camera(JOINTS))
    with pytest.raises(UserError, match=message):
        read(root, **changes)


def test_a_world_needs_extrinsics_a_request_a_file_and_a_recording_one_file(tmp_path):
    root = footage(tmp_path, extrinsics=False)
    with pytest.raises(UserError, match=r"coordinates = world, but no recording has a truth.*truth\.npz, truth\.csv"):
        read(root)
    write_npz(root)
    with pytest.raises(UserError, match="needs the extrinsics of the cameras"):
        read(root)
    write_csv(root / "S1_walk/truth.csv", NAMES, JOINTS, TIMES_S)
    with pytest.raises(UserError, match=r"several files of truth: truth\.csv, truth\.npz"):
        read(root)
