"""The papers' tables beside a run's figures, in the report and in the documentation."""

import re

import pytest

from pipeline.params.file import read_params
from pipeline.report.sections.papers import LABELS, NETWORKS, comparability, paper_section, paper_tables
from tests.house.imports import ROOT

PARAMS = read_params(ROOT / "params.yaml")
FIGURES = {
    "labels": {"n_mpjpe_mm": 73.5, "pa_mpjpe_mm": 64.9, "pss50": 68.4}, "test": {"n_mpjpe_mm": 72.8},
    "test_refined_truth": {"n_mpjpe_mm": 70.1},
}  # fmt: skip


def here(**changes):
    """What the table says of a run, by row; changes are section -> changed parameters."""
    sections = {name: getattr(PARAMS, name).model_copy(update=changed) for name, changed in changes.items()}
    return {row[0]: row[2:] for row in comparability(PARAMS.model_copy(update=sections))}


def test_a_run_stands_below_the_papers_and_only_where_it_was_measured():
    labels, networks = paper_tables(FIGURES, PARAMS)[1:]
    assert labels.rows[-1][1:] == ("–", "73.50", "64.90", "68.40", "–")
    assert labels.marked == 1  # known cameras were not measured
    assert len(labels.rows) == len(LABELS) + 1
    assert [row[0] for row in networks.rows[len(NETWORKS) :]] == [
        "this run: unseen people", "this run: unseen people, refined on truth",
    ]  # fmt: skip
    assert labels.markdown().splitlines()[-1].startswith("| **this run")


def test_without_truth_there_is_nothing_to_put_beside():
    figures = {"labels": {"coverage": 90.0}, "test_labels": {"n_mpjpe_mm": 60.0}}
    assert not paper_section(figures, PARAMS).blocks


def test_the_frames_are_those_that_were_tested():
    assert here(frames={"every_n_frames": 1})["test"][0].endswith("every frame")
    assert here(frames={"every_n_frames": 2})["test"][0].endswith("every second frame")
    assert here(frames={"every_n_frames": 64})["test"][0].endswith("every 64th frame")


def test_the_crop_is_that_of_the_run():
    assert "detector's box" in here(train={"crop": "box"})["crop"][0]
    assert "2000 mm" in here(train={"crop": "metric"})["crop"][0]
    lifting, comparable = here(train={"model": "lifting"})["crop"]
    assert "2D poses" in lifting
    assert comparable.startswith("no")


def test_the_clusters_are_those_of_the_run():
    assert "this capture" in here(pss={"reference": "fit"})["PSS"][0]
    assert "this capture" not in here(pss={"reference": "frozen"})["PSS"][0]


def test_the_parameters_need_not_have_keys_without_effect():
    lifting = PARAMS.train.model_copy(update={"model": "lifting"})
    del lifting.__dict__["crop"]  # as `settings` leaves it out
    assert comparability(PARAMS.model_copy(update={"train": lifting}))


def test_the_documentation_has_the_papers_figures_as_the_report_has_them():
    page = (ROOT / "docs/results.md").read_text()
    for table in paper_tables({}, PARAMS):
        for line in table.markdown().splitlines():
            assert line in page, "Mend it with: epiline dev results-tables reports/metrics.json docs/results.md"


def test_the_documentation_has_the_papers_figures_on_3dhp():
    """Table 4 of Kocabas et al."""
    page = (ROOT / "docs/results.md").read_text()
    rows = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in page.splitlines()
            if line.startswith("| ") and line.count("|") == 9}  # fmt: skip
    assert rows["trained on the truth (Kocabas)"] == ["108.99", "106.38", "77.5", "78.1", "–", "87.15", "82.21"]
    assert rows["truth of one subject, and labels (Kocabas)"][-2:] == ["75.64", "73.15"]
    assert rows["the same, cameras unknown (Kocabas)"][-2:] == ["73.41", "70.97"]
    assert rows["trained on labels (Kocabas)"][-2:] == ["70.94", "67.58"]


def test_the_documentation_states_the_loss_of_the_labels_that_its_table_shows():
    page = (ROOT / "docs/results.md").read_text()
    known, found = (
        [
            float(cell.strip(" *"))
            for cell in re.search(rf"\*\*this run: {name}\*\* \|(.*?)\|\n", page)[1].split("|")[:3]
        ]
        for name in ("cameras known", "as this run made them")
    )
    losses = sorted(b - a for a, b in zip(known, found, strict=True))
    low, high = (float(x) for x in re.search(r"labels lose ([\d.]+) mm .*? to ([\d.]+) mm", page).groups())
    assert losses[0] == pytest.approx(low, abs=0.05)
    assert losses[-1] == pytest.approx(high, abs=0.05)


def test_figures_in_the_documentation_name_their_commit():
    page = (ROOT / "docs/results.md").read_text()
    sections = [part for part in re.split(r"\n(?=##? )", page) if re.search(r"python -m|make repro", part)]
    assert len(sections) >= 4
    assert all(re.search(r"[Cc]ommit\s+[0-9a-f]{7}", part) for part in sections)
