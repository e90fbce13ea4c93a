import torch

from pipeline.learning.lifting.multi_view_frames import concatenate
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.learning.lifting.virtual_cameras import with_virtual_views
from pipeline.skeleton import ROOT
from tests.world.multi_view import exact_frames


def test_virtual_cameras_see_the_labels_with_real_errors():
    frames = exact_frames(8)
    frames.points_norm[:, :, 7] += 0.01  # of every real view
    frames.labels[7] = torch.nan
    windows = frames.windows(torch.arange(8), 3)
    more = with_virtual_views(windows, 5, torch.Generator().manual_seed(0))
    assert more.points_norm.shape == (8, 8, 3, 17, 2)
    torch.testing.assert_close(more.points_norm[:, :3], windows.points_norm)
    new_R, new_t = more.R[:, 3:], more.t[:, 3:]
    torch.testing.assert_close(new_R[:7] @ new_R[:7].mT, torch.eye(3).expand(7, 5, 3, 3), atol=1e-5, rtol=0)
    seen = project(to_camera(windows.labels[:, None], new_R[:, :, None], new_t[:, :, None]))
    off = (more.points_norm[:, 3:] - seen)[:6]
    exact = [j for j in range(17) if j != 7]
    assert off[..., exact, :].abs().max() < 1e-5
    assert (off[..., 7, :] > 0.003).all()
    assert torch.isnan(more.points_norm[7, 3:]).all()
    # Upright, around the person, at about the real cameras' distance.
    root = to_camera(windows.labels[:, None, 1, ROOT : ROOT + 1], new_R, new_t)[:7, :, 0]
    assert (root[..., 2] > 0).all()
    assert ((root.norm(dim=-1) > 2.5) & (root.norm(dim=-1) < 7.5)).all()
    assert (new_R[:7, :, 1, 2] < -0.3).all()


def test_virtual_views_have_the_errors_of_cameras_that_exist():
    """In a rig that is padded with a missing view, no virtual view is without a person."""
    frames = concatenate([exact_frames(3, n_views=2), exact_frames(3, n_views=5)])
    more = with_virtual_views(frames.windows(torch.arange(3), 1), 40, torch.Generator().manual_seed(0))
    assert torch.isfinite(more.points_norm[:, 5:]).all()
