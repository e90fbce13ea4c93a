"""Views that contradict the others of their frame are left out."""

from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.skeleton import MIRROR
from tests.world.cameras import error_deg_mm, observed, ring
from tests.world.people import people

N_FRAMES, N_VIEWS = 16, 4


def test_a_view_with_another_pose_is_left_out_and_no_other():
    R, t = ring(N_VIEWS)
    points_norm, sigma = observed(people(N_FRAMES, seed=3), R, t, noise_px=3, seed=3)
    points_norm[3, :, 1] = points_norm[3][MIRROR][:, 1]  # left and right swapped
    points_norm[9, :, 2] = observed(people(1, seed=8), R, t)[0][0, :, 2]  # another person
    rigs = find_rigs(points_norm, sigma, seed=1)
    for f, rig in enumerate(rigs):
        left_out = {3: 1, 9: 2}.get(f)
        assert rig.has_extrinsics.tolist() == [v != left_out for v in range(N_VIEWS)]
        assert error_deg_mm(rig, R, t)[0] < 6


def test_two_views_are_kept():
    R, t = ring(2, spread=0.5)
    points_norm, sigma = observed(people(N_FRAMES, seed=2), R, t, noise_px=1, seed=2)
    points_norm[3, :, 1] = points_norm[3][MIRROR][:, 1]
    rigs = find_rigs(points_norm, sigma, seed=1)
    assert all(rig.has_extrinsics.all() for rig in rigs if not isinstance(rig, str))
