"""The figures of metrics.json, on a capture whose errors are known in advance."""

import numpy as np
import pandas as pd
import pytest

from pipeline.report.data.evaluate import drop_missing, evaluate, mean_over_actions
from pipeline.report.data.measurements import COLUMNS, measure_capture
from pipeline.report.data.report_data import Alternatives, gather, gather_alternatives
from pipeline.skeleton import N_JOINTS, joint
from pipeline.stores import RIGS, open_store
from tests.world.capture import turning_people
from tests.world.results import files_of, measured, write_all, write_detections


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("whole"))


def evaluated(root):
    """The figures of a capture on disk, alternatives included."""
    files = files_of(root)
    data = gather(files)
    alternatives = gather_alternatives(files, data)
    return evaluate(data, alternatives, open_store(files.rigs, RIGS), measure_capture(data, alternatives))


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
    assert detector["crashed_images"] == 0


def test_crashes_of_the_detector_are_counted_over_all_recordings(tmp_path):
    measured(tmp_path)
    write_detections(turning_people(tmp_path), n_crashed=2)
    assert evaluated(tmp_path)["detector"]["crashed_images"] == 3 * 2


def test_network_by_hand(whole):
    figures, data = whole
    (view,) = [view for view in data.select("test") if view.index == 1]
    points_norm = view.true_cam_mm / view.true_cam_mm[..., 2:]
    expected = 34 * np.linalg.norm(points_norm[:, joint("r_ankle")], axis=-1) / N_JOINTS
    np.testing.assert_allclose(
        np.linalg.norm(view.predicted_cam_mm - view.true_cam_mm, axis=-1).mean(1), expected, rtol=1e-3
    )
    assert figures["test"]["mpjpe_mm"] == pytest.approx(2.0, abs=0.1)
    assert figures["test"]["pck150"] == 100
    # The ankle is outside of the first 7 of 31 thresholds (0 to 30 mm), and of the first itself all joints may be.
    assert figures["test"]["auc"] == pytest.approx(100 * (1 - 7 / 31 / 14), abs=4)
    assert set(figures["test"]) == set(figures["test_new_view"])


def test_a_true_rig_has_no_error(whole):
    assert whole[0]["rig"] == {"rotation_deg": 0, "centre_mm": 0}


def test_rig_errors_do_not_depend_on_the_scale_of_the_rig(tmp_path):
    plain, scaled = (
        measured(tmp_path / str(scale), rigs={"rotated_deg": 3.0, "scale": scale})[0]["rig"] for scale in (1.0, 0.01)
    )
    # One of three cameras is rotated by 3 degrees, a third of which the alignment gives to each of the others.
    assert plain["rotation_deg"] == pytest.approx((2 + 1 + 1) / 3, abs=0.02)
    assert scaled == plain


def test_given_cameras_are_not_compared_with_themselves(tmp_path):
    assert "rig" not in measured(tmp_path, rigs={"mode": "known"})[0]


def test_rigs_of_single_frames_count_where_one_was_found(tmp_path):
    rig = measured(tmp_path, rigs={"rotated_deg": 3.0, "per_frame": True})[0]["rig"]
    assert rig["rotation_deg"] == pytest.approx((2 + 1 + 1) / 3, abs=0.02)


def test_figures_come_sorted_and_rounded():
    kept = drop_missing({"b": 1.23456, "a": np.nan, "c": {"x": np.nan}, "d": {"z": np.float64(2), "y": 3}})
    assert list(kept.items()) == [("b", 1.23), ("d", {"y": 3.0, "z": 2.0})]
    assert list(kept["d"]) == ["y", "z"]


def test_without_a_scale_there_is_no_mpjpe(tmp_path):
    figures, data = measured(tmp_path, labels={"scale": 0.1, "scale_from": "none"})
    assert "mpjpe_mm" not in figures["labels"]
    assert figures["labels"]["n_mpjpe_mm"] < 2
    assert "mpjpe_mm" in figures["test"]
    assert not data.has_scale


def test_without_truth_only_figures_that_need_none_are_there(tmp_path):
    figures, _ = measured(tmp_path, truth=False)
    assert set(figures) == {"labels", "rig", "test_labels", "detector"}
    assert set(figures["labels"]) == {"coverage", "reprojection_px", "reprojection_used_px"}
    assert set(figures["detector"]) == {"crashed_images"}
    # The network is off at the ankle, the labels at the wrist.
    assert figures["test_labels"]["mpjpe_mm"] == pytest.approx(3, abs=0.2)


def test_without_extrinsics_or_truth(tmp_path):
    figures, _ = measured(tmp_path, truth=False, extrinsics=False, evaluation_view=False)
    assert set(figures) == {"labels", "test_labels", "detector"}


@pytest.mark.parametrize("lacking", [{"predictions": False}, {"test": False}])
def test_without_predictions_of_test_recordings(tmp_path, lacking):
    figures, _ = measured(tmp_path, **lacking)
    assert set(figures) == {"labels", "rig", "detector"}


def test_without_an_evaluation_view(tmp_path):
    figures, _ = measured(tmp_path, evaluation_view=False)
    assert "test" in figures
    assert "test_new_view" not in figures


def test_a_recording_without_labels_lowers_the_coverage(tmp_path):
    _, data = measured(tmp_path)
    data.status.pop("S1-turning")
    rigs = open_store(tmp_path / "data/rigs.zarr", RIGS)
    figures = evaluate(data, Alternatives(), rigs, measure_capture(data, Alternatives()))
    assert figures["labels"]["coverage"] == pytest.approx(50 * (1 - 1 / (24 * N_JOINTS)), abs=0.01)


def test_labels_of_the_baseline_are_a_part_of_their_own(tmp_path):
    write_all(tmp_path)
    figures = evaluated(tmp_path)
    assert figures["labels_known"]["mpjpe_mm"] < 0.01 < figures["labels"]["mpjpe_mm"]
    assert figures["labels_known"]["coverage"] == figures["labels"]["coverage"]


def test_refined_predictions_have_the_figures_of_the_network_where_there_are_any(tmp_path):
    write_all(tmp_path, refined=("labels",))
    figures = evaluated(tmp_path)
    assert not [part for part in figures if part.endswith("_refined_truth")]
    for part in ("test", "test_new_view"):
        refined = figures[f"{part}_refined_labels"]
        assert set(refined) == set(figures[part])
        assert refined["mpjpe_mm"] == pytest.approx(figures[part]["mpjpe_mm"] / 2, abs=0.02)


def test_refined_predictions_without_truth_are_compared_with_labels(tmp_path):
    write_all(tmp_path, refined=("labels",), truth=False)
    figures = evaluated(tmp_path)
    assert figures["test_labels_refined_labels"]["mpjpe_mm"] < figures["test_labels"]["mpjpe_mm"]


def test_mean_over_actions_gives_each_the_same_weight():
    rows = [("walk", 300, 60.0), ("walk", 100, 80.0), ("sit", 10, 95.0)]
    lines = [
        ("test", f"{n}", "S1", action, "cam0", "all", "n_mpjpe_mm", "standard", count, value)
        for n, (action, count, value) in enumerate(rows)
    ]
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    assert mean_over_actions(table, "test", "n_mpjpe_mm") == (65 + 95) / 2
    assert np.isnan(mean_over_actions(table, "test_new_view", "n_mpjpe_mm"))
