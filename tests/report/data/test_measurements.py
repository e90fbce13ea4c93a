"""The long table: pooled, it gives what the metrics give of all poses at once."""

import numpy as np
import pandas as pd
import pytest

from pipeline import metrics
from pipeline.errors import UserError
from pipeline.report.data.measurements import COLUMNS, WHOLE_POSE, measured, pooled, read_measured, write_measured
from pipeline.report.data.report_data import joined
from tests.report.data.test_evaluate import make


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    _, report_data = make(tmp_path_factory.mktemp("measured"))
    return measured(report_data, None), report_data


def of(table, part, joint=WHOLE_POSE):
    return table[(table["part"] == part) & (table["joint"] == joint)]


@pytest.mark.parametrize("protocol", metrics.PROTOCOLS)
def test_pooled_rows_are_the_mean_of_all_poses(found, protocol):
    table, report_data = found
    train = report_data.select("train")
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
    wrists_and_head = (of(table, "labels", joint) for joint in ("l_wrist", "r_wrist", "head"))
    left, right, head = (pooled(rows, ["metric"]).set_index("metric").loc["mpjpe_mm"] for rows in wrists_and_head)
    assert left["mean"] == pytest.approx(17, abs=0.1)
    assert right["mean"] < 0.1
    assert left["count"] - head["count"] == 2 * 3  # frame 5 of two recordings has no head in three views


def test_intervals_are_those_of_recordings(found):
    table, _ = found
    wide = pooled(of(table, "detector"), ["metric"])
    assert (wide["low"] <= wide["mean"]).all()  # three recordings
    assert pooled(of(table, "labels"), ["metric"])["low"].isna().all()  # two


def test_scores_name_their_reference(found):
    table, report_data = found
    hashes = {f"reference {reference.metadata['sha256'][:8]}" for reference in report_data.references}
    assert set(table[table["metric"].str.startswith("pss")]["protocol"]) == hashes


def test_what_needs_a_scale_is_left_out_where_there_is_none(tmp_path):
    _, report_data = make(tmp_path, labels={"scale": 0.1, "fixed_by": "none"})
    table = measured(report_data, None)
    reported = {part: set(of(table, part)["metric"]) for part in ("labels", "test")}
    assert not {"mpjpe_mm", "pck150", "velocity_mm_s"} & reported["labels"]
    assert {"mpjpe_mm", "pck150", "velocity_mm_s"} <= reported["test"]


def test_the_file_holds_the_table(found, tmp_path):
    table, _ = found
    write_measured(tmp_path / "breakdown.csv", table)
    pd.testing.assert_frame_equal(read_measured(tmp_path / "breakdown.csv"), table, rtol=1e-5)


def test_names_that_look_like_numbers_stay_names(found, tmp_path):
    table = found[0].assign(subject="01")
    write_measured(tmp_path / "breakdown.csv", table)
    assert set(read_measured(tmp_path / "breakdown.csv")["subject"]) == {"01"}


def test_other_files_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("part,n\nlabels,3\n")
    with pytest.raises(UserError, match=f"columns part, n; this code reads {', '.join(COLUMNS)}"):
        read_measured(tmp_path / "other.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_measured(tmp_path / "missing.csv")


def test_poses_move_at_the_rate_of_the_frames(found):
    table, report_data = found
    (seen,) = [s for s in report_data.select("test") if s.v == 0]
    poses, true = (np.nan_to_num(x) - np.nan_to_num(x[:, :1]) for x in (seen.predicted_cam_mm, seen.true_cam_mm))
    error = np.linalg.norm(np.diff(poses - true, axis=0), axis=-1).mean() * 12.5
    rows = of(table, "test")
    rows = rows[(rows["view"] == seen.view.name) & (rows["metric"] == "velocity_mm_s")]
    assert rows["mean"].item() == pytest.approx(error)
