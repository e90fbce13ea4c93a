"""Training of the frozen 2D detector on single images whose joints are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import save_network, write_untrained
from pipeline.learning.engine.curves import Curve, curve_file
from pipeline.learning.engine.device import as_input, choose_device, precision, to_device
from pipeline.learning.engine.loader import batches, shuffled
from pipeline.learning.engine.schedule import learning_rate
from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crops import MARGIN, Crop, box_of_joints, crop_of_box
from pipeline.learning.images.losses import plane_loss
from pipeline.learning.images.networks import Architecture, PoseNetwork, expectation
from pipeline.learning.images.occlusion import paste_occluders
from pipeline.params.pretrain import PretrainParams
from pipeline.progress import progress
from pipeline.skeleton import LEFT_JOINTS, MIRROR

HELD_OUT = 0.04  # share of the images that is never trained on and gives the curve's error
CURVE_POINTS = 20
COLUMNS = ("step", "loss", "val_error_percent", "lr")
# Of the left-minus-right loss at the start; it fades to nothing. At a tenth of it the sides are still a guess after
# 900 steps, at this weight three in four are right after 600.
AUXILIARY_WEIGHT = 40.0


@runtime_checkable
class LabelledImages(Protocol):
    """Square images of one person each, the box of the joints centred in them."""

    @property
    def images(self) -> np.ndarray:
        """Pixels (N, S, S, 3), uint8, RGB."""

    @property
    def joints_px(self) -> np.ndarray:
        """Joints (N, 17, 2)."""

    @property
    def visible(self) -> np.ndarray:
        """Whether each joint (N, 17) can be seen."""


@dataclass(frozen=True)
class _Samples:
    """Makes training samples: a random crop, and its joints in the unit square."""

    data: LabelledImages
    size_px: int

    def __call__(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        joints_px = self.data.joints_px[index]
        crop = jitter_crop(crop_of_box(box_of_joints(joints_px)), Jitter(), rng)
        image = paste_occluders(color_jitter(crop.cut(self.data.images[index], self.size_px), rng), rng)
        joints = mirrored_joints(crop.to_unit(joints_px), crop)
        outside = ((joints < 0) | (joints > 1)).any(-1)
        joints[outside] = np.nan
        return image, joints.astype(np.float32)


def mirrored_joints(joints: np.ndarray, crop: Crop) -> np.ndarray:
    """Joints (17, ...) seen in a crop: in a mirrored one, a left hand is a right hand."""
    return joints[MIRROR] if crop.mirrored else joints


class SideDifference(nn.Module):
    """Left-minus-right vectors of the limb joints from pooled features; only for training.

    Without it the network settles on the midpoint of left and right: telling them apart pays only once it is possible.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 2 * len(LEFT_JOINTS))

    def loss(self, features: Tensor, joints: Tensor) -> Tensor:
        """Mean absolute error against joints (B, 17, 2) of the unit square."""
        target = (joints[:, LEFT_JOINTS] - joints[:, MIRROR[LEFT_JOINTS]]).flatten(1)
        known = torch.isfinite(target)
        return (self.linear(features.mean((2, 3))) - target)[known].abs().sum() / known.sum().clamp(min=1)


def train_detector(images: LabelledImages, params: PretrainParams, detector: Path, curve: Path) -> None:
    """Train the 2D network and write its weights and its curve.

    Raises UserError where there are too few images to train and to measure.
    """
    n_held_out = max(1, round(HELD_OUT * len(images.images)))
    if len(images.images) < n_held_out + params.batch_size:
        fix = "Raise pretrain.images or lower pretrain.batch_size."
        raise UserError(f"{len(images.images)} images are too few for batches of {params.batch_size}", fix=fix)
    torch.manual_seed(params.seed)
    network = PoseNetwork(Architecture("slim", params.width, depth_bins=1))
    validation, trained = np.split(np.arange(len(images.images)), [n_held_out])
    with curve_file(curve, COLUMNS) as rows:
        _train(network, images, trained, validation, params, rows)
    save_network(
        detector, network, input_px=params.input_px, margin=MARGIN,
        trained_on=f"{len(trained)} images, seed {params.seed}",
    )  # fmt: skip


def leave_untrained(detector: Path, curve: Path) -> None:
    """Write what stands for weights and curve where no stage needs the detector."""
    with curve_file(curve, COLUMNS):
        write_untrained(detector)


def _train(
    network: PoseNetwork, data: LabelledImages, trained: np.ndarray, validation: np.ndarray,
    params: PretrainParams, curve: Curve,
) -> None:  # fmt: skip
    device = choose_device()
    to_device(network, device).train()
    sides = SideDifference(network.feature_channels).to(device)
    weights = [*network.parameters(), *sides.parameters()]
    optimizer = torch.optim.AdamW(weights, params.lr, weight_decay=0.01, fused=True)
    fast = precision(device)
    losses: list[Tensor] = []
    orders = shuffled(trained, params.batch_size, params.steps, (params.seed,))
    crops = batches(_Samples(data, params.input_px), orders, (params.seed, 1))
    steps = progress(crops, "pretrain", total=params.steps, unit="step")
    for step, (images, joints) in enumerate(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(params.lr, step, params.steps)
        target = torch.from_numpy(joints).to(device)
        with fast():
            features = network.backbone(as_input(images, device))
            scores = network.scores(features)
        auxiliary = AUXILIARY_WEIGHT * (1 - step / params.steps) * sides.loss(features[0].float(), target)
        loss = plane_loss(scores, target)
        optimizer.zero_grad()
        (loss + auxiliary).backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % max(1, params.steps // CURVE_POINTS) == 0 or step + 1 == params.steps:
            curve.add(
                step=step + 1, loss=float(torch.stack(losses).mean()),
                val_error_percent=validation_error(network, data, validation, params.input_px, device),
                lr=optimizer.param_groups[0]["lr"],
            )  # fmt: skip
            losses.clear()
    network.eval()


@torch.inference_mode()
def validation_error(
    network: PoseNetwork, data: LabelledImages, validation: np.ndarray, size_px: int, device: torch.device
) -> float:
    """Mean error of the visible joints in % of the longer side of the person's box, on upright crops."""
    network.eval()
    errors = []
    for chunk in np.array_split(validation, max(1, len(validation) // 64)):
        crops = [crop_of_box(box_of_joints(data.joints_px[i])) for i in chunk]
        images = np.stack([crop.cut(data.images[i], size_px) for crop, i in zip(crops, chunk, strict=True)])
        joints = expectation(network(as_input(images, device)))[..., :2].cpu().numpy()
        target = np.stack([crop.to_unit(data.joints_px[i]) for crop, i in zip(crops, chunk, strict=True)])
        errors.append(np.linalg.norm(joints - target, axis=-1)[data.visible[chunk]])
    network.train()
    return 100 * MARGIN * float(np.concatenate(errors).mean())
