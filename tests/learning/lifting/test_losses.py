from dataclasses import replace

import pytest
import torch

from pipeline.learning.lifting.losses import (
    Objective,
    absolute_poses,
    label_loss,
    lifting_loss,
    pretraining_loss,
    projection_loss,
    root_positions,
)
from pipeline.skeleton import ROOT
from tests.world.multi_view import exact_frames, exact_views

NOTHING = Objective(
    labels=0,
    reprojection=0,
    transform=0,
    consistency=0,
    squared=False,
    confidence="target",
    root="least_squares",
    root_relative=False,
)
TERMS = ("reprojection", "transform", "consistency")


@pytest.fixture
def views():
    return exact_views()[1]


def relative(views):
    return views.labels - views.labels[:, :, ROOT : ROOT + 1]


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("term", TERMS)
def test_true_poses_have_no_error_and_wrong_ones_do(views, term, squared):
    objective = replace(NOTHING, **{term: 1.0}, squared=squared)
    assert projection_loss(objective, views.labels, views) < (1e-8 if squared else 2e-4)
    wrong = views.labels.clone()
    wrong[:, 1, 3] += torch.tensor([0.1, 0, 0.3])
    assert projection_loss(objective, wrong, views) > (1e-5 if squared else 1e-3)


def test_own_reprojection_is_blind_to_depth_and_the_other_views_are_not(views):
    farther = views.labels * 1.2
    assert projection_loss(replace(NOTHING, reprojection=1.0), farther, views) < 2e-4
    assert projection_loss(replace(NOTHING, transform=1.0), farther, views) > 0.02


def test_terms_are_those_of_the_papers(views):
    """Against sums written out: pairs of views, squared, weighted by the source's or the target's confidence."""
    views = replace(views, confidence=torch.rand(views.confidence.shape, generator=torch.manual_seed(0)))
    poses = views.labels + 0.05 * torch.randn(views.labels.shape, generator=torch.manual_seed(1))
    for whose in ("source", "target", "none"):
        total = weight = 0.0
        for b, v, u, j in torch.cartesian_prod(*(torch.arange(n) for n in (6, 3, 3, 17))).tolist():
            if v == u:
                continue
            w = {"source": views.confidence[b, v, j], "target": views.confidence[b, u, j], "none": 1.0}[whose]
            world = views.R[b, v].T @ (poses[b, v, j] - views.t[b, v])
            there = views.R[b, u] @ world + views.t[b, u]
            off = (there[:2] / there[2] - views.points_norm[b, u, j]) / views.box_size[b, u]
            total, weight = total + w * off.square().sum(), weight + w
        objective = replace(NOTHING, transform=1.0, squared=True, confidence=whose)
        torch.testing.assert_close(projection_loss(objective, poses, views), total / weight, rtol=1e-4, atol=1e-6)


def test_agreement_is_the_papers_mean_over_pairs(views):
    poses = views.labels + 0.05 * torch.randn(views.labels.shape, generator=torch.manual_seed(1))
    world = (poses - views.t[:, :, None]) @ views.R
    pairs = [(world[:, v] - world[:, u]).square().sum(-1).mean() for v in range(3) for u in range(3) if v != u]
    # Mean over pairs of |a - b|^2 is 2 V / (V - 1) times the mean distance from the middle.
    torch.testing.assert_close(pretraining_loss(poses, views), torch.stack(pairs).mean() * 2 / 3, rtol=1e-3, atol=1e-6)
    assert pretraining_loss(views.labels, views) < 1e-8


def test_only_a_tied_root_takes_the_pose_with_it(views):
    """A pose may stand beside its root branch's place, unless it is tied to it."""
    shifted = relative(views) + torch.tensor([0.1, 0, 0])
    free = absolute_poses(replace(NOTHING, root="ray"), shifted, torch.zeros(6, 3, 3), views)
    tied = absolute_poses(replace(NOTHING, root="ray", root_relative=True), shifted, torch.zeros(6, 3, 3), views)
    torch.testing.assert_close(free - tied, torch.tensor([0.1, 0, 0]).expand_as(free))
    torch.testing.assert_close(tied[:, :, ROOT, 2], views.distance)


