"""Training of the 2D detector on single images whose joints are known; afterwards it is frozen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.files import write_untrained
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.engine.curves import Curve, curve_file
from pipeline.learning.engine.device import as_input, choose_device, precision, to_device
from pipeline.learning.engine.loader import batches, shuffled
from pipeline.learning.engine.optimizer import clip_gradients, set_learning_rate
from pipeline.learning.engine.schedule import learning_rate
from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crops import MARGIN, Crop, box_of_joints, crop_of_box
from pipeline.learning.images.losses import detector_loss
from pipeline.learning.images.networks import Architecture, PoseNetwork, expectation
from pipeline.learning.images.occlusion import paste_occluders
from pipeline.params.pretrain import PretrainParams
from pipeline.progress import progress
from pipeline.skeleton import LEFT_JOINTS, MIRROR

VALIDATION_SHARE = 0.04  # of the images
CURVE_POINTS = 20
VALIDATION_BATCH = 64
COLUMNS = ("step", "loss", "val_error_percent", "lr")
# Initial weight of the left-minus-right loss; it decreases to zero. With a tenth of this weight the network still
# confuses the sides after 900 steps; with this weight it is right in three of four cases after 600 steps.
AUXILIARY_WEIGHT = 40.0


@runtime_checkable
class LabelledImages(Protocol):
    """Square images of one person each, with the box of the joints in the centre."""

    @property
    def images(self) -> UInt8[np.ndarray, "image side side 3"]:
        """Pixels, RGB."""

    @property
    def joints_px(self) -> Float[np.ndarray, "image 17 2"]:
        """Joints."""

    @property
    def visible(self) -> Bool[np.ndarray, "image 17"]:
        """Whether each joint is visible."""


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


def mirrored_joints(joints: Float[np.ndarray, "17 2"], crop: Crop) -> Float[np.ndarray, "17 2"]:
    """The joints of a crop, with left and right exchanged if the crop is mirrored."""
    return joints[MIRROR] if crop.mirrored else joints


class SideDifference(nn.Module):
    """An auxiliary task of the training: left-minus-right vectors of the limb joints, estimated from pooled features.

    Without this task the network converges to the midpoint of left and right, a local minimum of the loss.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 2 * len(LEFT_JOINTS))

    def loss(
        self, features: Float[Tensor, "batch channels rows columns"], joints: Float[Tensor, "batch 17 2"]
    ) -> Float[Tensor, ""]:
        """Mean absolute error against joints in the unit square."""
        target = (joints[:, LEFT_JOINTS] - joints[:, MIRROR[LEFT_JOINTS]]).flatten(1)
        known = torch.isfinite(target)
        error: Tensor = (self.linear(features.mean((2, 3))) - target)[known].abs().sum()
        return error / known.sum().clamp(min=1)


def train_detector(images: LabelledImages, params: PretrainParams, detector: Path, curve: Path) -> None:
    """Train the 2D network and write its weights and its curve.

    Raises UserError if there are too few images for training and validation.
    """
    n_validation = max(1, round(VALIDATION_SHARE * len(images.images)))
    if len(images.images) < n_validation + params.batch_size:
        fix = "Raise pretrain.images or lower pretrain.batch_size."
        raise UserError(f"{len(images.images)} images are too few for batches of {params.batch_size}", fix=fix)
    torch.manual_seed(params.seed)
    network = PoseNetwork(Architecture("slim", params.width, depth_bins=1))
    validation, training = np.split(np.arange(len(images.images)), [n_validation])
    with curve_file(curve, COLUMNS) as rows:
        _train(network, images, training, validation, params, rows)
    save_network(
        detector, network, input_px=params.input_px, margin=MARGIN,
        trained_on=f"{len(training)} images, seed {params.seed}",
    )  # fmt: skip


def write_placeholders(detector: Path, curve: Path) -> None:
    """Write placeholders for the weights and the curve, because no stage needs the detector."""
    with curve_file(curve, COLUMNS):
        write_untrained(detector)


def _train(
    network: PoseNetwork, data: LabelledImages, training: np.ndarray, validation: np.ndarray,
    params: PretrainParams, curve: Curve,
) -> None:  # fmt: skip
    device = choose_device()
    to_device(network, device).train()
    sides = SideDifference(network.feature_channels).to(device)
    weights = [*network.parameters(), *sides.parameters()]
    optimizer = torch.optim.AdamW(weights, params.lr, weight_decay=params.weight_decay, fused=True)
    losses: list[Tensor] = []
    orders = shuffled(training, params.batch_size, params.steps, (params.seed,))
    crops = batches(_Samples(data, params.input_px), orders, (params.seed, 1))
    for step, (images, joints) in enumerate(progress(crops, "pretrain", total=params.steps, unit="step")):
        lr = learning_rate(params.lr, step, params.steps, warm_up=params.warm_up)
        set_learning_rate(optimizer, lr)
        target = torch.from_numpy(joints).to(device)
        with precision(device)():
            features = network.backbone(as_input(images, device))
            scores = network.scores(features)
        auxiliary = AUXILIARY_WEIGHT * (1 - step / params.steps) * sides.loss(features[0].float(), target)
        loss = detector_loss(scores, target)
        optimizer.zero_grad()
        (loss + auxiliary).backward()
        clip_gradients(weights, params.clip_grad_norm)
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % max(1, params.steps // CURVE_POINTS) == 0 or step + 1 == params.steps:
            curve.add(
                step=step + 1, loss=float(torch.stack(losses).mean()), lr=lr,
                val_error_percent=validation_error_percent(network, data, validation, params.input_px, device),
            )  # fmt: skip
            losses.clear()
    network.eval()


@torch.inference_mode()
def validation_error_percent(
    network: nn.Module, data: LabelledImages, rows: Int[np.ndarray, " row"], size_px: int, device: torch.device
) -> float:
    """Mean error of the visible joints of some images, in % of the longer side of the person's box."""
    network.eval()
    errors = []
    for chunk in np.array_split(rows, max(1, len(rows) // VALIDATION_BATCH)):
        crops = [crop_of_box(box_of_joints(data.joints_px[i])) for i in chunk]
        images = np.stack([crop.cut(data.images[i], size_px) for crop, i in zip(crops, chunk, strict=True)])
        joints = expectation(network(as_input(images, device)))[..., :2].cpu().numpy()
        target = np.stack([crop.to_unit(data.joints_px[i]) for crop, i in zip(crops, chunk, strict=True)])
        errors.append(np.linalg.norm(joints - target, axis=-1)[data.visible[chunk]])
    network.train()
    return 100 * MARGIN * float(np.concatenate(errors).mean())
