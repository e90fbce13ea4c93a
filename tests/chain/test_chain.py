"""The whole chain on the tiny capture through the real commands, and experiments as DVC users expect them.

The tests of this file build on each other and run in their order.
"""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import torch

from pipeline.capture import read_capture
from pipeline.formats.calibration import FORMATS
from pipeline.stores import TRUTH, open_store

pytestmark = [pytest.mark.chain, pytest.mark.timeout(1500)]

MEASURED = {
    "capture", "frames", "pretrain", "detect", "calibrate", "triangulate", "baseline", "pss", "train", "report",
}  # fmt: skip
REFINE = {"refine@truth", "refine@labels"}
ALL = {"code", "settings"} | MEASURED | REFINE
AFTER_TRAIN = {"train", "report"} | REFINE  # a refinement that nobody asked for takes a second
LENGTHS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm")


@pytest.fixture(scope="module")
def reproduced(repository):
    """The stages that `dvc repro` ran for the tiny chain, whose results are then committed."""
    stages = repository.stages("repro")
    repository.commit("reproduced")
    return stages


@pytest.fixture
def fresh(reproduced, repository):
    """The repository as it was after the first run."""
    repository.reset()
    return repository


def metrics(repository):
    return json.loads((repository.path / "reports/metrics.json").read_text())


def test_repro_runs_every_stage_and_measures_everything(reproduced, repository):
    assert reproduced == ALL
    found = metrics(repository)
    for part in ("labels", "labels_known", "test", "test_new_view"):
        for key in LENGTHS:
            assert 0 < found[part][key] < 2000, (part, key)
    assert 0 < found["labels"]["coverage"] <= 100
    assert 0 < found["detector"]["error_px"] < 192
    assert set(found["seconds"]) >= MEASURED
    page = (repository.path / "reports/index.html").read_text()
    assert "<html" in page
    assert 'src="http' not in page


def test_a_second_repro_does_nothing(fresh):
    assert fresh.changed() == set()
    assert fresh.stages("repro") == set()


def test_a_comment_or_a_docstring_runs_the_stage_code_alone(fresh):
    module = fresh.path / "pipeline/errors.py"
    module.write_text(module.read_text().replace('"""', '"""Another text. ', 1) + "# a comment\n")
    assert fresh.stages("repro") == {"code"}
    assert fresh.changed() == set()


def test_an_edited_function_concerns_the_stages_that_run_it(fresh):
    module = fresh.path / "pipeline/pss/fit.py"
    module.write_text(module.read_text() + "\n\ndef another():\n    return 1\n")
    assert fresh.stages("repro", "code") == {"code"}
    assert fresh.changed() == {"pss", "report"}


def test_a_text_beside_the_footage_concerns_nobody(fresh):
    (fresh.path / "footage/README.md").write_text("Another text.\n")
    assert fresh.changed() == set()
    (fresh.path / "footage/calibration.toml").write_text("")
    assert fresh.changed() == {"capture"}
    (fresh.path / "footage/calibration.toml").unlink()


def test_parameters_of_the_other_model_concern_nobody(fresh):
    keys = ("-S", "train.lifting.width=256", "-S", "calibrate.window_frames=50")
    assert fresh.stages("exp", "run", *keys) == {"settings"}
    assert fresh.changed() == set()


def test_a_learning_rate_reruns_train_and_what_follows(fresh):
    assert fresh.stages("exp", "run", "-n", "faster", "-S", "train.lr=2e-3") == {"settings"} | AFTER_TRAIN


def test_lifting_reruns_train_and_what_follows(fresh):
    assert fresh.stages("exp", "run", "-n", "lifting", "-S", "train.model=lifting") == {"settings"} | AFTER_TRAIN
    assert 0 < metrics(fresh)["test"]["n_mpjpe_mm"] < 2000
    assert fresh.stages("exp", "run", "-S", "train.backbone=resnet18") == {"settings"}


def test_the_content_of_files_that_parameters_name_counts(fresh, tmp_path):
    weights, occluders = tmp_path / "own.pt", tmp_path / "occluders"
    shutil.copy(fresh.path / "models/detector.pt", weights)
    occluders.mkdir()
    keys = (f"train.weights={weights}", f"train.augment.occluder_folder={occluders}")
    changes = [word for key in keys for word in ("-S", key)]
    assert fresh.stages("exp", "run", "-n", "own", *changes) == {"settings"} | AFTER_TRAIN
    (occluders / "chair.png").write_bytes(b"")
    assert fresh.changed() == {"train"} | REFINE
    (occluders / "chair.png").unlink()
    content = torch.load(weights, weights_only=True)
    content["weights"] = {name: values * 1.01 for name, values in content["weights"].items()}
    torch.save(content, weights)
    assert fresh.changed() == {"train"} | REFINE
    assert fresh.stages("repro") == AFTER_TRAIN
    (fresh.path / "references/pss/other.npz").write_bytes(b"")
    assert fresh.changed() == {"pss"}
    (fresh.path / "references/pss/other.npz").unlink()


def test_a_refinement_is_made_for_the_sources_that_are_named(fresh):
    stages = fresh.stages("exp", "run", "-n", "refined", "-S", "refine.sources=[truth]")
    assert stages == {"settings", "refine@truth", "report"}
    assert (fresh.path / "data/refined/truth/predictions.zarr").is_dir()
    assert (fresh.path / "data/refined/labels/absent.json").exists()


