"""Read the footage named by capture.source, or render the demo, into one manifest."""

from pathlib import Path

from pipeline.datasets.registry import read_footage
from pipeline.params.capture import CaptureParams
from pipeline.params.settings import read_settings
from pipeline.stage import run


def main(settings: Path, footage: Path, capture: Path) -> None:
    params = read_settings(settings, "capture", CaptureParams)
    read_footage(params, footage, capture)


if __name__ == "__main__":
    run(main)
