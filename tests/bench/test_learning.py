"""The comparison of experiments: the simulated detector's errors, the tables, the parameters of each experiment."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from bench.learning import demo
from bench.learning.__main__ import summary
from bench.learning.motion import detect
from bench.learning.tables import write_tables
from pipeline.geometry.camera.model import Camera, undistort
from pipeline.params.file import read_params
from tests.world.cameras import SIZE_PX, K, ring
from tests.world.people import people


@pytest.fixture(scope="module")
def seen():
    """Errors as a share of the person's height (F, V, 17) and confidences of people that a bent lens sees."""
    R, t = ring(4)
    lens = np.array([-0.2, 0.2, 0, 0, 0])
    cameras = [Camera(K, lens, SIZE_PX, R[v], t[v]) for v in range(4)]
    joints = np.repeat(people(20, area_mm=300.0), 60, axis=0)
    found = detect(1, joints, cameras, np.random.default_rng(0))
    true = np.stack([undistort(camera.project(joints), K, lens) for camera in cameras], 1)
    return np.linalg.norm(found.points_norm - true, axis=-1) / found.height[..., None], found.confidence


def test_the_detector_errs_as_real_ones_were_measured_to(seen):
    errors, confidence = seen
    assert 0.014 < np.median(errors) < 0.019
    assert 0.039 < np.percentile(errors, 90) < 0.052
    assert 0.01 < np.mean(errors > 0.1) < 0.024
    assert 0.035 < np.median(errors[confidence < 0.3]) < 0.055
    assert 0.009 < np.median(errors[confidence > 0.85]) < 0.014


def test_a_summary_is_mean_and_spread_over_the_seeds():
    found = summary({"a": [{"mm": 1.0}, {"mm": 3.0}], "b": [{"mm": 5.0}]})
    assert found["a"]["mm"] == {"mean": 2.0, "std": 1.41, "seeds": 2}
    assert found["b"]["mm"] == {"mean": 5.0, "std": 0.0, "seeds": 1}


def test_a_table_is_filled_in_between_its_marks_alone(tmp_path):
    page = tmp_path / "results.md"
    others = "after\n<!-- table: other -->\nkept\n<!-- end -->\n"
    page.write_text("before\n<!-- table: mine -->\nold\n<!-- end -->\n" + others)
    found = summary({"a": [{"mpjpe_mm": 1.0}, {"mpjpe_mm": 3.0}], "b": [{"mpjpe_mm": 5.0}]})
    write_tables(page, {"mine": found}, {})
    text = page.read_text()
    assert "| a | 2.0 ± 1.4 | 2 |\n| b | 5.0 | 1 |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith(others)


def test_a_row_ends_with_its_command(tmp_path):
    page = tmp_path / "results.md"
    page.write_text("<!-- table: mine -->\n<!-- end -->\n")
    write_tables(page, {"mine": summary({"a": [{"mpjpe_mm": 1.0}]})}, {"mine": {"a": "make a"}})
    assert "|  | MPJPE | seeds | command |\n|---|---|---|---|\n| a | 1.0 | 1 | `make a` |" in page.read_text()


def test_parameters_are_changed_as_on_the_command_line():
    given = read_params()
    found = demo.changed(given, ("train.lr=1e-2", "train.subjects=[S1, S2]", "train.lifting.losses.labels=0.5"))
    assert (found.train.lr, found.train.subjects, found.train.lifting.losses.labels) == (0.01, ["S1", "S2"], 0.5)
    assert found.calibrate == given.calibrate
    with pytest.raises(ValidationError):
        demo.changed(given, ("train.lr=-1",))


@pytest.mark.parametrize("changes", demo.EXPERIMENTS.values())
def test_every_row_of_the_demo_can_be_asked_for(changes):
    demo.changed(read_params(), changes)


def test_a_run_that_is_there_is_not_made_again(tmp_path):
    for changes, figures in ((("train.seed=5",), {"mpjpe_mm": 1.0}), (("train.seed=6",), {"mpjpe_mm": 3.0})):
        folder = tmp_path / " ".join(changes)
        folder.mkdir()
        (folder / "figures.json").write_text(json.dumps(figures))
    found = list(demo.results(tmp_path / "none", ["labels, self-calibrated"], range(2), tmp_path))
    assert found == [("labels, self-calibrated", {"mpjpe_mm": value}) for value in (1.0, 3.0)]
