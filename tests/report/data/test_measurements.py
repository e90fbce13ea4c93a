"""The long table: its pooled rows equal the metrics of all poses at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline import metrics
from pipeline.errors import UserError
from pipeline.report.data.measurements import (
    COLUMNS,
    WHOLE_POSE,
    intervals,
    measure_capture,
    measured_residuals,
    pooled,
    read_table,
    write_table,
)
from pipeline.report.data.report_data import Alternatives, joined
from pipeline.skeleton import JOINTS, N_JOINTS, joint
from tests.world.people import N_FRAMES
from tests.world.results import measured


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    _, data = measured(tmp_path_factory.mktemp("measured"))
    return measure_capture(data, Alternatives()), data


def of(table, part, name=WHOLE_POSE):
    return table[(table["part"] == part) & (table["joint"] == name)]


@pytest.mark.parametrize("protocol", metrics.PROTOCOLS)
def test_pooled_rows_are_the_mean_of_all_poses(found, protocol):
    table, data = found
    train = data.select("train")
    poses, true = joined(train, "label_cam_mm"), joined(train, "true_cam_mm")
    rows = pooled(of(table, "labels"), ["metric", "protocol"]).set_index(["metric", "protocol"])
    expected = {
        "n_mpjpe_mm": metrics.n_mpjpe(poses, true, protocol), "pa_mpjpe_mm": metrics.pa_mpjpe(poses, true, protocol),
    }  # fmt: skip
    for name, values in expected.items():
        assert rows.loc[(name, protocol), "mean"] == pytest.approx(metrics.mean(values))
        assert rows.loc[(name, protocol), "count"] == len(true)


def test_joints_of_the_table_are_those_of_the_poses(found):
    table, _ = found
    wrists_and_head = (of(table, "labels", name) for name in ("l_wrist", "r_wrist", "head"))
    left, right, head = (pooled(rows, ["metric"]).set_index("metric").loc["mpjpe_mm"] for rows in wrists_and_head)
    assert left["mean"] == pytest.approx(17, abs=0.1)
    assert right["mean"] < 0.1
    assert left["count"] - head["count"] == 2 * 3  # frame 5 of two recordings has no head in three views


def test_a_label_that_projects_far_outside_the_image_counts_as_the_box_height(found):
    _, data = found
    view = next(view for view in data.select("train"))
    far = view.label_cam_mm.copy()
    far[10, 5] = [1e8, 0, 1.0]
    table = measured_residuals("labels", [replace(view, label_cam_mm=far)])
    [row] = of(table, "labels", JOINTS[5]).query("metric == 'reprojection_px'").to_dict("records")
    before = measured_residuals("labels", [view])
    [usual] = of(before, "labels", JOINTS[5]).query("metric == 'reprojection_px'").to_dict("records")
    height = view.box_px[10, 3] - view.box_px[10, 1]
    assert (row["mean"] - usual["mean"]) * row["count"] == pytest.approx(height, abs=2)


def test_reprojection_errors_of_raw_detections_and_of_those_that_made_the_labels(found):
    table, data = found
    rows = pooled(of(table, "labels"), ["metric"]).set_index("metric")
    train = data.select("train")
    raw = np.concatenate([np.linalg.norm(v.detected_px - v.label_px, axis=-1) for v in train])
    used = np.concatenate([np.linalg.norm(v.sorted_px - v.label_px, axis=-1)[v.used] for v in train])
    assert rows.loc["reprojection_px", "mean"] == pytest.approx(np.nanmean(raw), abs=1e-3)
    assert rows.loc["reprojection_used_px", "mean"] == pytest.approx(np.nanmean(used), abs=1e-3)
    # Of two recordings one outlier each was not used: a wrist of the first view. Its person is missing in frame 3,
    # the head in frame 5.
    n_raw = 2 * (3 * N_FRAMES * N_JOINTS - N_JOINTS - 3)
    assert rows.loc["reprojection_px", "count"] == n_raw
    assert rows.loc["reprojection_used_px", "count"] == n_raw - 2
    # The swapped wrist is measured from the other wrist.
    (first,) = [v for v in train if v.recording.name == "S1-turning" and v.index == 0]
    assert not np.allclose(first.sorted_px[7, joint("l_wrist")], first.detected_px[7, joint("l_wrist")])


def test_intervals_are_those_of_recordings(found):
    table, _ = found
    assert {part for part, _ in intervals(table)} == {"detector"}  # only it has three recordings
    wide = pooled(of(table, "detector"), ["metric"])
    assert (wide["low"] <= wide["mean"]).all()  # three recordings
    assert pooled(of(table, "labels"), ["metric"])["low"].isna().all()  # two


def test_scores_name_their_reference(found):
    table, data = found
    hashes = {f"reference {reference.metadata['sha256'][:8]}" for reference in data.references}
    assert set(table[table["metric"].str.startswith("pss")]["protocol"]) == hashes


def test_what_needs_a_scale_is_left_out_where_there_is_none(tmp_path):
    _, data = measured(tmp_path, labels={"scale": 0.1, "scale_from": "none"})
    table = measure_capture(data, Alternatives())
    found = {part: set(of(table, part)["metric"]) for part in ("labels", "test")}
    assert not {"mpjpe_mm", "pck150", "velocity_mm_s"} & found["labels"]
    assert {"mpjpe_mm", "pck150", "velocity_mm_s"} <= found["test"]


def test_the_file_holds_the_table(found, tmp_path):
    table, _ = found
    write_table(tmp_path / "breakdown.csv", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "breakdown.csv"), table, rtol=1e-5)


def test_names_that_look_like_numbers_stay_names(found, tmp_path):
    table = found[0].assign(subject="01")
    write_table(tmp_path / "breakdown.csv", table)
    assert set(read_table(tmp_path / "breakdown.csv")["subject"]) == {"01"}


def test_other_files_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("part,n\nlabels,3\n")
    with pytest.raises(UserError, match=f"columns part, n; this code reads {', '.join(COLUMNS)}"):
        read_table(tmp_path / "other.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "missing.csv")


def test_poses_move_at_the_rate_of_the_frames(found):
    table, data = found
    (view,) = [view for view in data.select("test") if view.index == 0]
    poses, true = (np.nan_to_num(x) - np.nan_to_num(x[:, :1]) for x in (view.predicted_cam_mm, view.true_cam_mm))
    error = np.linalg.norm(np.diff(poses - true, axis=0), axis=-1).mean() * 12.5
    rows = of(table, "test")
    rows = rows[(rows["view"] == view.name) & (rows["metric"] == "velocity_mm_s")]
    assert rows["mean"].item() == pytest.approx(error)


def test_counts_and_means_are_numbers_also_where_a_part_is_empty(tmp_path):
    _, data = measured(tmp_path, truth=False)
    table = measure_capture(data, Alternatives())
    assert [table[column].dtype.kind for column in ("count", "mean")] == ["i", "f"]
