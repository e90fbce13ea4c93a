"""The files that the report reads are those that DVC knows."""

import re

from ruamel.yaml import YAML

from pipeline.report.data.files import MEASURED_STAGES, REFINE_SOURCES
from tests.house.imports import ROOT
from tests.world.results import files_of, write_all


def test_the_files_read_are_the_dependencies_of_the_stage(tmp_path):
    files = files_of(tmp_path)
    read = [files.frames, files.poses2d, files.rigs, files.labels, files.baseline, files.predictions, files.pss]
    read += [files.models / "detector.pt", files.models / "pose3d.pt", *(files.refined(s) for s in REFINE_SOURCES)]
    read += [files.reports / "plots/train.csv", files.reports / "plots/pretrain.csv"]
    read += [files.reports / "resources" / f"{stage}.json" for stage in MEASURED_STAGES]
    graph = YAML(typ="safe").load(ROOT / "dvc.yaml")
    paths = graph["vars"][0]["path"]
    declared = {re.sub(r"\$\{path\.(\w+)\}", lambda m: paths[m[1]], dep) for dep in graph["stages"]["report"]["deps"]}
    declared -= {f"{paths['code']}/report.json", paths["settings"]}
    assert declared == {path.relative_to(tmp_path).as_posix() for path in read}


def test_only_results_count_not_the_notes_that_there_are_none(tmp_path):
    write_all(tmp_path, refined=("labels",))
    files = files_of(tmp_path)
    assert files.refined_sources() == ["labels"]
    assert files.weights() == [files.refined("labels") / "refiner.pt"]
    assert list(files.curves()) == ["3D network", "2D detector", "Refinement on labels"]
    assert files.baseline_labels == files.baseline / "labels.zarr"


def test_resources_are_those_of_the_stages_that_ran(tmp_path):
    write_all(tmp_path)
    assert list(files_of(tmp_path).stage_resources()) == list(MEASURED_STAGES)
    (tmp_path / "reports/resources/pss.json").unlink()
    assert "pss" not in files_of(tmp_path).stage_resources()
