"""The figures of metrics.json, on a capture whose errors are known in advance."""

import numpy as np
import pandas as pd
import pytest

from pipeline.params.file import read_params
from pipeline.params.pss import PssParams
from pipeline.pss import fit_references
from pipeline.report.data.breakdown import joint_errors_mm, rejections, residuals_percent, worst_joint
from pipeline.report.data.evaluate import absent_removed, evaluate, mean_over_actions
from pipeline.report.data.measurements import COLUMNS, measured
from pipeline.report.data.report_data import Files, gather
from pipeline.report.known import gather_with_known_rig
from pipeline.skeleton import N_JOINTS, joint
from pipeline.stores import RIGS, open_store
from tests.report import synthetic_capture as synthetic


def make(root, *, labels=(), rigs=(), predictions=True, **lacking):
    """The figures and the material of a synthetic capture."""
    world = synthetic.make_capture(root, **lacking)
    synthetic.write_poses2d(world)
    synthetic.write_rigs(world, **dict(rigs))
    synthetic.write_labels(world, **dict(labels))
    if predictions:
        synthetic.write_predictions(world)
    files = Files(root / "data", root / "models", root / "reports")
    fit_references(
        files.frames, files.labels, files.pss, PssParams(reference="fit", frozen="", k=[3, 5], source="truth", seed=4)
    )
    report_data = gather(files, files.labels)
    return evaluate(report_data, None, open_store(files.rigs, RIGS), measured(report_data, None)), report_data


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make(tmp_path_factory.mktemp("whole"))


def test_labels_by_hand(whole):
    labels = whole[0]["labels"]
    # The left wrist is 17 mm off, one of 17 joints; where the head is missing it is one of 16.
    assert labels["mpjpe_mm"] == pytest.approx((23 + 17 / 16) / 24, abs=0.01)
    assert labels["coverage"] == pytest.approx(100 * (1 - 1 / (24 * N_JOINTS)), abs=0.01)
    assert 0 < labels["n_mpjpe_mm"] < 2
    assert {"pss3", "pss5", "pa_mpjpe_mm"} < set(labels)


def test_detector_by_hand(whole):
    detector = whole[0]["detector"]
    assert detector["error_px"] == pytest.approx(1, abs=0.01)
    assert detector["swap_percent"] == 0
    # Of 9 recordings and labelling views of 24 frames each, three have a frame without a person.
    assert detector["found_percent"] == pytest.approx(100 * (1 - 3 / (9 * 24)), abs=0.01)
    assert 100 / 80 < detector["error_box_percent"] < 100 / 60


def test_network_by_hand(whole):
    figures, report_data = whole
    (seen,) = [s for s in report_data.select("test") if s.v == 1]
    points_norm = seen.true_cam_mm / seen.true_cam_mm[..., 2:]
    off = 34 * np.linalg.norm(points_norm[:, joint("r_ankle")], axis=-1) / N_JOINTS
    one_view = np.linalg.norm(seen.predicted_cam_mm - seen.true_cam_mm, axis=-1).mean(1)
    np.testing.assert_allclose(one_view, off, rtol=1e-3)
    assert figures["test"]["mpjpe_mm"] == pytest.approx(2.0, abs=0.1)
    assert figures["test"]["pck150"] == 100
    # The ankle is outside of the first 7 of 31 thresholds (0 to 30 mm), and of the first itself all joints may be.
    assert figures["test"]["auc"] == pytest.approx(100 * (1 - 7 / 31 / 14), abs=4)
    assert set(figures["test"]) == set(figures["test_new_view"])


def test_a_true_rig_has_no_error(whole):
    assert whole[0]["rig"] == {"rotation_deg": 0, "centre_mm": 0}


def test_rig_errors_do_not_depend_on_the_scale_of_the_rig(tmp_path):
    plain, scaled = (
        make(tmp_path / str(scale), rigs={"turned_deg": 3.0, "scale": scale})[0]["rig"] for scale in (1.0, 0.01)
    )
    # One of three cameras is turned by 3 degrees, a third of which the alignment gives to each of the others.
    assert plain["rotation_deg"] == pytest.approx((2 + 1 + 1) / 3, abs=0.02)
    assert scaled == plain


def test_rigs_of_single_frames_count_where_one_was_found(tmp_path):
    rig = make(tmp_path, rigs={"turned_deg": 3.0, "per_frame": True})[0]["rig"]
    assert rig["rotation_deg"] == pytest.approx((2 + 1 + 1) / 3, abs=0.02)


