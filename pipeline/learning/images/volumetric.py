"""What the volumetric network is taught: crops of people, and where their joints are in the unit cube."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.capture import Capture, Recording
from pipeline.learning.engine.device import as_input, choose_device, precision
from pipeline.learning.engine.loader import batches
from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crop_cache import CropCache
from pipeline.learning.images.crops import MARGIN
from pipeline.learning.images.initial_weights import initial_network
from pipeline.learning.images.losses import masked_smooth_l1
from pipeline.learning.images.networks import expectation
from pipeline.learning.images.occlusion import load_occluders, paste_occluders
from pipeline.learning.images.predict import predict_samples, predict_views
from pipeline.learning.images.samples import Samples, all_samples, split, training_samples
from pipeline.learning.images.targets import cube_target
from pipeline.learning.supervision import CapturePaths, camera_source, label_weights, target_source
from pipeline.metrics import n_mpjpe
from pipeline.params.train import TrainParams
from pipeline.skeleton import MIRROR, ROOT
from pipeline.stores import Poses2dStore


class Volumetric:
    """The volumetric network: taught by crops and labels, it predicts from crops."""

    def __init__(
        self, capture: Capture, poses2d: Poses2dStore, paths: CapturePaths, detector: Path, params: TrainParams
    ) -> None:
        self.network = initial_network(params, detector)
        self.lr_multipliers: Mapping[str, float] = {} if params.init == "random" else {"backbone": params.backbone_lr}
        samples = training_samples(capture, poses2d, target_source(params, paths), params.crop)
        trained, validation = split(samples, params.validation_subjects)
        self.task = VolumetricTask(trained, validation, params)
        self.metadata: dict[str, Any] = {"input_px": params.input_px, "margin": MARGIN, "images": len(trained)}
        self._poses2d, self._params = poses2d, params
        self._cameras = camera_source(params, paths)
        self._labels = target_source(params.model_copy(update={"supervision": "self"}), paths)

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS, of every view of a recording."""
        views = all_samples(recording, self._cameras, self._poses2d, self._labels, self._params.crop)
        return predict_views(self.network, views, self._params.input_px, flip_test=self._params.flip_test)


class VolumetricTask:
    """Random crops around the people of samples, and their labels in the crops' unit cubes."""

    def __init__(self, trained: Samples, validation: Samples, params: TrainParams) -> None:
        self._trained, self._held_out, self._input_px = trained, validation, params.input_px
        self._jitter = Jitter(scale=params.augment.scale, rotation_rad=np.deg2rad(params.augment.rotation_deg))
        self._occluded = params.augment.occlusion_prob
        self._make_object = load_occluders(params.augment.occluders, Path(params.augment.occluder_folder))
        self._patches = CropCache(trained, params.input_px, self._jitter.reach)
        self._weights = label_weights(trained.uncertainty_mm, params.weighting)

    def __len__(self) -> int:
        return len(self._trained)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, part: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Crops (B, S, S, 3), targets (B, 17, 3) and weights (B, 17)."""
        return batches(self._sample, orders, seed, first=first, part=part)

    def _sample(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        s, crop = self._trained, jitter_crop(self._trained.crop(row), self._jitter, rng)
        image = paste_occluders(color_jitter(self._patches.cut(row, crop), rng), rng, self._occluded, self._make_object)
        target = cube_target(crop, s.joints_px[row], s.relative_depth[row], s.focal_px[row])
        weights = self._weights[row][MIRROR] if crop.mirrored else self._weights[row]
        return image, target.astype(np.float32), weights.astype(np.float32)

    def loss(self, network: nn.Module, batch: Any, done: float) -> Tensor:
        """Smooth-L1 between the expectation of the network's volumes and the targets."""
        device = choose_device()
        images, targets, weights = batch
        with precision(device)():
            scores = network(as_input(images, device))
        targets, weights = (torch.from_numpy(values).to(device) for values in (targets, weights))
        return masked_smooth_l1(expectation(scores), targets, weights[..., None])

    def validation_error_mm(self, network: nn.Module) -> float:
        """N-MPJPE against the labels (root-centred, best scale), the root at the label's depth."""
        samples = self._held_out
        joints_px, relative_depth = predict_samples(network, samples, self._input_px, flip_test=False)
        root_mm = samples.joints_cam_mm[:, ROOT : ROOT + 1]
        depth_mm = root_mm[..., 2] * (1 + relative_depth)
        # Near enough for a curve: the lens is taken as a pinhole around the label's root.
        root_px = samples.joints_px[:, ROOT : ROOT + 1]
        points_norm = (joints_px - root_px) / samples.focal_px[:, None, None] + root_mm[..., :2] / root_mm[..., 2:]
        predicted = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1) * depth_mm[..., None]
        return float(np.nanmean(n_mpjpe(predicted, samples.joints_cam_mm)))
