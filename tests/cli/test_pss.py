"""`epiline pss`: what a reference is of, and the study of its stability."""

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.params.pss import PssParams
from pipeline.pss import fit_references
from tests.world.capture import turning_people
from tests.world.labels import write_labels


def run(*arguments):
    return CliRunner().invoke(main, ["pss", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = turning_people(tmp_path_factory.mktemp("capture"))
    write_labels(world)
    return world


def test_show(world, tmp_path):
    params = PssParams(reference="fit", frozen="", k=[3], source="truth", seed=4)
    fit_references(world.paths.frames, world.paths.labels, world.paths.rigs, tmp_path / "pss.npz", params)
    reported = run("show", tmp_path / "pss.npz").output
    assert "pelvis at the origin" in reported
    assert "sha256" in reported


def test_study(world):
    reported = run("stability", world.paths.frames, world.paths.labels, "--k", 3, "--runs", 3).output
    assert "144 poses, 3 runs" in reported
    assert [line.split()[0] for line in reported.splitlines()[-2:]] == ["3", "3"]
    assert "nan" not in reported


def test_study_needs_truth(tmp_path):
    world = turning_people(tmp_path, truth=False)
    write_labels(world)
    shown = run("stability", world.paths.frames, world.paths.labels)
    assert shown.exit_code == 1
    assert "holds no truth" in shown.output
