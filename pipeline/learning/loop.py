"""The training loop of the 3D network."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.frames import PackedFrames
from pipeline.learning.augment import Jitter, hide_parts, jitter_crop, recolour
from pipeline.learning.crops import crop_of_box
from pipeline.learning.curves import Curve
from pipeline.learning.device import as_input, choose_device, place, precision
from pipeline.learning.loader import batches, shuffled
from pipeline.learning.losses import masked_smooth_l1
from pipeline.learning.networks import PoseNetwork, expectation
from pipeline.learning.predict import opened, predict_samples
from pipeline.learning.samples import Samples
from pipeline.learning.schedule import learning_rate
from pipeline.learning.targets import cube_target
from pipeline.params import TrainParams
from pipeline.progress import progress
from pipeline.skeleton import ROOT

COLUMNS = ("epoch", "train_loss", "val_n_mpjpe_mm", "lr")
LARGEST_GRADIENT = 5.0


@dataclass(frozen=True)
class TrainingCrops:
    """Makes training samples: a random crop around the detected person, and the label in its unit cube."""

    samples: Samples
    input_px: int
    packs: dict[str, PackedFrames] = field(default_factory=dict)

    def __call__(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """The crop's pixels and the target (17, 3)."""
        s = self.samples
        crop = jitter_crop(crop_of_box(s.box_px[index]), Jitter(), rng)
        image = opened(self.packs, s.files[index])[int(s.frames[index])]
        image = hide_parts(recolour(crop.cut(image, self.input_px), rng), rng)
        target = cube_target(crop, s.joints_px[index], s.relative_depth[index], s.focal_px[index])
        return image, target.astype(np.float32)


def train(network: PoseNetwork, trained: Samples, held_out: Samples, params: TrainParams, curve: Curve) -> None:
    """Train a network on samples; a row of the curve for every epoch.

    Bit-reproducible for a seed on one machine's CPU with the same number of threads; on a GPU up to rounding.
    """
    device = choose_device()
    fast = precision(device)
    place(network, device)
    optimizer = torch.optim.AdamW(network.parameters(), params.lr, weight_decay=0.01, fused=True)
    steps_per_epoch = max(1, len(trained) // params.batch_size)
    n_steps = steps_per_epoch * params.epochs
    orders = shuffled(np.arange(len(trained)), params.batch_size, n_steps, (params.seed,))
    data = batches(TrainingCrops(trained, params.input_px), orders, (params.seed, 1))
    losses: list[Tensor] = []
    network.train()
    for step, (images, targets) in enumerate(progress(data, "train", total=n_steps, unit="step")):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(params.lr, step, n_steps)
        with fast():
            scores = network(as_input(images, device))
        loss = masked_smooth_l1(expectation(scores), torch.from_numpy(targets).to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % steps_per_epoch == 0:
            curve.add(
                epoch=(step + 1) // steps_per_epoch, train_loss=float(torch.stack(losses).mean()),
                val_n_mpjpe_mm=held_out_error_mm(network, held_out, params.input_px),
                lr=optimizer.param_groups[0]["lr"],
            )  # fmt: skip
            losses.clear()
            network.train()
    network.eval()


def held_out_error_mm(network: PoseNetwork, samples: Samples, input_px: int) -> float:
    """N-MPJPE against the labels (root-centred, best scale), the root at the label's depth."""
    joints_px, relative_depth = predict_samples(network, samples, input_px, flip_test=False)
    root_mm = samples.joints_cam_mm[:, ROOT : ROOT + 1]
    depth_mm = root_mm[..., 2] * (1 + relative_depth)
    # Near enough for a curve: the lens is taken as a pinhole around the label's root.
    root_px = samples.joints_px[:, ROOT : ROOT + 1]
    rays = (joints_px - root_px) / samples.focal_px[:, None, None] + root_mm[..., :2] / root_mm[..., 2:]
    predicted = np.concatenate([rays, np.ones_like(rays[..., :1])], -1) * depth_mm[..., None]
    predicted, label = predicted - predicted[:, ROOT : ROOT + 1], samples.joints_cam_mm - root_mm
    predicted = np.where(np.isfinite(label), predicted, np.nan)
    scale = np.nansum(predicted * label, (1, 2)) / np.nansum(predicted**2, (1, 2)).clip(1e-12)
    return float(np.nanmean(np.linalg.norm(scale[:, None, None] * predicted - label, axis=-1)))
