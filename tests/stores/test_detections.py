"""Detections at common times."""

import numpy as np
import pytest

from pipeline.geometry.view_time import ViewTime
from pipeline.stores import POSES2D, Detections, create_store, open_store
from tests.world.records import POSES2D_SUMMARY, poses2d_record

N = 20


@pytest.fixture
def poses(tmp_path):
    frames = np.arange(N, dtype=float)
    px = np.broadcast_to(frames[:, None, None, None], (N, 3, 17, 2)).copy()
    confidence = np.broadcast_to((frames[:, None, None] + 1) / N, (N, 3, 17)).copy()
    px[10, 1, 0], confidence[10, 1, 0] = np.nan, 0.0
    box = np.broadcast_to(frames[:, None, None], (N, 3, 4))
    with create_store(tmp_path / "poses2d.zarr", POSES2D, POSES2D_SUMMARY) as store:
        group = store.create("r0", {"frame": N, "view": 3}, poses2d_record("S1", ["a", "b", "c"])).person(0)
        group.write(0, {"joints_px": px, "confidence": confidence, "box_px": box})
    return open_store(tmp_path / "poses2d.zarr", POSES2D)["r0"].person(0)


TIMES = [ViewTime(), ViewTime((0.0,), (2.5,)), ViewTime((0.0, 19.0), (-3.0, -1.1))]


@pytest.mark.parametrize("rows", [np.arange(N), np.arange(4, 9), np.array([0, 3, 8, 19])])
def test_each_view_is_read_at_its_own_times(poses, rows):
    px = Detections(poses, TIMES).at("joints_px", rows)[:, :, 1, 0]
    np.testing.assert_array_equal(px[:, 0], rows)
    for v in (1, 2):
        own = TIMES[v].rows(rows.astype(float))
        np.testing.assert_allclose(px[:, v], np.where((own >= 0) & (own <= N - 1), own, np.nan), atol=1e-5)


def test_the_smaller_confidence_counts_and_gaps_remain(poses):
    found = Detections(poses, TIMES)
    confidence, px = (found.rows(name, 5, 10) for name in ("confidence", "joints_px"))
    np.testing.assert_allclose(confidence[:, 1, 1], (np.arange(5, 10) + 3) / N, atol=1e-6)
    np.testing.assert_array_equal(np.isnan(px[:, 1, 0, 0]), [False, False, True, True, False])
    np.testing.assert_allclose(found.rows("box_px", 5, 10)[:, 1, 0], np.arange(5, 10) + 2.5)


def test_views_in_step_are_read_as_they_are(poses):
    np.testing.assert_array_equal(Detections(poses).rows("joints_px", 3, 12), poses.rows("joints_px", 3, 12))
    assert Detections(poses, TIMES).rows("joints_px", 4, 4).shape == (0, 3, 17, 2)
