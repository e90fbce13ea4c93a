"""Rows of images that compare two experiments."""

import re
import subprocess

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.report.comparison.side_by_side import N_ROWS, side_by_side
from tests.world.results import write_all


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    write_all(tmp_path)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t")
    for command in ((*git, "init", "--quiet"), ("dvc", "init", "--quiet"), (*git, "commit", "--quiet", "-m", "start")):
        subprocess.run(command, cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)


def test_rows_go_from_small_errors_to_large_ones_and_show_both(workspace):
    page = side_by_side(("first", "second"), (None, None))
    errors = {
        name: [float(error) for error in re.findall(rf"<figcaption>{name}: ([\d.]+) mm", page)]
        for name in ("first", "second")
    }
    assert len(errors["first"]) == N_ROWS
    assert errors["first"] == errors["second"]
    assert errors["first"] == sorted(errors["first"])
    assert np.ptp(errors["first"]) > 0
    assert page.count("data:image/webp") == N_ROWS


def test_without_truth_poses_are_compared_with_labels(workspace, tmp_path):
    (tmp_path / "data/frames/truth.zarr").rename(tmp_path / "elsewhere")
    assert "<p>label</p>" in side_by_side(("first", "second"), (None, None))


def test_predictions_of_a_revision(workspace, tmp_path):
    """Only the predictions are fetched from the revision."""
    subprocess.run(["dvc", "add", "--quiet", "data/predictions.zarr"], cwd=tmp_path, check=True)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t")
    for command in ((*git, "add", "data/predictions.zarr.dvc"), (*git, "commit", "--quiet", "-m", "predicted")):
        subprocess.run(command, cwd=tmp_path, check=True)
    assert "<figcaption>before: " in side_by_side(("before", "now"), ("HEAD", None))


def test_missing_predictions(workspace):
    with pytest.raises(UserError, match="gone has no predictions"):
        side_by_side(("workspace", "gone"), (None, "gone"))
