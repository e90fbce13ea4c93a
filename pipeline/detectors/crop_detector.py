"""2D poses of person crops by the frozen network that the stage `pretrain` trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.engine.device import as_input, choose_device, precision, to_device
from pipeline.learning.images.crops import Crop
from pipeline.learning.images.networks import PoseNetwork, cell_centers
from pipeline.skeleton import MIRROR

# Radius of the window around a heatmap's peak whose mean position is the joint, in cells.
WINDOW_CELLS = 3


@dataclass(frozen=True)
class CropDetector:
    """A frozen 2D network with the input it was trained for."""

    network: PoseNetwork
    input_px: int
    margin: float
    metadata: dict[str, Any]

    @classmethod
    def load(cls, weights: Path) -> "CropDetector":
        """The detector of a checkpoint.

        Raises UserError if the file is not a checkpoint of a 2D network.
        """
        network, metadata = load_network(weights, PoseNetwork)
        if network.architecture.depth_bins != 1:
            what = f"{weights} holds a 3D network ({network.architecture}), a 2D detector is needed"
            raise UserError(what, fix="Set detect.weights to a file that the stage pretrain wrote.")
        return cls(to_device(network, choose_device()), int(metadata["input_px"]), float(metadata["margin"]), metadata)

    @torch.inference_mode()
    def detect(
        self, images: Sequence[np.ndarray], crops: Sequence[Crop], batch_size: int, *, flip_test: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Joints (N, 17, 2) in pixels and confidence (N, 17) of the person in each of N crops, crop i of image i.

        With `flip_test` the heatmaps of each crop and of its mirror image are averaged, at twice the cost.
        """
        device = choose_device()
        fast = precision(device)
        joints, confidence = np.full((len(crops), 17, 2), np.nan), np.zeros((len(crops), 17))
        for start in range(0, len(crops), batch_size):
            chunk = range(start, min(start + batch_size, len(crops)))
            pixels = np.stack([crops[i].cut(images[i], self.input_px) for i in chunk])
            with fast():
                heatmaps = self._heatmaps(as_input(pixels, device))
                if flip_test:
                    mirrored = self._heatmaps(as_input(np.ascontiguousarray(pixels[:, :, ::-1]), device))
                    heatmaps = (heatmaps + mirrored[:, MIRROR].flip(-1)) / 2
            position, share = (x.cpu().numpy() for x in peak_position(heatmaps))
            for row, i in enumerate(chunk):
                joints[i], confidence[i] = crops[i].to_image(position[row].astype(float)), share[row]
        return joints, confidence

    def _heatmaps(self, images: Tensor) -> Tensor:
        """Heatmaps (B, J, H, W), each of sum 1, of images (B, 3, S, S)."""
        scores: Tensor = self.network(images)[:, :, 0]
        return scores.flatten(-2).softmax(-1).view_as(scores)


def peak_position(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean position (B, J, 2) of heatmaps within a window around their peak, and the window's share (B, J) of the sum.

    Heatmaps are (B, J, H, W), each of sum 1; positions are x, y as shares of width and height. Unlike the mean over
    the whole heatmap, the position does not fall between two maxima.
    """
    height, width = heatmaps.shape[-2:]
    peak = heatmaps.flatten(-2).argmax(-1)
    near_y = _window(peak // width, height)
    near_x = _window(peak % width, width)
    inside = heatmaps * near_y[..., :, None] * near_x[..., None, :]
    share = inside.sum((-2, -1))
    x = (inside.sum(-2) * cell_centers(width, heatmaps.device)).sum(-1) / share
    y = (inside.sum(-1) * cell_centers(height, heatmaps.device)).sum(-1) / share
    return torch.stack([x, y], -1), share


def _window(center: Tensor, n: int) -> Tensor:
    return ((torch.arange(n, device=center.device) - center[..., None]).abs() <= WINDOW_CELLS).float()
