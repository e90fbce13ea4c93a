"""Slowly moving cameras: every frame has a rig, and the rigs follow the truth without jumps."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import align, rig_error
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import find_rig
from pipeline.geometry.calibration.rig_windows import find_moving_rig
from pipeline.geometry.triangulation.methods import robust
from tests.world.cameras import centers_of, observed, ring
from tests.world.people import people

FRAMES = 120


def filmed(deg_per_frame, mm_per_frame, noise_px=1.0):
    """Image points, sigma, joints and cameras (F, V, ...), each with a constant velocity of its own."""
    R0, t0 = ring(4)
    f = np.arange(FRAMES)[:, None, None]
    axis = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    turn = Rotation.from_rotvec((np.radians(deg_per_frame) * f * axis).reshape(-1, 3)).as_matrix()
    R = turn.reshape(-1, 4, 3, 3) @ R0
    centers = centers_of(R0, t0) + mm_per_frame * f * axis[::-1]
    t = -np.einsum("fvij,fvj->fvi", R, centers)
    joints = people(FRAMES)
    shots = [observed(joints[k : k + 1], R[k], t[k], noise_px=noise_px, seed=k) for k in range(FRAMES)]
    return *(np.concatenate(parts) for parts in zip(*shots, strict=True)), joints, R, centers


def rotations_deg(rigs):
    R = np.stack([rig.R for rig in rigs])
    return np.degrees(np.linalg.norm(Rotation.from_matrix(
        (R[1:] @ np.swapaxes(R[:-1], -1, -2)).reshape(-1, 3, 3)).as_rotvec(), axis=-1))  # fmt: skip


def test_static_cameras():
    points_norm, sigma, _, R, centers = filmed(0, 0)
    rigs = find_moving_rig(points_norm, sigma, length=40, seed=1)
    assert len(rigs) == FRAMES
    still = find_rig(points_norm, sigma, seed=1)
    for rig in rigs[::20]:
        assert rig_error(rig.R, rig.centers, R[0], centers[0])[0] < 0.05
    assert rig_error(still.R, still.centers, R[0], centers[0])[0] < 0.05
    assert rotations_deg(rigs).max() < 0.001


def test_follows_moving_cameras_without_jumps():
    points_norm, sigma, joints, R, centers = filmed(0.01, 1.0)
    rigs = find_moving_rig(points_norm, sigma, length=40, seed=1)
    errors = [rig_error(rig.R, rig.centers, R[f], centers[f])[0] for f, rig in enumerate(rigs)]
    standing = find_rig(points_norm, sigma, seed=1)
    as_one = [rig_error(standing.R, standing.centers, R[f], centers[f])[0] for f in range(FRAMES)]
    assert np.mean(errors) < 0.15 * np.mean(as_one)
    assert rotations_deg(rigs).max() < 0.03

    # One world and one unit: the whole walk fits the truth at once, not only frame by frame.
    def walk_error(R, t):
        points = robust(points_norm, sigma, R, t)
        moved = align(points.reshape(-1, 3), joints.reshape(-1, 3)).reshape(joints.shape)
        return np.nanmean(np.linalg.norm(moved - joints, axis=-1))

    assert walk_error(np.stack([r.R for r in rigs]), np.stack([r.t for r in rigs])) < 20


@pytest.mark.parametrize(("deg_per_frame", "mm_per_frame", "noise_px"), [(0.05, 0.0, 5.0), (0.2, 0.0, 2.0)])
def test_cameras_too_fast_for_a_window_have_rigs_with_the_right_uncertainty(deg_per_frame, mm_per_frame, noise_px):
    points_norm, sigma, _, R, centers = filmed(deg_per_frame, mm_per_frame, noise_px)
    with pytest.raises(RigNotFound):
        find_rig(points_norm, sigma, seed=1)
    rigs = find_moving_rig(points_norm, sigma, length=40, seed=1)
    errors = np.array([rig_error(rig.R, rig.centers, R[f], centers[f])[0] for f, rig in enumerate(rigs)])
    claimed = np.array([rig.rotation_std_deg.mean() for rig in rigs])
    assert errors.mean() < 0.3
    assert 0.5 < np.sqrt(np.mean(errors**2) / np.mean(claimed**2)) < 1.5
    assert rigs[0].noise == pytest.approx(noise_px / 5 * 0.84, rel=0.1)  # as without motion
    share = np.median([rig.inlier_share for rig in rigs])
    assert share > 0.95


def test_a_view_without_initial_extrinsics_has_none():
    points_norm, sigma, _, R, centers = filmed(0, 0)
    points_norm = points_norm.copy()
    points_norm[:, :, 2] = np.roll(points_norm[:, :, 2], 7, axis=0)  # out of step
    rigs = find_moving_rig(points_norm, sigma, length=40, seed=1)
    for f, rig in enumerate(rigs):
        assert rig.has_extrinsics.tolist() == [True, True, False, True]
        both = (
            rig.R[rig.has_extrinsics],
            rig.centers[rig.has_extrinsics],
            R[f][rig.has_extrinsics],
            centers[f][rig.has_extrinsics],
        )
        assert rig_error(*both)[0] < 0.1


def test_a_window_without_people_has_its_reason():
    points_norm, sigma, *_ = filmed(0, 0)
    sigma = sigma.copy()
    sigma[40:80] = np.inf
    rigs = find_moving_rig(points_norm, sigma, length=20, seed=1)
    assert "distinct pose" in rigs[60]
    for f in (0, FRAMES - 1):  # the rigs on both sides of the gap share a world
        assert isinstance(rigs[f], Rig)
        np.testing.assert_allclose(rigs[f].R, rigs[0].R, atol=0.01)
        np.testing.assert_allclose(rigs[f].centers, rigs[0].centers, atol=0.03 * np.linalg.norm(rigs[0].centers[2]))


@pytest.mark.parametrize("length", [10, 500])
def test_any_length_of_window_covers_every_frame(length):
    points_norm, sigma, *_ = filmed(0, 0)
    rigs = find_moving_rig(points_norm[:35], sigma[:35], length=length, seed=1)
    assert [isinstance(rig, Rig) for rig in rigs] == [True] * 35
