"""The section on the cameras."""

import pytest

from pipeline.report.data.report_data import gather
from pipeline.report.sections.rig import motion_warning, rig_section
from pipeline.stores import RIGS, open_store
from tests.world.records import rig_record
from tests.world.results import files_of, write_all
from tests.world.rigs import write_rigs


def test_the_camera_that_rotated_most_is_reported():
    still, window = rig_record(), rig_record(mode="window", moved_deg=4.2)
    assert motion_warning({}) == motion_warning({"a": still}) == ""
    assert motion_warning({"a": rig_record(mode="adjust", moved_deg=0.4)}) == ""
    assert "4.20° during b" in motion_warning({"a": still, "b": window})
    assert "second half of c, d" in motion_warning({"c": rig_record(moved_deg=1.5, pool=["c", "d"])})
    text = motion_warning({"a": rig_record(mode="adjust", moved_deg=7.0), "b": window})
    assert "people of a rotated a camera by 7.00°" in text


def section(root, figures, **rig):
    world = write_all(root)
    write_rigs(world, **rig)
    files = files_of(root)
    return rig_section(gather(files), open_store(files.rigs, RIGS), figures)


def test_the_table_has_one_line_for_recordings_of_the_same_rig(tmp_path):
    blocks = section(tmp_path, {}, rotated_deg=3.0).blocks
    cameras, rigs = (block for block in blocks if block.kind == "table")
    assert [row[0] for row in cameras.rows] == ["c0", "c1", "c2"]
    (line,) = rigs.rows
    assert line[1] == "S1-turning, S2-turning, S3-turning"
    assert line[-2] == "bones"
    assert line[-1].startswith("1.33°")  # 2, 1 and 1 degrees


@pytest.mark.parametrize(
    ("figures", "text"),
    [({"rotation_deg": 0.24, "centre_mm": 19.0}, "0.24° and 19.0 mm"), ({}, "came without extrinsics")],
)
def test_the_lead_has_the_errors_where_extrinsics_were_given(tmp_path, figures, text):
    assert text in section(tmp_path, figures).lead
