"""Errors by group, rejections and outcomes of detections, on a capture whose errors are known."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.labelling import Status, ViewStatus
from pipeline.report.data.breakdown import (
    detection_outcomes,
    detector_rows,
    joint_errors_mm,
    network_rows,
    predicted_test,
    rejections,
    residuals_percent,
    worst_joint,
)
from pipeline.skeleton import N_JOINTS
from tests.world.people import N_FRAMES
from tests.world.results import measured


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("breakdown"))[1]


def name_of(status):
    return status.name.lower().replace("_", " ")


def test_the_worst_joint_of_the_labels_is_the_left_wrist(data):
    name, error = worst_joint(joint_errors_mm(data.select("train"), "label_cam_mm", "true_cam_mm"))
    assert name == "left wrist"
    assert error == pytest.approx(17, abs=1)
    assert worst_joint(np.full(N_JOINTS, np.nan)) is None


def test_rejections_are_counted_by_the_status_that_triangulation_writes(data):
    assert rejections(data) == {name_of(Status.TOO_FEW_VIEWS): 3}  # one head in each of three recordings


def test_outcomes_are_shares_of_each_labelling_view(data):
    shares = detection_outcomes(data)
    assert list(shares) == ["cam0", "cam1", "cam2"]
    n = N_FRAMES * N_JOINTS
    assert shares["cam0"] == pytest.approx({
        name_of(ViewStatus.USED): 100 * (n - 2) / n, name_of(ViewStatus.SWAPPED): 100 / n,
        name_of(ViewStatus.OUTLIER): 100 / n,
    })  # fmt: skip
    assert shares["cam1"] == {name_of(ViewStatus.USED): 100}


def test_residuals_are_shares_of_the_height_of_the_box(data):
    view = data.select("train")[1]
    height = view.box_px[:, 3] - view.box_px[:, 1]
    # The labels of joints 1 to 7 are exact, the detections one pixel off.
    np.testing.assert_allclose(residuals_percent(view)[:, 1:8], np.tile(100 / height[:, None], 7), rtol=1e-3)


def test_network_rows_group_by_the_key_and_count_poses(data):
    (row,) = network_rows(predicted_test(data), data, lambda view: view.recording.action)
    assert (row.name, row.n_poses) == ("turning", 3 * N_FRAMES)
    assert row.figures["mpjpe_mm"] == pytest.approx(2, abs=0.1)


def test_detector_rows_have_the_share_of_frames_with_a_person(data):
    rows = {name: (found, error) for name, found, error in detector_rows(data)}
    assert rows["cam0"][0] == pytest.approx(100 * (N_FRAMES - 1) / N_FRAMES)
    assert rows["cam1"][0] == 100
    assert all(error > 0 for _, error in rows.values())
