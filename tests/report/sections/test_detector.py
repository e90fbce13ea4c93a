"""The section on the detector."""

from pipeline.report.data.report_data import gather
from pipeline.report.sections.detector import crash_sentence, detector_section
from tests.world.results import files_of, write_all, write_detections

FIGURES = {"error_px": 1.0, "error_box_percent": 1.5, "swap_percent": 0.3, "crashed_images": 6}


def test_crashes_are_counted():
    assert crash_sentence(0) == ""
    assert crash_sentence(1) == " The detector crashed on 1 image, which counts as a frame without a person."
    assert "1,200 images, which count as frames" in crash_sentence(1200)


def test_the_section_names_the_error_and_the_crashes(tmp_path):
    write_detections(write_all(tmp_path), n_crashed=2)
    section = detector_section(gather(files_of(tmp_path)), FIGURES)
    assert "1.0 px or 1.50 %" in section.lead
    assert "crashed on 6 images" in section.lead
    assert [block.kind for block in section.blocks] == ["gallery", "chart", "chart", "table"]


def test_without_truth_only_the_confidence_is_known(tmp_path):
    write_all(tmp_path, truth=False)
    section = detector_section(gather(files_of(tmp_path)), {"crashed_images": 0})
    assert "not known" in section.lead
    assert "crashed" not in section.lead
    assert [block.title for block in section.blocks if block.kind == "chart"] == ["Confidence by view"]
