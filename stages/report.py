"""Measure everything and write the metrics, the plots and the report."""

from pathlib import Path

from pipeline.params.file import Params, read_params
from pipeline.report import write_report
from pipeline.stage import run


def main(data: Path, models: Path, reports: Path) -> None:
    params = read_params()
    # The report shows every parameter; named one by one they are seen to be those that dvc.yaml declares.
    shown = Params(
        capture=params.capture,
        frames=params.frames,
        pretrain=params.pretrain,
        detect=params.detect,
        calibrate=params.calibrate,
        triangulate=params.triangulate,
        pss=params.pss,
        train=params.train,
        refine=params.refine,
        report=params.report,
    )
    write_report(data, models, reports, shown)


if __name__ == "__main__":
    run(main)
