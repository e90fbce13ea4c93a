"""The section on the footage."""

from pipeline.report.sections.capture import capture_section
from tests.world.capture import REJECTED
from tests.world.people import N_FRAMES


def test_recordings_views_and_rejections_are_listed(shown):
    section = capture_section(shown.data)
    assert f"Recordings: 3, people: 3, images: {3 * 4 * N_FRAMES}" in section.lead
    gallery, recordings, rejected = section.blocks
    assert len(gallery.cards) == 4 + 2  # all views of the first recording, one of each other
    assert recordings.rows[0][:6] == ("S1-turning", "S1", "turning", "train", "3", "1")
    assert rejected.rows == [("S9-jumping", REJECTED)]
