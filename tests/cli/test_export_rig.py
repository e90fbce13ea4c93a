"""`epiline export-rig` hands its options on, and says which cameras it wrote."""

from pathlib import Path

from click.testing import CliRunner

from pipeline.cli import export_rig as module
from pipeline.cli.main import main


def test_defaults_and_options(monkeypatch):
    calls = []

    def write(*arguments):
        calls.append(arguments)
        return "cam1, cam2; intrinsics for the videos: 96 x 64 px"

    monkeypatch.setattr(module, "write_rig", write)
    shown = CliRunner().invoke(main, ["export-rig", "rig.toml"])
    assert shown.output == "rig.toml: cam1, cam2; intrinsics for the videos: 96 x 64 px\n"
    options = ["--format", "opencv", "--recording", "S1_walk", "--rigs", "rigs.zarr", "--capture", "c"]
    CliRunner().invoke(main, ["export-rig", "intri.yml", *options])
    assert calls == [
        (Path("data/rigs.zarr"), Path("data/capture"), Path("rig.toml"), "epiline", None),
        (Path("rigs.zarr"), Path("c"), Path("intri.yml"), "opencv", "S1_walk"),
    ]


def test_an_unknown_format_is_refused():
    shown = CliRunner().invoke(main, ["export-rig", "rig.toml", "--format", "matlab"])
    assert shown.exit_code == 2
    assert "pose2sim" in shown.output
