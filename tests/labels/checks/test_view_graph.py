"""What the views of a capture share before its calibration, in the store, in the log and as alerts."""

import logging

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.checks.view_graph import graph_of_views
from pipeline.stores import RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers, overwrite_poses2d


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def seen_in(tmp_path, frames, n_views=4, n_joints=17):
    """A recording of 100 frames; `frames` are those in which a view sees `n_joints`, other views see all in all."""
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=100, n_views=n_views)
    px, confidence = world.joints_px("r0"), np.ones((100, n_views, 17))
    for view, own in frames.items():
        hidden = np.setdiff1d(np.arange(100), own)
        px[hidden, view], confidence[hidden, view] = np.nan, 0.0
        px[:, view, n_joints:], confidence[:, view, n_joints:] = np.nan, 0.0
    overwrite_poses2d(world, "r0", joints_px=px, confidence=confidence)
    return world


def calibrated(world, **changes):
    paths, params = world.paths, CALIBRATE.model_copy(update=changes)
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, params)
    return open_store(paths.rigs, RIGS)


def alerts_about(rigs, *kinds):
    return [(one.kind, one.severity, one.subject) for one in rigs.summary.alerts if one.kind in kinds]


def test_each_pair_of_labelling_views_is_counted(tmp_path):
    world = seen_in(tmp_path, {1: np.arange(40)})
    graph = graph_of_views(world.capture.recordings, world.paths.poses2d, CALIBRATE)
    assert [(pair.views, pair.frames) for pair in graph.pairs[:2]] == [(("c0", "c1"), 40), (("c0", "c2"), 100)]
    assert graph.pairs[1].points == 1700
    # People who walk through the middle of images of 1000 px.
    assert all(0.02 < share < 0.5 for pair in graph.pairs for share in pair.spread)
    assert (graph.isolated, graph.bridged) == ([], {})


@pytest.mark.parametrize("mode", ["rig", "adjust", "known", "window", "frame"])
def test_every_mode_stores_it_and_logs_it_before_calibrating(tmp_path, mode, caplog):
    with caplog.at_level(logging.INFO, "epiline"):
        record = calibrated(seen_in(tmp_path, {1: np.arange(40)}), mode=mode)["r0"].record
    assert len(record.view_graph.pairs) == 6
    [shared] = [line for line in caplog.messages if "what pairs of views share" in line]
    assert "c0 - c1 680 / 40 / " in shared
    [residuals] = [line for line in caplog.messages if "median residuals by view" in line]
    assert caplog.messages.index(shared) < caplog.messages.index(residuals)


def test_a_view_that_the_calibration_left_out_has_what_it_shares_as_evidence(tmp_path):
    rigs = calibrated(seen_in(tmp_path, {3: np.arange(2)}, n_joints=2))
    assert alerts_about(rigs, "view_left_out", "isolated_view") == [("view_left_out", "error", "r0, c3")]
    [alert] = [one for one in rigs.summary.alerts if one.kind == "view_left_out"]
    assert "shares at most 4 points, with c" in alert.evidence
    assert rigs["r0"].record.view_graph.isolated == ["c3"]


@pytest.mark.parametrize(("mode", "severity"), [("adjust", "warning"), ("known", "note")])
def test_a_view_that_only_one_view_links_to_the_others_is_an_alert(tmp_path, mode, severity):
    # c2 sees the person only while c0 and c1 do not.
    late, early = np.arange(70, 100), np.arange(70)
    rigs = calibrated(seen_in(tmp_path, {0: early, 1: early, 2: late}), mode=mode)
    assert alerts_about(rigs, "bridged_view") == [("bridged_view", severity, "r0, c2")]
    [alert] = [one for one in rigs.summary.alerts if one.kind == "bridged_view"]
    assert alert.message == "only c3 links the view to most others"
    assert alert.evidence == "it shares with the others no points"


def test_views_that_share_nothing_are_named_with_the_refusal(tmp_path, caplog):
    world = seen_in(tmp_path, {0: np.arange(50), 1: np.arange(50, 100)}, n_views=2)
    with pytest.raises(UserError, match="share"):
        calibrated(world)
    assert sum("warning: r0, c" in line and "shares no points" in line for line in caplog.messages) == 2
