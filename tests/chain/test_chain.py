"""The whole chain on the tiny capture through the real commands, and experiments as DVC users expect them.

The tests of this file build on each other and run in their order.
"""

import csv
import io
import json

import pytest

from tests.chain.conftest import stages_run

pytestmark = [pytest.mark.chain, pytest.mark.timeout(1500)]

ALL = ["capture", "frames", "pretrain", "detect", "calibrate", "triangulate", "pss", "train", "report"]
LENGTHS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm")


@pytest.fixture(scope="module")
def reproduced(repository):
    """The tiny chain, run once by `dvc repro` and committed."""
    output = repository.run("dvc", "repro")
    repository.commit("reproduced")
    return output


def metrics(repository):
    return json.loads((repository.path / "reports/metrics.json").read_text())


def test_repro_runs_every_stage_and_measures_everything(reproduced, repository):
    assert sorted(stages_run(reproduced)) == sorted(ALL)
    found = metrics(repository)
    for part in ("labels", "labels_known", "test", "test_new_view"):
        for key in LENGTHS:
            assert 0 < found[part][key] < 2000, (part, key)
    assert 0 < found["labels"]["coverage"] <= 100
    assert 0 < found["detector"]["error_px"] < 192
    assert set(ALL) <= set(found["seconds"])
    page = (repository.path / "reports/index.html").read_text()
    assert "<html" in page
    assert 'src="http' not in page


def test_a_second_repro_does_nothing(reproduced, repository):
    assert stages_run(repository.run("dvc", "repro")) == []


def test_a_changed_learning_rate_reruns_train_and_report_only(reproduced, repository):
    output = repository.run("dvc", "exp", "run", "-n", "faster", "-S", "train.lr=2e-3")
    assert stages_run(output) == ["train", "report"]


def test_lifting_reruns_train_and_report_only(reproduced, repository):
    output = repository.run("dvc", "exp", "run", "-n", "lifting", "-S", "train.model=lifting")
    assert stages_run(output) == ["train", "report"]
    assert 0 < metrics(repository)["test"]["n_mpjpe_mm"] < 2000


def test_full_supervision_reruns_train_and_report_only(reproduced, repository):
    output = repository.run("dvc", "exp", "run", "-n", "full", "-S", "train.supervision=full")
    assert stages_run(output) == ["train", "report"]


def test_a_refinement_runs_beside_the_report(reproduced, repository):
    output = repository.run("dvc", "exp", "run", "-n", "refined", "-S", "refine.sources=[truth]")
    assert sorted(stages_run(output)) == ["refine@truth", "report"]
    shown = json.loads(repository.run("dvc", "metrics", "show", "--json"))
    found = shown[""]["data"]["reports/refine_truth.json"]["data"]["refine_truth"]
    assert set(found["before"]) == set(found["after"])


def test_a_wrong_parameter_is_one_line(reproduced, repository):
    output = repository.run("dvc", "exp", "run", "-S", "train.lr=-1", fails=True)
    assert "train.lr = -1" in output
    repository.run("git", "checkout", "--", "params.yaml")


def test_another_detector_reruns_from_detect_on(reproduced, repository):
    pytest.importorskip("mediapipe")
    output = repository.run("dvc", "exp", "run", "-n", "mediapipe", "-S", "detect.detector=mediapipe")
    assert stages_run(output)[0] == "detect"
    assert {"train", "report"} <= set(stages_run(output))
    assert not {"capture", "frames", "pretrain"} & set(stages_run(output))


def test_experiments_can_be_compared(reproduced, repository):
    table = list(csv.DictReader(io.StringIO(repository.run("dvc", "exp", "show", "--csv"))))
    rows = {row["Experiment"]: row for row in table}
    assert {"faster", "full"} <= set(rows)
    assert rows["faster"]["train.lr"] == "0.002"
    assert any("n_mpjpe_mm" in key for key in table[0])
    diff = json.loads(repository.run("dvc", "metrics", "diff", "--json", "HEAD", "faster"))
    assert "reports/metrics.json" in diff
    assert "diff" in diff["reports/metrics.json"]["test.n_mpjpe_mm"]
    repository.run("dvc", "plots", "diff", "HEAD", "faster")
    reported = repository.run(
        "python", "-m", "pipeline.report.comparison.compare", "HEAD", "faster", "--rows", "rows.html"
    )
    assert "| train.lr | 0.0015 | 0.002 |" in reported
    assert "## Network, unseen people" in reported
    assert "<figcaption>faster: " in (repository.path / "rows.html").read_text()
    (repository.path / "rows.html").unlink()


def test_a_removed_subject_leaves_no_stale_data(reproduced, repository):
    repository.run("dvc", "exp", "run", "-n", "fewer", "-S", "capture.subjects=[S1,S3]")
    for place in ("data/poses2d.zarr", "data/labels.zarr"):
        assert {path.name.split("_")[0] for path in (repository.path / place).iterdir() if path.is_dir()} == {
            "S1",
            "S3",
        }
    repository.run("git", "checkout", "--", ".")
    repository.run("dvc", "checkout")


def test_queued_experiments_run(reproduced, repository):
    repository.run("dvc", "exp", "run", "--queue", "-n", "queued", "-S", "report.examples=1")
    repository.run("dvc", "queue", "start")
    repository.run("dvc", "queue", "logs", "queued", "-f")
    assert "Success" in repository.run("dvc", "queue", "status")
