"""dvc.yaml and the scripts agree: each script is a stage, takes the paths that are declared, reads its settings."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.capture_paths import CapturePaths
from pipeline.params.file import read_params, write_stage_settings
from tests.house.imports import ROOT, SOURCE

LINES = 250
GRAPH = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
DECLARED = {name: stage.get("do", stage) for name, stage in GRAPH["stages"].items()}
FIRST = ("code", "settings")  # they make what the others depend on
STAGES = [name for name in DECLARED if name not in FIRST]
# Stages that are told more than the section of their name.
MORE = {"baseline": {"calibrate", "triangulate"}, "refine": {"train"}}
PATHS = GRAPH["vars"][0]["path"]


def interpolated(text: str) -> str:
    return re.sub(r"\$\{path\.(\w+)\}", lambda found: PATHS[found[1]], text)


def arguments(stage: str) -> list[str]:
    """What the command of a stage gives to its script."""
    command = shlex.split(interpolated(DECLARED[stage]["cmd"]))
    assert command[:3] == ["python", "-m", f"stages.{stage}"]
    return command[3:]


def listed(stage: str, kind: str) -> list[str]:
    """The dependencies or the outputs of a stage."""
    return [interpolated(next(iter(one)) if isinstance(one, dict) else one) for one in DECLARED[stage][kind]]


def test_the_graph_fits_a_few_screens():
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= LINES


def test_every_script_is_a_stage():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(DECLARED)


@pytest.mark.parametrize("stage", DECLARED)
def test_a_stage_says_what_its_script_says_and_has_a_comment(stage):
    tree = SOURCE.syntax(f"stages.{stage}")
    assert DECLARED[stage]["desc"] == ast.get_docstring(tree)
    assert re.search(rf"^  # .*\n  {stage}:$", (ROOT / "dvc.yaml").read_text(), re.MULTILINE)


@pytest.mark.parametrize("stage", DECLARED)
def test_the_command_gives_what_the_script_takes(stage):
    [main] = [node for node in SOURCE.syntax(f"stages.{stage}").body if getattr(node, "name", "") == "main"]
    assert len(arguments(stage)) == len(main.args.args)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_code_and_its_settings(stage):
    deps = listed(stage, "deps")
    assert f"{PATHS['code']}/{stage}.json" in deps
    assert "params" not in DECLARED[stage], "parameters reach a stage through its settings"
    assert arguments(stage)[stage == "refine"] in deps  # the settings come first, after the word of `refine`


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_of_a_command_is_declared(stage):
    declared = set(listed(stage, "deps") + listed(stage, "outs"))
    given = set(arguments(stage)) - {"${item}"}
    if stage in ("train", "refine", "report"):  # they are given the folders of what they read and write
        given -= {"data", "models", PATHS["reports"]}
    assert given <= declared


def test_the_code_and_the_graph_name_the_same_paths():
    paths = CapturePaths(Path("data"), Path("models"), Path(PATHS["reports"]))
    named = {name: str(getattr(paths, name)) for name in PATHS if name not in ("code", "settings", "refined")}
    assert named == {name: PATHS[name] for name in named}
    assert str(paths.refined("truth")) == f"{PATHS['refined']}/truth"


@pytest.mark.parametrize("stage", DECLARED)
def test_only_settings_reads_params_yaml(stage):
    modules = SOURCE.closure(f"stages.{stage}")
    names = {
        node.id if isinstance(node, ast.Name) else node.attr
        for module in modules - {"pipeline.params.file", "pipeline.params.profile"}
        for node in ast.walk(SOURCE.syntax(module))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert ("read_params" in names) == (stage == "settings")


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "report"])
def test_a_script_reads_the_sections_that_are_written_for_it(stage, tmp_path):
    write_stage_settings(
        with_all_sources(read_params(ROOT / "params.yaml")), Path(PATHS["detector"]), tmp_path / "settings"
    )
    name = Path(arguments(stage)[stage == "refine"].replace("${item}", "truth")).name
    written = set(YAML(typ="safe").load(tmp_path / "settings" / name))
    calls = [node for node in ast.walk(SOURCE.syntax(f"stages.{stage}")) if isinstance(node, ast.Call)]
    read = {call.args[1].value for call in calls if getattr(call.func, "id", None) == "read_settings"}
    assert read == written


def with_all_sources(params):
    refine = params.refine.model_copy(update={"sources": ["truth", "labels"]})
    return params.model_copy(update={"refine": refine})


def test_no_stage_depends_on_the_parameters_of_another():
    for stage in set(STAGES) - {"report"}:
        modules = SOURCE.closure(f"stages.{stage}")
        read = {name.rpartition(".")[2] for name in modules if name.startswith("pipeline.params.")}
        assert read - {"base", "settings"} <= {stage} | MORE.get(stage, set()), stage


def test_every_output_has_one_maker_and_a_name_under_vars():
    outs = [out for stage in DECLARED for out in listed(stage, "outs")]
    assert len(outs) == len(set(outs))
    assert all(out.startswith(tuple(PATHS.values())) for out in outs)


def test_plots_and_metrics_are_outputs():
    outs = {out for stage in DECLARED for out in listed(stage, "outs")}
    plotted = {path for plot in GRAPH["plots"] for shown in plot.values() for path in shown["y"]}
    assert plotted | set(GRAPH["metrics"]) <= outs


def test_the_report_depends_on_what_every_stage_cost():
    outs = {out for stage in set(STAGES) - {"report", "refine"} for out in listed(stage, "outs")}
    costs = {out for out in outs if out.startswith(PATHS["resources"])}
    assert costs <= set(listed("report", "deps"))


def test_paths_that_parameters_name_exist_in_a_fresh_clone():
    params = read_params(ROOT / "params.yaml")
    outs = {out for stage in DECLARED for out in listed(stage, "outs")}
    named = (
        params.capture.root, params.detect.weights, params.detect.files, params.train.weights, params.pss.frozen,
        params.train.augment.occluder_folder,
    )  # fmt: skip
    assert all(path in outs or (ROOT / path).exists() for path in named)
