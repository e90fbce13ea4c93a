"""dvc.yaml says what the stages really read: DVC does not see imports, and trusts the declared parameters."""

import ast
import re

import pytest
from ruamel.yaml import YAML

from tests.house.imports import DVC_YAML, ROOT, code_deps, is_code, path_of

STAGES = {name: reported.get("do", reported) for name, reported in YAML(typ="safe").load(DVC_YAML)["stages"].items()}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_import_closure(stage):
    declared = [dep for dep in STAGES[stage]["deps"] if is_code(dep)]
    assert declared == code_deps(stage), "dvc.yaml does not list the code this stage runs. Mend it with: make deps"


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_the_script_reads(stage):
    tree = ast.parse(path_of(f"stages.{stage}").read_text())
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    read = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "params"}
    assert sorted(read) == sorted(STAGES[stage]["params"]), f"Declare under `params` of {stage} what its script reads."


@pytest.mark.parametrize("stage", STAGES)
def test_paths_of_the_command_are_declared(stage):
    reported = STAGES[stage]
    paths = set(re.findall(r"(?:data|models|reports)/[\w./${}-]+", reported["cmd"]))
    listed = [*reported["outs"], *reported.get("metrics", [])]
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in listed]
    assert paths <= set(reported["deps"]) | set(outs), "A path of the command is neither under deps nor under outs."


@pytest.mark.parametrize("stage", STAGES)
def test_stage_is_described_and_runs_its_own_script(stage):
    assert STAGES[stage]["cmd"].startswith(f"python -m stages.{stage} ")
    assert STAGES[stage]["desc"] == ast.get_docstring(ast.parse(path_of(f"stages.{stage}").read_text()))


def test_every_script_is_a_stage():
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)