def test_figures_come_sorted_and_rounded():
    reported = absent_removed({"b": 1.23456, "a": np.nan, "c": {"x": np.nan}, "d": {"z": np.float64(2), "y": 3}})
    assert list(reported.items()) == [("b", 1.23), ("d", {"y": 3.0, "z": 2.0})]
    assert list(reported["d"]) == ["y", "z"]


def test_without_a_scale_there_is_no_mpjpe(tmp_path):
    figures, report_data = make(tmp_path, labels={"scale": 0.1, "fixed_by": "none"})
    assert "mpjpe_mm" not in figures["labels"]
    assert figures["labels"]["n_mpjpe_mm"] < 2
    assert "mpjpe_mm" in figures["test"]
    assert not report_data.metric


def test_without_truth_only_what_needs_none_is_there(tmp_path):
    figures, _ = make(tmp_path, truth=False)
    assert set(figures) == {"labels", "rig", "test_labels"}
    assert set(figures["labels"]) == {"coverage", "reprojection_px"}
    # The network is off at the ankle, the labels at the wrist.
    assert figures["test_labels"]["mpjpe_mm"] == pytest.approx(3, abs=0.2)


def test_without_extrinsics_or_truth(tmp_path):
    figures, _ = make(tmp_path, truth=False, extrinsics=False, evaluation_view=False)
    assert set(figures) == {"labels", "test_labels"}


@pytest.mark.parametrize("lacking", [{"predictions": False}, {"test": False}])
def test_without_predictions_of_test_recordings(tmp_path, lacking):
    figures, _ = make(tmp_path, **lacking)
    assert set(figures) == {"labels", "rig", "detector"}


def test_without_an_evaluation_view(tmp_path):
    figures, _ = make(tmp_path, evaluation_view=False)
    assert "test" in figures
    assert "test_new_view" not in figures


def test_no_label_of_a_recording_costs_coverage(tmp_path, monkeypatch):
    _, report_data = make(tmp_path)
    report_data.status.pop("S1-turning")
    figures = evaluate(report_data, None, open_store(tmp_path / "data/rigs.zarr", RIGS), measured(report_data, None))
    assert figures["labels"]["coverage"] == pytest.approx(50 * (1 - 1 / (24 * N_JOINTS)), abs=0.01)


def test_known_rig_gives_the_labels_of_the_same_detections(tmp_path, monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    world = synthetic.make_capture(tmp_path)
    synthetic.write_poses2d(world, error_px=0.0)
    synthetic.write_rigs(world)
    synthetic.write_labels(world)
    files = Files(tmp_path / "data", tmp_path / "models", tmp_path / "reports")
    fit_references(
        files.frames, files.labels, files.pss, PssParams(reference="fit", frozen="", k=[3], source="truth", seed=4)
    )
    params = read_params()
    report_data = gather(files, files.labels)
    known = gather_with_known_rig(files, report_data, params.calibrate, params.triangulate)
    figures = evaluate(report_data, known, open_store(files.rigs, RIGS), measured(report_data, known))
    assert figures["labels_known"]["mpjpe_mm"] < 0.1
    assert figures["labels_known"]["coverage"] == 100
    assert sorted(p.name for p in files.data.iterdir()) == ["frames", "labels.zarr", "poses2d.zarr", "rigs.zarr"]


def test_known_rig_needs_truth(tmp_path):
    _, report_data = make(tmp_path, truth=False)
    params = read_params()
    files = Files(tmp_path / "data", tmp_path / "models", tmp_path / "reports")
    assert gather_with_known_rig(files, report_data, params.calibrate, params.triangulate) is None


def test_where_things_go_wrong(whole):
    _, report_data = whole
    train = report_data.select("train")
    errors = joint_errors_mm(train, "label_cam_mm", "true_cam_mm")
    name, error = worst_joint(errors)
    assert name == "left wrist"
    assert error == pytest.approx(17, abs=1)
    assert worst_joint(np.full(N_JOINTS, np.nan)) is None
    assert rejections(report_data) == {"few views": 3}
    assert np.nanmax(residuals_percent(train[0])[:, 1:8]) < 2


def test_mean_over_actions_gives_each_the_same_weight():
    rows = [("walk", 300, 60.0), ("walk", 100, 80.0), ("sit", 10, 95.0)]
    reported = [
        ("test", f"{n}", "S1", action, "cam0", "all", "n_mpjpe_mm", "standard", count, value)
        for n, (action, count, value) in enumerate(rows)
    ]
    table = pd.DataFrame(reported, columns=list(COLUMNS))
    assert mean_over_actions(table, "test", "n_mpjpe_mm") == (65 + 95) / 2
    assert np.isnan(mean_over_actions(table, "test_new_view", "n_mpjpe_mm"))
