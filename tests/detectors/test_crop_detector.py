"""Joints of crops: peaks of heatmaps, and the average with the mirror image."""

import numpy as np
import pytest
import torch

from pipeline.detectors.crop_detector import CropDetector, peak_position
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.images.crops import Crop
from pipeline.learning.images.networks import Architecture, PoseNetwork, expectation
from pipeline.skeleton import MIRROR


def test_the_flip_test_gives_the_same_for_the_mirrored_image():
    torch.manual_seed(3)
    network = PoseNetwork(Architecture("slim", 8, depth_bins=1)).eval()
    detector = CropDetector(network, 64, 1.25, {})
    image = np.random.default_rng(4).integers(0, 256, (64, 64, 3), np.uint8)
    crop = Crop(np.full(2, 31.5), 64.0)
    there, sure = detector.detect([image], [crop], 1, flip_test=True)
    back, sure_back = detector.detect([np.ascontiguousarray(image[:, ::-1])], [crop], 1, flip_test=True)
    np.testing.assert_allclose(back[:, MIRROR] * [-1, 1] + [63, 0], there, atol=0.05)
    np.testing.assert_allclose(sure_back[:, MIRROR], sure, atol=0.01)
    one_way, _ = detector.detect([image], [crop], 1)
    assert np.abs(one_way - there).max() > 1


def test_a_3d_network_is_no_detector(tmp_path):
    network = PoseNetwork(Architecture("slim", 8, depth_bins=4))
    save_network(tmp_path / "pose3d.pt", network, input_px=64, margin=1.25)
    with pytest.raises(UserError, match=r"holds a 3D network .*4 deep.*, a 2D detector is needed"):
        CropDetector.load(tmp_path / "pose3d.pt")


def heatmaps(scores: torch.Tensor) -> torch.Tensor:
    return scores.flatten(-2).softmax(-1).view_as(scores)


def test_the_peak_is_not_pulled_by_a_second_candidate():
    scores = torch.full((1, 1, 24, 24), -20.0)
    scores[0, 0, 5, 4], scores[0, 0, 5, 20] = 2.0, 1.5
    position, share = peak_position(heatmaps(scores))
    torch.testing.assert_close(position[0, 0], torch.tensor([4.5, 5.5]) / 24, atol=1e-4, rtol=0)
    assert share.item() == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-3)
    assert expectation(scores[:, :, None])[0, 0, 0] * 24 == pytest.approx(10.5, abs=0.1)


def test_the_peak_is_found_between_cells():
    at = torch.tensor([[6.3, 14.9]])
    y, x = torch.meshgrid(torch.arange(24) + 0.5, torch.arange(24) + 0.5, indexing="ij")
    scores = -((x - at[0, 0]) ** 2 + (y - at[0, 1]) ** 2)[None, None] / 2
    torch.testing.assert_close(peak_position(heatmaps(scores))[0][0] * 24, at, atol=0.03, rtol=0)
