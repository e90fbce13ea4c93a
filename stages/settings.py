"""Check params.yaml and write for each stage the parameters that have an effect on it."""

from pathlib import Path

from pipeline.params.file import read_params, write_stage_settings
from pipeline.stage import run


def main(detector: Path, settings: Path) -> None:
    write_stage_settings(read_params(), detector, settings)


if __name__ == "__main__":
    run(main, measured=False)
