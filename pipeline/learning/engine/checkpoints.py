"""Checkpoints: a network's weights with the configuration to build it, so that a checkpoint is complete."""

import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import nn

from pipeline.errors import UserError
from pipeline.files import atomic_write, is_untrained
from pipeline.skeleton import JOINTS

VERSION = 3


class SavableNetwork(nn.Module):
    """A network that a checkpoint can hold: its architecture is sufficient to build it."""

    kind: ClassVar[str]  # volumetric or lifting
    backbones: ClassVar[tuple[str, ...]]  # the backbones that it can be built with
    architecture: Any

    @classmethod
    def from_dict(cls, architecture: dict[str, Any]) -> "SavableNetwork":
        """Build a network from the plain values of its architecture."""
        raise NotImplementedError


Network = TypeVar("Network", bound=SavableNetwork)


def save_network(path: Path, network: SavableNetwork, **metadata: Any) -> None:
    """Write a network's weights, its architecture, its joints and further metadata (plain values)."""
    content = {
        "version": VERSION,
        "kind": network.kind,
        "joints": list(JOINTS),
        "architecture": network.architecture.as_dict(),
        "metadata": metadata,
        "weights": {name: w.detach().cpu().contiguous() for name, w in network.state_dict().items()},
    }
    with atomic_write(path) as aside:
        torch.save(content, aside)


def load_network(path: Path, wanted: type[Network]) -> tuple[Network, dict[str, Any]]:
    """The network of a checkpoint, in evaluation mode, and the checkpoint's metadata.

    Raises UserError if the file is missing or damaged, or has another version, kind, backbone or skeleton.
    """
    content = read_checkpoint(path)
    again = "Run dvc repro to make it again, or name a file that this code has written."
    if not is_checkpoint(content):
        raise UserError(f"{path} is not a checkpoint of this pipeline", fix=again)
    if content["version"] != VERSION:
        raise UserError(f"{path} has version {content['version']}, this code reads version {VERSION}", fix=again)
    if content["kind"] != wanted.kind:
        raise UserError(f"{path} holds a {content['kind']} network, a {wanted.kind} one is needed", fix=again)
    if content["joints"] != list(JOINTS):
        raise UserError(f"{path} predicts the joints {content['joints']}, this code has {list(JOINTS)}", fix=again)
    backbone = content["architecture"]["backbone"]
    if backbone not in wanted.backbones:
        raise UserError(f"{path} has the backbone {backbone!r}, known are {list(wanted.backbones)}", fix=again)
    network = cast(Network, wanted.from_dict(content["architecture"]))
    network.load_state_dict(content["weights"])
    return network.eval(), content["metadata"]


def is_checkpoint(content: Any) -> bool:
    """Whether the content of a torch file is a checkpoint of this pipeline, of any version."""
    return isinstance(content, dict) and {"version", "kind"} <= set(content)


def read_checkpoint(path: Path) -> Any:
    """The content of a torch file; restricted to plain values and tensors, so that no code is executed.

    Raises UserError if the file is missing or damaged.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    if is_untrained(path):
        fix = "Name it in detect.weights or train.weights and run dvc repro, or see the alerts of the report."
        raise UserError(f"{path} holds no weights: no network was trained when dvc repro made it", fix=fix)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError, struct.error) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UserError(f"{path} cannot be read as weights: {reason}", fix="Make or fetch it again.") from None
