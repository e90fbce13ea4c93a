"""Lifting networks: windows of 2D poses in, the 3D pose of the middle frame out."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.learning.engine.checkpoints import SavableNetwork
from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.backbones import BACKBONES
from pipeline.skeleton import N_JOINTS


class LiftingNetwork(SavableNetwork):
    """Features (..., T, F) to poses (..., 17, 3) and, with a root branch, three numbers for the root (..., 3).

    Only the joints' positions relative to the pose's root have a meaning; the root's own position is arbitrary.
    The two branches are networks of the same kind that share no weights (Li et al. 2020).
    """

    kind: ClassVar[str] = "lifting"
    backbones: ClassVar[tuple[str, ...]] = tuple(BACKBONES)

    def __init__(self, architecture: LiftingArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        build = BACKBONES[architecture.backbone]
        self.pose = build(architecture, 3 * N_JOINTS)
        self.root = build(architecture, 3) if architecture.root_branch else None
        if self.root is not None:
            # The last layer is initialised to zero, so that training starts from the root position without a branch.
            for values in self.root.get_submodule("last").parameters():
                nn.init.zeros_(values)

    @classmethod
    def from_dict(cls, architecture: dict[str, Any]) -> "LiftingNetwork":
        """Build a network from the plain values of its architecture."""
        return cls(LiftingArchitecture(**architecture))

    def forward(
        self, features: Float[Tensor, "*batch time features"]
    ) -> tuple[Float[Tensor, "*batch 17 3"], Float[Tensor, "*batch 3"] | None]:
        """Poses in units of UNIT_MM, and the root branch's output."""
        batch_shape, flat = features.shape[:-2], features.flatten(0, -3)
        # Views without a person are left out, so that they do not influence the batch statistics.
        has_person = flat.any(-1).any(-1)
        pose = _scatter(has_person, self.pose(flat[has_person])).view(*batch_shape, N_JOINTS, 3)
        if self.root is None:
            return pose, None
        return pose, _scatter(has_person, self.root(flat[has_person])).view(*batch_shape, 3)


def _scatter(rows: Tensor, values: Tensor) -> Tensor:
    """Values (n, C) in the rows that are true in `rows` (B,), zero in the other rows."""
    every = values.new_zeros(len(rows), values.shape[1], dtype=torch.float32)
    return every.index_put((rows.nonzero()[:, 0],), values.float())
