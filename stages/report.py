"""Measure everything and write the metrics, the plots and the report."""

from pathlib import Path

from pipeline.params.file import read_stage_settings
from pipeline.report import write_report
from pipeline.stage import run


def main(settings: Path, data: Path, models: Path, reports: Path) -> None:
    write_report(data, models, reports, read_stage_settings(settings))


if __name__ == "__main__":
    run(main)
