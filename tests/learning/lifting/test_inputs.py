import math

import torch

from pipeline.learning.lifting.inputs import network_input
from pipeline.learning.lifting.projection import project
from tests.world.multi_view import exact_frames


def test_the_same_person_looks_the_same_anywhere_in_the_image():
    """But for the box's own three numbers, a camera turned away sees the same."""
    points_norm = exact_frames(3).points_norm[:, :1]
    turn = torch.tensor([[math.cos(0.2), 0, math.sin(0.2)], [0, 1, 0], [-math.sin(0.2), 0, math.cos(0.2)]])
    away = project(torch.cat([points_norm, torch.ones_like(points_norm[..., :1])], -1) @ turn.T)
    here, there = (
        network_input(x[:, :, None], torch.ones(3, 1, 1, 17)).features[..., :-3] for x in (points_norm, away)
    )
    torch.testing.assert_close(here, there, atol=0.05, rtol=0)
    assert (here - there).abs().mean() < 0.01


def test_unseen_joints_are_zero_and_say_so():
    points_norm = exact_frames(1).points_norm[:, :1, None].clone()
    points_norm[..., 4, :] = torch.nan
    features = network_input(points_norm, torch.full((1, 1, 1, 17), 0.8)).features[0, 0, 0]
    assert not features[8:10].any()
    assert features[34 + 4] == 0
    assert features[34 + 5] == 0.8