@pytest.mark.parametrize("root", ["labels", "least_squares"])
def test_roots_of_true_poses_are_true(views, root):
    found = root_positions(root, relative(views), None, views)
    torch.testing.assert_close(found, views.labels[:, :, ROOT], atol=2e-3, rtol=0)


def test_root_branch_starts_on_the_viewing_ray_at_the_rigs_distance(views):
    silent = torch.zeros(6, 3, 3)
    on_ray = root_positions("ray", relative(views), silent, views)
    torch.testing.assert_close(on_ray[..., :2] / on_ray[..., 2:], views.points_norm[:, :, ROOT], atol=1e-6, rtol=0)
    torch.testing.assert_close(on_ray[..., 2], views.distance)
    ahead = root_positions("direct", relative(views), silent, views)
    torch.testing.assert_close(ahead, views.distance[..., None] * torch.tensor([0, 0, 1.0]))
    # The people walk around the middle of the rig.
    assert ((views.distance / views.labels[:, :, ROOT, 2] - 1).abs() < 0.4).all()


def test_labels_count_where_they_are_known(views):
    poses = relative(views)
    assert label_loss(poses, views) < 2e-4
    assert label_loss(poses + 1.0, views) < 2e-4, "only the place around the root counts"
    poses[0, 0, 5] += torch.tensor([0.3, 0, 0])
    some = views.labels.clone()
    some[1:, :, 4:] = torch.nan
    known = torch.isfinite(some).all(-1).sum()
    torch.testing.assert_close(label_loss(poses, replace(views, labels=some)), 0.3 / known, atol=2e-4, rtol=0)
    nothing = replace(views, labels=torch.full_like(some, torch.nan))
    assert label_loss(poses, nothing) == 0


def test_a_label_counts_by_its_weight(views):
    objective, none = replace(NOTHING, labels=1.0), torch.zeros(6, 3, 3)
    poses = relative(views)
    poses[:, :, 5] += torch.tensor([0.3, 0, 0])
    alike = lifting_loss(objective, poses, none, views)
    weight = torch.ones(6, 17)
    weight[:, 5] = 0.2
    weight[:, 7] = 1.8
    torch.testing.assert_close(alike, torch.tensor(0.3 / 17), atol=2e-4, rtol=0)
    weighed = lifting_loss(objective, poses, none, replace(views, label_weight=weight))
    torch.testing.assert_close(weighed, alike * 0.2, atol=2e-4, rtol=0)


@pytest.mark.parametrize("root", ["labels", "least_squares", "ray", "direct"])
def test_missing_things_do_not_count_and_leave_finite_gradients(root):
    frames = exact_frames(n_views=4)
    frames.points_norm[0, 1] = torch.nan  # nobody seen
    frames.points_norm[1, 2, 5] = torch.nan  # a joint unseen
    frames.labels[2, 3] = torch.nan  # a label rejected
    frames.labels[3] = torch.nan  # no label at all
    frames.R[:, 3], frames.t[:, 3] = torch.nan, torch.nan  # a camera that is not known
    features, views = exact_views(frames)
    poses = torch.randn(6, 4, 17, 3, generator=torch.manual_seed(0)).requires_grad_()
    branch = torch.zeros(6, 4, 3, requires_grad=True)
    objective = Objective(
        labels=1,
        reprojection=1,
        transform=1,
        consistency=1,
        squared=False,
        confidence="target",
        root=root,
        root_relative=False,
    )
    loss = lifting_loss(objective, poses, branch, views)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(poses.grad).all()
    assert not features[0, 1].any()
    assert not poses.grad[0, 1].any(), "a view in which nobody is seen has no gradient"
