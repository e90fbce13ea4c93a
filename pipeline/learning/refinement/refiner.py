"""The refinement unit: a small network that corrects 3D poses (Kocabas et al. 2019, section 3.3)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.engine.device import choose_device
from pipeline.skeleton import MIRROR, N_JOINTS, ROOT

WIDTH, DROPOUT = 1024, 0.5
N_OUTPUTS = 3 * N_JOINTS
N_INPUTS = N_OUTPUTS + 3 * N_JOINTS
# Offsets larger than this share of the pose's size are gross errors of the detector and are clipped.
MAX_OFFSET = 0.3


@dataclass(frozen=True)
class RefinerInput:
    """N poses estimated by a network, and the detections in the same images; lengths are over the root's depth."""

    poses: Float[np.ndarray, "pose 17 3"]  # root-relative
    offsets: Float[np.ndarray, "pose 17 2"]  # from estimated to detected joints, at the joints' depths; NaN: undetected
    confidence: Float[np.ndarray, "pose 17"]  # of the detector, 0-1; NaN: undetected

    def __getitem__(self, rows: np.ndarray | slice) -> "RefinerInput":
        return RefinerInput(self.poses[rows], self.offsets[rows], self.confidence[rows])

    @property
    def size(self) -> Float[np.ndarray, "pose 1 1"]:
        """The norms of the poses."""
        size: np.ndarray = np.linalg.norm(self.poses, axis=(-2, -1), keepdims=True)
        return size

    @property
    def values(self) -> Float[np.ndarray, "pose values"]:
        """The input of the network, N_INPUTS values each: poses and offsets over the poses' size, and confidences."""
        size = self.size
        offsets = np.clip(np.nan_to_num(self.offsets / size), -MAX_OFFSET, MAX_OFFSET)
        parts = (self.poses / size, offsets, np.nan_to_num(self.confidence))
        return np.concatenate([part.reshape(len(size), -1) for part in parts], -1).astype(np.float32)

    def mirrored(self) -> "RefinerInput":
        """The mirror images, with left and right joints exchanged."""
        return RefinerInput(
            self.poses[..., MIRROR, :] * [-1, 1, 1], self.offsets[..., MIRROR, :] * [-1, 1],
            self.confidence[..., MIRROR],
        )  # fmt: skip

    def moved(self, by: Float[np.ndarray, "pose 17 3"]) -> "RefinerInput":
        """The same detections, with the estimated joints moved by `by`."""
        return RefinerInput(self.poses + by, self.offsets - by[..., :2], self.confidence)


class Refiner(nn.Module):
    """Corrects poses of unit size twice, after each of two residual blocks.

    Inputs and corrections are z-scored by the mean and standard deviation of the training inputs. In addition to
    the paper, the unit's input includes the detections, and its output layers give corrections that start at zero.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_INPUTS))
        self.register_buffer("std", torch.ones(N_INPUTS))
        self.input_layer = nn.Linear(N_INPUTS, WIDTH)
        self.blocks = nn.ModuleList([nn.Sequential(*_layer(), *_layer()) for _ in range(2)])
        self.output_layers = nn.ModuleList([_zero_output_layer() for _ in range(2)])

    def forward(
        self, inputs: Float[Tensor, "batch values"]
    ) -> tuple[Float[Tensor, "batch outputs"], Float[Tensor, "batch outputs"]]:
        """The intermediate and the final poses, N_OUTPUTS values each."""
        hidden = self.input_layer((inputs - self.mean) / self.std)
        poses = []
        for block, output_layer in zip(self.blocks, self.output_layers, strict=True):
            hidden = hidden + block(hidden)
            poses.append(inputs[:, :N_OUTPUTS] + output_layer(hidden) * self.std[:N_OUTPUTS])
        return poses[0], poses[1]


def _layer() -> list[nn.Module]:
    return [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.LeakyReLU(), nn.Dropout(DROPOUT)]


def _zero_output_layer() -> nn.Linear:
    """A last layer that is initialised to zero, so that training starts from the identity."""
    layer = nn.Linear(WIDTH, N_OUTPUTS)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def fit_normalisation(network: Refiner, inputs: RefinerInput) -> None:
    """Set a refiner's mean and standard deviation to those of the training inputs."""
    values = torch.from_numpy(inputs.values)
    network.mean.copy_(values.mean(0))
    network.std.copy_(values.std(0).clamp(min=1e-3))  # the root is constant


@torch.inference_mode()
def refine_poses(network: nn.Module, inputs: RefinerInput) -> Float[np.ndarray, "pose 17 3"]:
    """The corrected poses, root-relative and at the scale of the inputs, averaged with those of the mirror images.

    A pose with a missing joint becomes NaN.
    """
    network.eval()
    refined = np.full_like(inputs.poses, np.nan)
    known = np.isfinite(inputs.poses).all((1, 2))
    complete = inputs[known]
    straight, mirrored = (_refine(network, one) for one in (complete, complete.mirrored()))
    refined[known] = (straight + mirrored[:, MIRROR] * [-1, 1, 1]) / 2 * complete.size
    relative: np.ndarray = refined - refined[:, ROOT : ROOT + 1]
    return relative


def _refine(network: nn.Module, inputs: RefinerInput) -> np.ndarray:
    """Corrected poses of unit size, (N, 17, 3)."""
    poses: Tensor = network(torch.from_numpy(inputs.values).to(choose_device()))[1]
    return poses.double().cpu().numpy().reshape(-1, N_JOINTS, 3)