def test_a_wrong_parameter_is_one_line_before_any_work(fresh):
    output = fresh.run("dvc", "exp", "run", "-S", "train.lr=-1", "-S", "capture.demo.seed=2", fails=True)
    assert "train.lr = -1" in output
    assert "Running stage 'capture'" not in output


def test_another_detector_reruns_from_detect_on_and_trains_no_detector(fresh):
    pytest.importorskip("mediapipe")
    keys = ("-S", "detect.detector=mediapipe", "-S", "train.init=random")
    stages = fresh.stages("exp", "run", "-n", "mediapipe", *keys)
    assert stages >= {"settings", "pretrain", "detect", "train", "report"}
    assert not stages & {"code", "capture", "frames"}
    assert (fresh.path / "models/detector.pt").stat().st_size < 100
    assert metrics(fresh)["seconds"]["pretrain"] < 10
    fresh.run("git", "checkout", "HEAD", "--", "params.yaml")
    assert "Stage 'pretrain' is cached" in fresh.run("dvc", "repro", "pretrain")
    assert (fresh.path / "models/detector.pt").stat().st_size > 100_000


def test_experiments_can_be_compared(fresh):
    table = list(csv.DictReader(io.StringIO(fresh.run("dvc", "exp", "show", "--csv"))))
    rows = {row["Experiment"]: row for row in table}
    assert {"faster", "lifting"} <= set(rows)
    assert rows["faster"]["train.lr"] == "0.002"
    assert any("n_mpjpe_mm" in key for key in table[0])
    shown = json.loads(fresh.run("dvc", "params", "diff", "--json", "HEAD", "faster"))
    assert {key: shown["params.yaml"]["train.lr"][key] for key in ("old", "new")} == {"old": 0.0015, "new": 0.002}
    diff = json.loads(fresh.run("dvc", "metrics", "diff", "--json", "HEAD", "faster"))
    assert "diff" in diff["reports/metrics.json"]["test.n_mpjpe_mm"]
    fresh.run("dvc", "plots", "diff", "HEAD", "faster")
    reported = fresh.run("epiline", "compare", "HEAD", "faster", "--rows", "rows.html")
    assert "| train.lr | 0.0015 | 0.002 |" in reported
    assert "## Network, unseen people" in reported
    assert "<figcaption>faster: " in (fresh.path / "rows.html").read_text()
    (fresh.path / "rows.html").unlink()


def write_footage(capture_folder, footage):
    """The demo as a user's own footage, with its true joints in a world of their own, in metres with y up."""
    capture, truth = read_capture(capture_folder), open_store(capture_folder / "truth.zarr", TRUTH)
    cameras = {view.name: view.camera for view in capture.recordings[0].views}
    for recording in capture.recordings:
        folder = footage / recording.name
        folder.mkdir(parents=True)
        for view in recording.views:
            shutil.copy(view.file, folder / f"{view.name}.mp4")
        person = truth[recording.name].person(0)
        joints, times_s = person["joints_world_mm"][..., [1, 2, 0]] / 1000 + 5, 3 + person["time_s"]
        np.savez(folder / "truth.npz", joints=joints, time_s=times_s, unit="m")
    FORMATS["epiline"].write(footage / "calibration.toml", cameras, "")


def test_own_footage_with_truth_and_a_removed_subject_leaves_no_stale_data(fresh, tmp_path):
    """The motion of two people does not determine the cameras of the tiny demo, so the given ones are used."""
    write_footage(fresh.path / "data/capture", tmp_path / "footage")
    keys = (
        "capture.source=videos", f"capture.root={tmp_path / 'footage'}", "capture.subjects=[S1,S3]",
        "capture.truth.coordinates=aligned", "capture.truth.start_s=3.0", "calibrate.mode=known",
        "train.supervision=full",
    )  # fmt: skip
    fresh.run("dvc", "exp", "run", "-n", "fewer", *(word for key in keys for word in ("-S", key)))
    for place in ("data/frames/truth.zarr", "data/poses2d.zarr", "data/labels.zarr"):
        groups = [path.name for path in (fresh.path / place).iterdir() if path.is_dir()]
        assert {name.split("_")[0] for name in groups} == {"S1", "S3"}
    found = metrics(fresh)
    for part in ("labels", "test"):
        for key in LENGTHS:
            assert 0 < found[part][key] < 2000, (part, key)
    assert "test_labels" not in found
    alerts = json.loads((fresh.path / "reports/alerts.json").read_text())
    kinds = {alert["kind"] for alert in alerts}
    assert "truth_aligned" in kinds
    assert not kinds & {"truth_gaps", "truth_elsewhere", "truth_misplaced", "truth_refused"}


def test_an_experiment_in_a_folder_of_its_own_reuses_what_is_there(fresh):
    stages = fresh.stages("exp", "run", "--temp", "-n", "apart", "-S", "frames.strict=true")
    assert stages == {"settings", "frames", "report"}  # the frames are the same; the report shows the parameter


def test_queued_experiments_run_and_reuse_what_is_there(fresh):
    for change in ("size_tolerance=0.03", "unequal_lengths=reject"):
        fresh.run("dvc", "exp", "run", "--queue", "-n", change.partition("=")[0], "-S", f"frames.{change}", "frames")
    fresh.run("dvc", "queue", "start")
    for name in ("size_tolerance", "unequal_lengths"):
        output = fresh.run("dvc", "queue", "logs", name, "-f")
        assert "Running stage 'frames'" in output
        assert "Running stage 'pretrain'" not in output
    assert fresh.run("dvc", "queue", "status").count("Success") >= 2
