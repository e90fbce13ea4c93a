"""The commands of python -m pipeline.structure."""

import pytest
from click.testing import CliRunner

from pipeline.errors import UserError
from pipeline.params import StructureParams
from pipeline.structure import fit_references
from pipeline.structure.__main__ import main
from tests.report.synthetic_capture import make_capture, write_labels


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False).output


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = make_capture(tmp_path_factory.mktemp("capture"))
    write_labels(world)
    return world


def test_show(world, tmp_path):
    params = StructureParams(reference="fit", k=[3], source="truth", seed=4)
    fit_references(world.frames, world.root / "data/labels.zarr", tmp_path / "structure.npz", params)
    told = run("show", tmp_path / "structure.npz")
    assert "pelvis at the origin" in told
    assert "sha256" in told


def test_study(world):
    told = run("stability", world.frames, world.root / "data/labels.zarr", "--k", 3, "--runs", 3)
    assert "144 poses, 3 runs" in told
    assert [line.split()[0] for line in told.splitlines()[-2:]] == ["3", "3"]
    assert "nan" not in told


def test_study_needs_truth(tmp_path):
    world = make_capture(tmp_path, truth=False)
    write_labels(world)
    with pytest.raises(UserError, match="no truth"):
        run("stability", world.frames, world.root / "data/labels.zarr")
