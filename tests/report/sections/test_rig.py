"""The section on the cameras."""

import pytest

from pipeline.alerts import Alert
from pipeline.report.data.report_data import gather
from pipeline.report.sections.rig import rig_section
from pipeline.stores import RIGS, open_store
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
    ("figures", "text"),
    [({"rotation_deg": 0.24, "centre_mm": 19.0}, "0.24° and 19.0 mm"), ({}, "came without extrinsics")],
)
def test_the_lead_has_the_errors_where_extrinsics_were_given(tmp_path, figures, text):
    assert text in section(tmp_path, figures).lead
