"""Where the 3D network's weights start."""

from pathlib import Path

import torch

from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network, read_checkpoint
from pipeline.learning.images.networks import Architecture, PoseNetwork, start_from_detector
from pipeline.params.train import TrainParams


def initial_network(params: TrainParams, detector: Path) -> PoseNetwork:
    """The network of the parameters, started from the frozen detector, at random, or from a backbone's checkpoint.

    The slim backbone is always as wide as the detector's. Raises UserError where parameters or weights do not fit.
    """
    torch.manual_seed(params.seed)
    if params.backbone == "slim" or params.init == "detector":
        frozen, _ = load_network(detector, PoseNetwork)
        width = frozen.architecture.width if params.backbone == "slim" else 0
    else:
        width = 0
    network = PoseNetwork(Architecture(params.backbone, width, params.depth_bins))
    if params.init == "detector":
        _start_from_detector(network, frozen, detector)
    elif params.init != "random":
        _start_from_backbone(network, Path(params.init))
    return network


def _start_from_detector(network: PoseNetwork, frozen: PoseNetwork, detector: Path) -> None:
    try:
        start_from_detector(network, frozen)
    except ValueError:
        what = f"train.backbone asks for {network.architecture}, but {detector} is {frozen.architecture}"
        fix = "Set train.init to random or to a checkpoint of the backbone, or train.backbone to the detector's."
        raise UserError(what, fix=fix) from None


def _start_from_backbone(network: PoseNetwork, path: Path) -> None:
    """Load a backbone's weights; a classifier's last layer, which the backbone does not have, is left out."""
    weights = read_checkpoint(path)
    wanted = network.backbone.state_dict()
    given = {k: v for k, v in weights.items() if not k.startswith("fc.")} if isinstance(weights, dict) else {}
    wrong = [
        name for name in {*wanted, *given}
        if name not in wanted or name not in given or getattr(given[name], "shape", None) != wanted[name].shape
    ]  # fmt: skip
    if wrong:
        what = f"{path} does not fit the backbone {network.architecture}: {len(wrong)} weights differ"
        raise UserError(f"{what}, {min(wrong)} for one", where="train.init", fix="Give a checkpoint of that backbone.")
    network.backbone.load_state_dict(given)
