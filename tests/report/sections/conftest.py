"""Captures with the figures of the report, shared by the tests of its sections."""

from dataclasses import dataclass

import pytest

from pipeline.params.file import Params, read_params
from pipeline.report.data.evaluate import Figures, evaluate
from pipeline.report.data.files import Files
from pipeline.report.data.measurements import Intervals, intervals, measure_capture
from pipeline.report.data.report_data import Alternatives, ReportData, gather, gather_alternatives
from pipeline.stores import RIGS, open_store
from tests.house.imports import ROOT
from tests.world.results import files_of, write_all


@dataclass(frozen=True)
class Shown:
    """What the sections of a report are made from."""

    files: Files
    data: ReportData
    alternatives: Alternatives
    figures: Figures
    spread: Intervals
    params: Params


def make_shown(root, **lacking) -> Shown:
    write_all(root, **lacking)
    files = files_of(root)
    data = gather(files)
    alternatives = gather_alternatives(files, data)
    table = measure_capture(data, alternatives)
    figures = evaluate(data, alternatives, open_store(files.rigs, RIGS), table)
    return Shown(files, data, alternatives, figures, intervals(table), read_params(ROOT / "params.yaml"))


@pytest.fixture(scope="package")
def shown(tmp_path_factory):
    """A capture with everything, refined predictions of both sources included."""
    return make_shown(tmp_path_factory.mktemp("shown"), refined=("truth", "labels"))


@pytest.fixture(scope="package")
def shown_without_truth(tmp_path_factory):
    """A capture without truth and extrinsics."""
    return make_shown(tmp_path_factory.mktemp("bare"), truth=False, extrinsics=False)
