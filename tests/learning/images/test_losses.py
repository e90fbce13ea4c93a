import pytest
import torch

from pipeline.learning.images.losses import SMOOTH_L1_BETA, detector_loss, heatmap_cross_entropy, masked_smooth_l1
from pipeline.learning.images.networks import cell_centers


def test_unknown_coordinates_teach_nothing():
    predicted = torch.rand(2, 17, 3, requires_grad=True)
    target = torch.rand(2, 17, 3)
    target[0, 3, 1] = target[1] = torch.nan
    masked_smooth_l1(predicted, target).backward()
    gradient = predicted.grad
    assert gradient is not None
    assert gradient[0, 3, 1] == 0
    assert (gradient[1] == 0).all()
    assert (gradient != 0).sum() == 17 * 3 - 1


def test_the_mean_is_over_what_is_known():
    """Errors beyond the turn cost their size less half the turn."""
    predicted, target = torch.zeros(1, 2, 3), torch.full((1, 2, 3), torch.nan)
    target[0, 0] = torch.tensor([0.1, 0.2, 0.3])
    assert masked_smooth_l1(predicted, target).item() == pytest.approx(0.2 - SMOOTH_L1_BETA / 2)
    target[0, 0] = SMOOTH_L1_BETA / 2
    assert masked_smooth_l1(predicted, target).item() == pytest.approx(SMOOTH_L1_BETA / 8)


def test_nothing_known_is_zero_and_finite():
    predicted = torch.rand(1, 17, 3, requires_grad=True)
    loss = masked_smooth_l1(predicted, torch.full((1, 17, 3), torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(predicted.grad).all()


def test_cross_entropy_is_least_at_the_target():
    target = torch.tensor([[[2.5 / 8, 5.5 / 6]]])
    distance = (torch.arange(6)[:, None] - 5) ** 2 + (torch.arange(8)[None] - 2) ** 2
    right = -0.5 * distance.float()[None, None]
    least = heatmap_cross_entropy(right, target)
    for shift in (-1, 1):
        for axis in (2, 3):
            assert heatmap_cross_entropy(right.roll(shift, axis), target) > least + 0.1
    assert heatmap_cross_entropy(1.2 * right, target) > least
    assert heatmap_cross_entropy(0.8 * right, target) > least


def test_an_unknown_joint_is_left_out_of_the_plane_loss():
    scores = torch.randn(1, 3, 1, 6, 6, requires_grad=True)
    target = torch.tensor([[[0.5, 0.5], [torch.nan, torch.nan], [0.2, 0.9]]])
    detector_loss(scores, target).backward()
    assert scores.grad is not None
    assert (scores.grad[0, 1] == 0).all()
    assert torch.isfinite(scores.grad).all()
    assert (scores.grad[0, [0, 2]] != 0).any()


def test_cells():
    torch.testing.assert_close(cell_centers(4), torch.tensor([0.125, 0.375, 0.625, 0.875]))
