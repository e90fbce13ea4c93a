"""Read the footage named by capture.source, or render the demo, into one manifest."""

from pathlib import Path

from pipeline.datasets.readers import read_footage
from pipeline.params.file import read_params
from pipeline.stage import run


def main(footage: Path, capture: Path) -> None:
    params = read_params()
    read_footage(params.capture, footage, capture)


if __name__ == "__main__":
    run(main)
