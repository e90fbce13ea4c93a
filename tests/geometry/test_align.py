"""Alignment against exact cases, an independent optimiser and degenerate input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import align, nearest_rotation, rig_error, rotation_angle, similarity
from tests.world.cameras import centers_of, ring


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100))
def test_undoes_any_similarity(seed, scale):
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(3, 17, 3))
    R = Rotation.random(3, rng=rng).as_matrix()
    target = scale * source @ np.swapaxes(R, 1, 2) + rng.normal(size=(3, 1, 3))
    np.testing.assert_allclose(align(source, target), target, atol=1e-9 * max(scale, 1))
    np.testing.assert_allclose(similarity(source, target)[0], scale)


def test_noisy_points_against_an_optimiser():
    rng = np.random.default_rng(0)
    source, target, weights = rng.normal(size=(9, 3)), rng.normal(size=(9, 3)), rng.uniform(0.1, 1, 9)

    def cost(p):
        moved = np.exp(p[0]) * Rotation.from_rotvec(p[1:4]).apply(source) + p[4:]
        return (weights * ((moved - target) ** 2).sum(-1)).sum()

    starts = [np.r_[-1, Rotation.random(rng=rng).as_rotvec(), 0, 0, 0] for _ in range(8)]
    best = min(minimize(cost, start, tol=1e-12).fun for start in starts)
    ours = (weights * ((align(source, target, weights=weights) - target) ** 2).sum(-1)).sum()
    assert ours == pytest.approx(best, rel=1e-6)


def test_never_reflects_and_keeps_the_scale_on_request():
    source = np.random.default_rng(1).normal(size=(17, 3))
    _, R, _ = similarity(source, source * [1, 1, -1])
    assert np.linalg.det(R) == pytest.approx(1)
    assert similarity(source, 2 * source, scale=False)[0] == 1


def test_missing_points_do_not_count():
    source = np.random.default_rng(2).normal(size=(2, 17, 3))
    target = 2 * source + 1
    target[0, 3] = np.nan
    source[1, :15] = np.nan  # two points left: nothing can be said
    aligned = align(source, target)
    np.testing.assert_allclose(aligned[0], 2 * source[0] + 1)
    assert np.isnan(aligned[1]).all()


@pytest.mark.parametrize("n_views", [2, 4])
def test_rig_error_ignores_the_world_but_not_the_rig(n_views):
    R, t = ring(n_views)
    C = centers_of(R, t)
    Q = Rotation.random(rng=np.random.default_rng(3)).as_matrix()
    moved_R, moved_C = R @ Q, (3 * C + 100) @ Q
    np.testing.assert_allclose(rig_error(moved_R, moved_C, R, C), 0, atol=1e-9)
    turned = moved_R.copy()
    turned[0] = Rotation.from_rotvec([0, np.radians(n_views), 0]).as_matrix() @ turned[0]
    # One of V cameras turned by V degrees: the mean takes 1 degree, so that camera is V - 1 off and the others 1.
    assert rig_error(turned, moved_C, R, C)[0] == pytest.approx(2 * (n_views - 1) / n_views, rel=0.01)
    assert np.isnan(rig_error(R[:1], C[:1], R[:1], C[:1])).all()


def test_rotations():
    assert rotation_angle(Rotation.from_rotvec([0, 0, 1e-9]).as_matrix()) == pytest.approx(1e-9)
    assert rotation_angle(Rotation.from_rotvec([0, 3.1, 0]).as_matrix()) == pytest.approx(3.1)
    R = Rotation.random(rng=np.random.default_rng(4)).as_matrix()
    np.testing.assert_allclose(nearest_rotation(2.5 * R), R)
    assert np.linalg.det(nearest_rotation(-R)) == pytest.approx(1)


def test_the_nearest_rotation_is_that_of_the_singular_value_decomposition():
    """Of matrices of every kind: mirrored, flat, thin, tiny and zero ones, half turns and nearly half turns too."""
    rng = np.random.default_rng(0)
    M = rng.normal(size=(3000, 3, 3))
    M[:1000] *= rng.choice([1e-9, 1e-3, 1e6], size=(1000, 1, 1))
    M[1000:1500, 2] *= 10.0 ** rng.uniform(-12, 0, (500, 1))
    M[1500:1600, 2] = M[1500:1600, 1]
    M[1600:1610] = 0
    axes = rng.normal(size=(200, 3))
    angles = np.pi - np.repeat([0, 1e-9, 1e-6, 1e-3], 50)
    turns = Rotation.from_rotvec(angles[:, None] * axes / np.linalg.norm(axes, axis=1, keepdims=True)).as_matrix()
    M[1610:1810], M[1810:2010] = turns, -turns
    U, d, Vt = np.linalg.svd(M)
    side = np.sign(np.linalg.det(U) * np.linalg.det(Vt))
    R = nearest_rotation(M)
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), M.shape), atol=1e-11)
    assert (np.linalg.det(R) > 0.9).all()
    reached = (R * M).sum((-2, -1))  # what the nearest rotation makes largest
    np.testing.assert_allclose(reached, d[:, 0] + d[:, 1] + side * d[:, 2], atol=1e-9 * d[:, 0].max(), rtol=1e-10)


@pytest.mark.parametrize("function", [nearest_rotation, rotation_angle])
def test_infinite_matrices_are_refused(function):
    """The singular value decomposition of diag(inf, 1, 1) does not end."""
    with pytest.raises(ValueError, match="infinite"):
        function(np.diag([np.inf, 1.0, 1.0])[None])
