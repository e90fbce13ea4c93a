"""The section on the cameras."""

import pytest

from pipeline.report.data.report_data import gather
from pipeline.report.sections.rig import rig_section
from pipeline.stores import RIGS, open_store
from tests.world.results import files_of, write_all
from tests.world.rigs import write_rigs


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
