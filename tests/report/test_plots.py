"""The tables behind `dvc plots`."""

import pytest

from pipeline.report.data.report_data import gather, gather_alternatives
from pipeline.report.plots import write_plots
from pipeline.skeleton import N_JOINTS
from tests.world.results import files_of, write_all


def plots(root, **lacking):
    write_all(root, **lacking)
    files = files_of(root)
    data = gather(files)
    write_plots(root / "plots", data, gather_alternatives(files, data))
    return {path.name: path.read_text().splitlines() for path in (root / "plots").iterdir()}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return plots(tmp_path_factory.mktemp("plots"), refined=("labels",))


def test_joints_are_those_but_the_root(tables):
    head, *rows = tables["label_joints.csv"]
    assert head == "joint,error_mm"
    assert len(rows) == N_JOINTS - 1
    assert max(rows, key=lambda row: float(row.split(",")[1])).startswith("left wrist")
    assert max(tables["network_joints.csv"][1:], key=lambda row: float(row.split(",")[1])).startswith("right ankle")


def test_actions_and_views(tables):
    assert [row.split(",")[0] for row in tables["network_actions.csv"]] == ["action", "turning"]
    assert [row.split(",")[0] for row in tables["network_views.csv"]] == ["view", "cam0", "cam1", "cam2", "cam3"]


def test_pck_has_a_column_for_everything_measured(tables):
    head, *rows = tables["pck.csv"]
    assert head == "threshold_mm,labels,network,network_new_view,refined_on_labels"
    assert rows[-1].split(",")[0] == "150"


def test_without_truth_tables_of_labels_are_empty(tmp_path):
    tables = plots(tmp_path, truth=False)
    assert tables["label_joints.csv"] == ["joint,error_mm"]
    assert tables["pck.csv"] == ["threshold_mm"]
