"""PCK curves, on a capture whose errors are known."""

import numpy as np

from pipeline.metrics import AUC_THRESHOLDS_MM
from pipeline.report.data.curves import pck_curves
from pipeline.report.data.report_data import gather, gather_alternatives
from tests.world.results import files_of, measured, write_all


def test_curves_rise_to_all_joints_and_the_refined_one_first(tmp_path):
    write_all(tmp_path, refined=("truth",))
    files = files_of(tmp_path)
    data = gather(files)
    curves = pck_curves(data, gather_alternatives(files, data))
    assert list(curves) == ["labels", "network", "network, new view", "refined on truth"]
    assert all((np.diff(curve) >= 0).all() and curve[-1] > 99 for curve in curves.values())
    at_25 = list(AUC_THRESHOLDS_MM).index(25)
    assert curves["refined on truth"][at_25] == 100 > curves["network"][at_25]


def test_without_truth_there_is_none(tmp_path):
    _, data = measured(tmp_path, truth=False)
    files = files_of(tmp_path)
    assert pck_curves(data, gather_alternatives(files, data)) == {}
