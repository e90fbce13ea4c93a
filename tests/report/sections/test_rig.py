"""The section on the cameras."""

import json

import numpy as np
import pytest

from pipeline.alerts import Alert
from pipeline.report.data.report_data import gather
from pipeline.report.sections.rig import rig_section
from pipeline.stores import RIGS, PairRecord, ResidualsRecord, ViewGraphRecord, open_store
from tests.world.results import files_of, write_all
from tests.world.rigs import write_rigs


def section(root, figures, alerts=(), **rig):
    world = write_all(root)
    write_rigs(world, **rig)
    files = files_of(root)
    return rig_section(gather(files), open_store(files.rigs, RIGS), figures, alerts)


def test_the_table_has_one_line_for_recordings_of_the_same_rig(tmp_path):
    blocks = section(tmp_path, {}, rotated_deg=3.0).blocks
    cameras, rigs, stated = (block for block in blocks if block.kind == "table")
    assert [row[0] for row in cameras.rows] == ["c0", "c1", "c2"]
    (line,) = rigs.rows
    assert line[1] == "S1-turning, S2-turning, S3-turning"
    assert line[-3:-1] == ("bones ± 6.0 %", "people ± 2.0°")
    assert line[-1].startswith("1.33°")  # 2, 1 and 1 degrees
    assert [row[0] for row in stated.rows] == ["rotation", "centre", "scale"] * 3
    assert stated.rows[0][2:] == ("0.10 °", "1.41 °", "14.14")


def test_views_left_out_are_listed_with_the_reason_that_the_alerts_give(tmp_path):
    late = Alert(kind="late_camera", severity="warning", subject="S1-turning, cam1", message="it is late",
                 evidence="by 3 frames")  # fmt: skip
    other = late.model_copy(update={"subject": "S1-turning, cam2"})
    section_of = section(tmp_path, {}, alerts=[other, late], views_left_out=["cam1"])
    [table] = [block for block in section_of.blocks if block.title == "Views left out"]
    reasons = dict((recordings, why) for _, recordings, why in table.rows)
    assert reasons["S1-turning"] == "it is late (by 3 frames)"
    assert reasons["S2-turning, S3-turning"] == "it shares too little with the other views"


@pytest.mark.parametrize(
    ("figures", "mode", "text"),
    [
        ({"rotation_deg": 0.24, "centre_mm": 19.0}, "rig", "0.24° and 19.0 mm"),
        ({}, "rig", "came without extrinsics"),
        ({}, "known", "used as given"),
    ],
)
def test_the_lead_has_the_errors_where_extrinsics_were_given(tmp_path, figures, mode, text):
    assert text in section(tmp_path, figures, mode=mode).lead


def test_people_whom_no_view_sees_whole_are_shown(tmp_path):
    world = write_all(tmp_path)
    write_rigs(world)
    data = gather(files_of(tmp_path))
    for view in data.views:
        view.label_cam_mm[:, 3] = np.nan
    blocks = rig_section(data, open_store(files_of(tmp_path).rigs, RIGS), {}).blocks
    [scene] = [block.data for block in blocks if block.title == "Cameras and people"]
    assert "label" in [layer["name"] for layer in scene["layers"]]


def graph(*pairs, bridged=None):
    made = [PairRecord(views=(a, b), points=n, frames=n // 10, spread=(0.2, 0.126)) for a, b, n in pairs]
    return ViewGraphRecord(pairs=made, isolated=[], bridged=bridged or {})


def test_pairs_of_views_are_listed_once_for_a_pool_the_poorest_first(tmp_path):
    names = ["S1-turning", "S2-turning", "S3-turning"]
    shared = graph(("c0", "c1", 5000), ("c0", "c2", 40), ("c1", "c2", 3000), bridged={"c2": "c1"})
    blocks = section(tmp_path, {}, pool=names, view_graph=shared).blocks
    [table] = [block for block in blocks if block.title.startswith("What pairs of views share")]
    assert table.rows[0] == ("c0 – c2", "40", "4", "20", "13")
    assert [row[1] for row in table.rows] == ["40", "3,000", "5,000"]
    assert "only c1 links c2" in table.note


def test_of_many_pairs_the_poorest_are_listed(tmp_path):
    blocks = section(tmp_path, {}, view_graph=graph(*[("a", f"b{i}", i) for i in range(20)])).blocks
    [table] = [block for block in blocks if block.title.startswith("What pairs of views share")]
    assert len(table.rows) == 15
    assert "5 more pairs share more" in table.note


def test_residuals_are_shown_by_view_and_landmark(tmp_path):
    found = ResidualsRecord(
        landmarks=["l_hip", "nose", "chin"], by_view=[2.0, 3.0, None, None],
        by_landmark=[[1.0, 8.5, None, None], [2.5, None, None, None], [None] * 4],
    )  # fmt: skip
    blocks = section(tmp_path, {}, pool=["S1-turning"], residuals=found).blocks
    [chart] = [block for block in blocks if block.title == "Residual by view and landmark, px"]
    [grid] = json.loads(chart.data)["data"]
    assert grid["x"] == ["all", "left hip", "nose"]
    assert grid["z"] == [[2.0, 1.0, 2.5], [3.0, 8.5, None]]
    assert grid["y"] == ["c0", "c1"]


def test_focal_lengths_that_were_found_are_stated_with_their_uncertainty(tmp_path):
    found = {"focal": "unknown", "focal_scale": [0.9, 1.0, 1.3], "focal_std": [0.05, 0.06, None]}
    cameras, rigs, _ = (block for block in section(tmp_path, {}, **found).blocks if block.kind == "table")
    assert rigs.rows[0][6] == "× 0.900 to 1.300 ± 6.0 %"
    assert [" ± " in row[1] for row in cameras.rows] == [True, True, False]
    assert cameras.rows[0][1].endswith("± 5.0 %")
