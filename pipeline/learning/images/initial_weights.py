"""Where the 3D network's weights start."""

from pathlib import Path
from typing import Any

import torch

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import is_checkpoint, load_network, read_checkpoint
from pipeline.learning.images.networks import Architecture, PoseNetwork, start_from_detector
from pipeline.params.train import TrainParams


def initial_network(params: TrainParams, weights: Path) -> PoseNetwork:
    """The network of the parameters, started at random or from given weights: a detector's, or a backbone's checkpoint.

    Raises UserError where parameters and weights do not fit.
    """
    torch.manual_seed(params.seed)
    content = read_checkpoint(weights) if params.init == "weights" else None
    detector = load_network(weights, PoseNetwork)[0] if is_checkpoint(content) else None
    width = params.width if params.backbone == "slim" else 0
    network = PoseNetwork(Architecture(params.backbone, width, params.depth_bins))
    if detector is not None:
        _start_from_detector(network, detector, weights)
    elif content is not None:
        _start_from_backbone(network, content, weights)
    return network


def _start_from_detector(network: PoseNetwork, detector: PoseNetwork, path: Path) -> None:
    try:
        start_from_detector(network, detector)
    except ValueError:
        what = f"train.backbone asks for {network.architecture}, but {path} is {detector.architecture}"
        fix = "Set train.init to random, train.weights to a checkpoint of the backbone, or train.backbone to this."
        raise UserError(what, fix=fix) from None


def _start_from_backbone(network: PoseNetwork, weights: Any, path: Path) -> None:
    """Load a backbone's weights; a classifier's last layer, which the backbone does not have, is left out."""
    wanted = network.backbone.state_dict()
    given = {k: v for k, v in weights.items() if not k.startswith("fc.")} if isinstance(weights, dict) else {}
    wrong = [
        name for name in {*wanted, *given}
        if name not in wanted or name not in given or getattr(given[name], "shape", None) != wanted[name].shape
    ]  # fmt: skip
    if wrong:
        what = f"{path} does not fit the backbone {network.architecture}: {len(wrong)} weights differ"
        raise UserError(f"{what}, {min(wrong)} for one", where="train.weights", fix="Give one of that backbone.")
    network.backbone.load_state_dict(given)
