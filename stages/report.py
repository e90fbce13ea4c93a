"""Measure everything and write the metrics, the plots and the report."""

from pathlib import Path

from pipeline.params import read_params
from pipeline.report import write_report
from pipeline.stage import run


def main(data: Path, models: Path, reports: Path) -> None:
    params = read_params()
    write_report(data, models, reports, params.report)


if __name__ == "__main__":
    run(main)
