"""What pairs of views share, and views that are isolated or bridged."""

import numpy as np
import pytest

from pipeline.geometry.verification.view_graph import view_graph

SIZE = np.array([[1000, 800]])
POINTS = 8


def graph_of(groups, n_views, n_frames=20):
    """The graph of frames in which each group of views sees all points, which fill a box of the image."""
    rng = np.random.default_rng(2)
    seen = np.zeros((n_frames * len(groups), POINTS, n_views), bool)
    for i, views in enumerate(groups):
        seen[i * n_frames : (i + 1) * n_frames, :, list(views)] = True
    px = np.full((*seen.shape, 2), np.nan)
    px[seen] = rng.uniform([0, 0], [500, 800], (seen.sum(), 2))
    return view_graph(px, seen, np.repeat(SIZE, n_views, 0))


def test_pairs_count_points_frames_and_the_part_of_the_image_that_they_cover():
    graph = graph_of([(0, 1, 2), (0, 1)], 3)
    assert graph.points.tolist() == [[320, 320, 160], [320, 320, 160], [160, 160, 160]]
    assert graph.frames[0].tolist() == [40, 40, 20]
    # The middle nine tenths of half the width, and of the height.
    np.testing.assert_allclose(graph.spread, 0.45 * 0.9, rtol=0.15)
    assert not graph.isolated.any()
    assert (graph.bridge == -1).all()


def test_a_frame_needs_five_shared_points():
    seen = np.ones((30, POINTS, 2), bool)
    seen[10:, 4:, 1] = False
    graph = view_graph(np.zeros((*seen.shape, 2)), seen, np.repeat(SIZE, 2, 0))
    assert graph.points[0, 1] == 10 * 8 + 20 * 4
    assert graph.frames[0, 1] == 10


@pytest.mark.parametrize(("n_frames", "isolated"), [(9, [False, False, True]), (10, [False] * 3)])
def test_a_view_that_shares_few_frames_is_isolated(n_frames, isolated):
    groups = [(0, 1), (0, 1), (0, 1, 2)]
    assert graph_of(groups, 3, n_frames).isolated.tolist() == isolated


def test_in_a_short_recording_all_frames_make_a_link():
    assert not graph_of([(0, 1, 2)], 3, n_frames=1).isolated.any()


def test_without_any_shared_points_all_views_are_isolated():
    graph = graph_of([(0,), (1,)], 2)
    assert graph.isolated.all()
    assert np.isnan(graph.spread[0, 1])
    assert view_graph(np.zeros((0, POINTS, 1, 2)), np.zeros((0, POINTS, 1), bool), SIZE).isolated.all()


@pytest.mark.parametrize(
    ("groups", "isolated", "bridge"),
    [
        ([(0, 1), (1, 2)], [], [1, -1, 1]),  # a chain of three
        ([(0, 1), (1, 2), (2, 3)], [], [1, -1, -1, 2]),
        ([(0, 1, 2), (2, 3)], [], [-1, -1, -1, 2]),
        ([(0, 1, 2), (0, 3), (0, 4)], [], [-1, -1, -1, 0, 0]),
        ([(0, 1, 2), (2, 3), (3, 4)], [], [2, 2, -1, 2, 3]),  # without 2, no half is the larger one
        ([(0, 1, 2), (3, 4)], [3, 4], [-1] * 5),
        ([(0, 1, 2, 3)], [], [-1] * 4),
        ([(0, 1), (1, 2), (2, 3), (0, 3)], [], [-1] * 4),
    ],
)
def test_views_that_a_single_view_links_to_the_others(groups, isolated, bridge):
    graph = graph_of(groups, len(bridge))
    assert np.flatnonzero(graph.isolated).tolist() == isolated
    assert graph.bridge.tolist() == bridge


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="view"):
        view_graph(np.zeros((3, POINTS, 2, 2)), np.ones((3, POINTS, 2), bool), SIZE)
