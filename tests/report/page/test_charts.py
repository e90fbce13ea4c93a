"""Charts as plotly's JSON."""

import json

import numpy as np
import pytest

from pipeline.report.page.charts import (
    heat_map,
    histogram,
    joint_map,
    reliability,
    spread_bars,
    time_map,
    training_curve,
)
from pipeline.skeleton import N_JOINTS


def traces(chart):
    return json.loads(chart)["data"]


def test_a_histogram_counts_every_pose_and_puts_the_largest_errors_in_the_last_bin():
    errors = np.append(np.full(199, 10.0), [1000.0, np.nan])
    (bars,) = traces(histogram({"network": ("#000000", errors)}, "mm"))
    assert sum(bars["y"]) == pytest.approx(100)
    assert max(bars["x"]) < 20


def test_a_joint_map_leaves_out_the_root_and_has_gaps_for_missing_values():
    values = np.arange(N_JOINTS, dtype=float)[None]
    values[0, 3] = np.nan
    (grid,) = traces(joint_map(values, ["cam0"], "mm", 50.0))
    assert grid["z"][0][:4] == [1.0, 2.0, None, 4.0]
    assert grid["zmax"] == 50


def test_a_heat_map_has_the_named_columns():
    (grid,) = traces(heat_map(np.array([[1.0, 2.04]]), ["cam0"], ["nose", "chin"], "px"))
    assert (grid["x"], grid["y"], grid["z"], grid["zmax"]) == (["nose", "chin"], ["cam0"], [[1.0, 2.0]], 2.0)
    (grid,) = traces(heat_map(np.array([[1.0, 90.0]]), ["cam0"], ["nose", "chin"], "px", most_top=5.0))
    assert (grid["z"], grid["zmax"]) == ([[1.0, 90.0]], 5.0)


def test_a_time_map_averages_over_bins():
    (grid,) = traces(time_map({"a": np.array([1.0, 3.0, 5.0, 7.0]), "b": np.full(4, np.nan)}, 2, "%"))
    assert grid["z"] == [[2.0, 6.0], [None, None]]


def test_reliability_has_the_quartiles_of_equal_groups():
    stated = np.arange(100.0)
    _, median, rms = traces(reliability(stated, 2 * stated, 10, "stated", "error", "#000000"))
    assert median["y"] == [2 * x for x in median["x"]]
    assert all(a >= b for a, b in zip(rms["y"], median["y"], strict=True))


def test_spread_bars_have_percentiles_of_the_known_values():
    (box,) = traces(spread_bars({"cam0": np.append(np.arange(101.0), np.nan), "none": np.array([np.nan])}, "%", "#000"))
    assert (box["lowerfence"], box["q1"], box["median"], box["q3"], box["upperfence"]) == ([5], [25], [50], [75], [95])


def test_a_training_curve_has_a_chart_for_each_column_with_values(tmp_path):
    (tmp_path / "curve.csv").write_text("epoch,train_loss,lr,val\n1,0.5,0.1,\n2,0.25,0.1,\n")
    ((name, chart),) = training_curve(tmp_path / "curve.csv", ("lr",))
    assert name == "train_loss"
    assert traces(chart)[0]["y"] == [0.5, 0.25]
