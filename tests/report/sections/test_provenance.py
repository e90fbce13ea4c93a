"""The sections on training curves, resources, parameters and files."""

import hashlib
from pathlib import Path

from pipeline.params.file import read_stage_settings, write_stage_settings
from pipeline.report.sections.papers import paper_section
from pipeline.report.sections.provenance import run_section, training_section


def tables(shown):
    section = run_section(shown.files, shown.data, shown.files.stage_resources(), shown.params)
    return {block.title: block.rows for block in section.blocks if block.kind == "table"}


def test_every_curve_is_shown(shown):
    titles = [block.title for block in training_section(shown.files).blocks]
    assert titles == [
        "3D network: loss", "2D detector: loss", "Refinement on truth: loss", "Refinement on labels: loss",
    ]  # fmt: skip


def test_all_parameters_are_listed(shown):
    rows = tables(shown)["Parameters"]
    assert ("train.lr", str(shown.params.train.lr)) in rows
    assert not [value for _, value in rows if "entries" in value]


def test_sections_need_no_parameters_without_effect(shown, tmp_path):
    """As the stage `settings` shares them."""
    lifting = shown.params.train.model_copy(update={"model": "lifting"})
    params = shown.params.model_copy(update={"train": lifting})
    write_stage_settings(params, Path("models/detector.pt"), tmp_path / "settings")
    shared = read_stage_settings(tmp_path / "settings")
    table = run_section(shown.files, shown.data, {}, shared).blocks[0]
    assert ("train.model", "lifting") in table.rows
    assert not [key for key, _ in table.rows if key == "train.crop"]
    assert "2D poses" in paper_section(shown.figures, shared).blocks[0].markdown()


def test_stores_and_weights_are_identified(shown):
    rows = tables(shown)["Provenance"]
    assert ("detections", "detector.name", "test") in rows
    assert ("predictions", "supervision", "self") in rows
    assert {source for source, _, _ in rows} >= {"rigs", "labels", "refined on truth", "PSS reference, k = 3"}
    weights = (shown.files.refined("truth") / "refiner.pt").read_bytes()
    assert ("refined/truth/refiner.pt", "sha256", hashlib.sha256(weights).hexdigest()[:12]) in rows


def test_time_and_memory_are_charts(shown):
    section = run_section(shown.files, shown.data, shown.files.stage_resources(), shown.params)
    assert [block.title for block in section.blocks[:2]] == ["Time", "Peak memory"]
