"""The initial weights of the volumetric network: random, a 2D detector's, or a backbone's."""

from pathlib import Path
from typing import Any

import torch

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import is_checkpoint, load_network, read_checkpoint
from pipeline.learning.images.networks import Architecture, PoseNetwork, start_from_detector
from pipeline.params.train import TrainParams


def initial_network(params: TrainParams, weights: Path) -> PoseNetwork:
    """Build the network of the parameters, with random weights or those of a detector's or backbone's checkpoint.

    Raises UserError if the parameters and the checkpoint do not match.
    """
    torch.manual_seed(params.seed)
    content = read_checkpoint(weights) if params.init == "weights" else None
    detector = load_network(weights, PoseNetwork)[0] if is_checkpoint(content) else None
    width = params.width if params.backbone == "slim" else 0
    network = PoseNetwork(Architecture(params.backbone, width, params.depth_bins))
    if detector is not None:
        _load_detector(network, detector, weights)
    elif content is not None:
        _load_backbone(network, content, weights)
    return network


def _load_detector(network: PoseNetwork, detector: PoseNetwork, path: Path) -> None:
    try:
        start_from_detector(network, detector)
    except ValueError:
        what = f"train.backbone asks for {network.architecture}, but {path} is {detector.architecture}"
        fix = "Set train.init to random, train.weights to a checkpoint of the backbone, or train.backbone to this."
        raise UserError(what, fix=fix) from None


def _load_backbone(network: PoseNetwork, weights: Any, path: Path) -> None:
    """Load a backbone's weights, except a classifier's last layer, which the backbone does not have."""
    wanted = network.backbone.state_dict()
    given = {k: v for k, v in weights.items() if not k.startswith("fc.")} if isinstance(weights, dict) else {}
    wrong = [
        name for name in {*wanted, *given}
        if name not in wanted or name not in given or getattr(given[name], "shape", None) != wanted[name].shape
    ]  # fmt: skip
    if wrong:
        what = f"{path} does not fit the backbone {network.architecture}: {len(wrong)} weights differ"
        fix = "Give a checkpoint of that backbone."
        raise UserError(f"{what}, for example {min(wrong)}", where="train.weights", fix=fix)
    network.backbone.load_state_dict(given)
