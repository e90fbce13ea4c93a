import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.learning.lifting import task
from pipeline.learning.lifting.adapt import OBJECTIVE
from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.learning.lifting.task import LiftingSchedule, LiftingTask
from tests.world.multi_view import exact_frames

SCHEDULE = LiftingSchedule(frames=1, virtual_views=0, pretraining=0.0, freeze_after=1.0)


def _task(frames, rows=None) -> LiftingTask:
    every = torch.arange(len(frames))
    return LiftingTask(frames, every, every if rows is None else rows, replace(OBJECTIVE, labels=1.0), SCHEDULE)


def _network(*, root_branch: bool = False) -> LiftingNetwork:
    torch.manual_seed(0)
    return LiftingNetwork(LiftingArchitecture("martinez2017", 1, 16, 0.0, root_branch))


def test_the_validation_error_does_not_depend_on_how_it_is_split_into_batches(monkeypatch):
    """Two halves of which one has few labels and views: the whole is their mean by labelled joints."""
    frames = exact_frames(8)
    frames.labels[5:, 2:] = torch.nan  # labels of one bone are left
    frames.points_norm[:3, 0] = torch.nan  # labels that no pose is compared with
    network = _network()
    whole = _task(frames).validation_error_mm(network)
    assert whole > 0
    for size in (1, 3, 4):
        monkeypatch.setattr(task, "VALIDATION_BATCH", size)
        assert _task(frames).validation_error_mm(network) == pytest.approx(whole, rel=1e-5)


def test_without_labels_there_is_no_validation_error():
    frames = exact_frames(3)
    frames.labels[:] = torch.nan
    assert math.isnan(_task(frames).validation_error_mm(_network()))
    assert math.isnan(_task(frames, torch.arange(0)).validation_error_mm(_network()))


def test_fingerprints_differ_with_labels_rows_and_objective():
    frames = exact_frames(4)
    moved = replace(frames, labels=frames.labels + 0.1)
    other = LiftingTask(frames, torch.arange(4), torch.arange(4), replace(OBJECTIVE, labels=0.5), SCHEDULE)
    tasks = [_task(frames), _task(moved), _task(frames, torch.arange(2)), other]
    assert len({one.fingerprint() for one in tasks}) == 4
    assert _task(exact_frames(4)).fingerprint() == tasks[0].fingerprint()


def test_a_root_branch_has_a_gradient_even_where_no_term_uses_it():
    frames = exact_frames(4)
    objective = replace(OBJECTIVE, labels=1.0, reprojection=0.0, transform=0.0, consistency=0.0, root="ray")
    one = LiftingTask(frames, torch.arange(4), torch.arange(4), objective, SCHEDULE)
    network = _network(root_branch=True)
    one.loss(network, next(one.batches([np.arange(4)], (0,))), 0.5).backward()
    assert all(p.grad is not None for p in network.parameters())
    assert not any(p.grad.any() for p in network.root.parameters())
    assert any(p.grad.any() for p in network.pose.parameters())
