"""The volumetric method of the stage `train`: the network, its training task, and its predictions."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.capture import Capture, Recording
from pipeline.capture_paths import CapturePaths
from pipeline.learning.engine.device import as_input, choose_device, precision
from pipeline.learning.engine.fingerprint import fingerprint
from pipeline.learning.engine.loader import batches
from pipeline.learning.engine.loop import UNIFORM_LR
from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crop_cache import CropCache
from pipeline.learning.images.crops import MARGIN
from pipeline.learning.images.initial_weights import initial_network
from pipeline.learning.images.losses import masked_smooth_l1
from pipeline.learning.images.metric_crop import metric_crops, metric_side_factor, single_view_crops
from pipeline.learning.images.networks import expectation
from pipeline.learning.images.occlusion import load_occluders, paste_occluders
from pipeline.learning.images.predict import predict_samples, predict_views
from pipeline.learning.images.samples import Samples, samples_to_predict, split, training_samples
from pipeline.learning.images.targets import cube_target
from pipeline.learning.supervision import camera_reader, label_weights, target_reader
from pipeline.metrics import mean, n_mpjpe
from pipeline.params.train import AugmentParams, TrainParams
from pipeline.skeleton import MIRROR, ROOT
from pipeline.stores import Poses2dStore


class Volumetric:
    """The volumetric network: trained on crops and target poses, it predicts from crops of single views."""

    def __init__(
        self, capture: Capture, poses2d: Poses2dStore, paths: CapturePaths, weights: Path, params: TrainParams
    ) -> None:
        self.network = initial_network(params, weights)
        self.lr_multipliers: Mapping[str, float] = (
            UNIFORM_LR if params.init == "random" else {"backbone": params.backbone_lr}
        )
        metric = params.crop == "metric"
        samples = training_samples(capture, poses2d, target_reader(params, paths), needs_scale=metric)
        training, validation = split(samples, params.validation_subjects)
        self.target_share = np.isfinite(training.joints_cam_mm).all(-1).mean(0)
        self.metadata: dict[str, Any] = {"input_px": params.input_px, "margin": MARGIN, "images": len(training)}
        self._metric_side_factor = metric_side_factor(training) if metric else None
        if self._metric_side_factor is not None:
            self.metadata["metric_side_factor"] = self._metric_side_factor
        self.task = VolumetricTask(metric_crops(training) if metric else training, self._as_tested(validation), params)
        self._poses2d, self._params = poses2d, params
        self._read_cameras = camera_reader(params, paths)

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS of a recording, for all views."""
        views = samples_to_predict(recording, self._read_cameras(recording), self._poses2d)
        samples = map(self._as_tested, views)
        return predict_views(self.network, samples, self._params.input_px, flip_test=self._params.flip_test)

    def _as_tested(self, samples: Samples) -> Samples:
        """Samples with the crops of a test, which are computed from a single view."""
        factor = self._metric_side_factor
        return samples if factor is None else single_view_crops(samples, factor)


class VolumetricTask:
    """Trains on random crops around the samples' crops, and on their targets in the crops' unit cubes."""

    def __init__(self, training: Samples, validation: Samples, params: TrainParams) -> None:
        augment = params.augment
        self._training, self._validation, self._input_px = training, validation, params.input_px
        self._jitter = Jitter(scale=augment.scale, rotation_rad=float(np.deg2rad(augment.rotation_deg)))
        self._augment = augment
        self._make_occluder = load_occluders(augment.occluders, Path(augment.occluder_folder))
        self._crop_cache = CropCache(training, params.input_px, self._jitter.coverage)
        self._weights = label_weights(training.uncertainty_mm, params.weighting)

    def __len__(self) -> int:
        return len(self._training)

    def fingerprint(self) -> str:
        """A hash of all inputs of the batches and of the validation error; of image files only the sizes."""
        samples = (self._training, self._validation)
        images = sorted(
            {Path(file) for part in samples for file in part.files.tolist()} | _occluder_files(self._augment)
        )
        sizes = [(str(file), file.stat().st_size) for file in images]
        return fingerprint(samples, self._weights, self._input_px, self._augment.model_dump(), sizes)

    def batches(
        self, orders: Iterable[np.ndarray], seed: tuple[int, ...], *, first: int, shard: tuple[int, int]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Crops (B, S, S, 3), targets (B, 17, 3) and weights (B, 17)."""
        return batches(self._sample, orders, seed, first=first, shard=shard)

    def _sample(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        s, crop = self._training, jitter_crop(self._training.crop(row), self._jitter, rng)
        image = color_jitter(self._crop_cache.cut(row, crop), rng)
        image = paste_occluders(image, rng, self._augment.occlusion_prob, self._make_occluder)
        target = cube_target(crop, s.joints_px[row], s.relative_depth[row], float(s.focal_px[row]))
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
        """N-MPJPE against the targets (root-centred, best scale), with the root at the target's depth."""
        samples = self._validation
        joints_px, relative_depth = predict_samples(network, samples, self._input_px, flip_test=False)
        root_mm = samples.joints_cam_mm[:, ROOT : ROOT + 1]
        depth_mm = root_mm[..., 2] * (1 + relative_depth)
        # Accurate enough for a curve: lens distortion is ignored around the target's root.
        root_px = samples.joints_px[:, ROOT : ROOT + 1]
        points_norm = (joints_px - root_px) / samples.focal_px[:, None, None] + root_mm[..., :2] / root_mm[..., 2:]
        predicted = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1) * depth_mm[..., None]
        return float(mean(n_mpjpe(predicted, samples.joints_cam_mm)))


def _occluder_files(augment: AugmentParams) -> set[Path]:
    return set() if augment.occluders == "drawn" else set(Path(augment.occluder_folder).glob("*.png"))
