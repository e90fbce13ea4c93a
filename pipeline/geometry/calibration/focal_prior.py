"""The prior on the focal lengths of a rig's cameras."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Focal:
    """Prior on the cameras' focal lengths over those given: a deviation that all cameras share, and one of each.

    The logarithms of the ratios are normally distributed around 0. Without a deviation of each camera the given focal
    lengths are exact; raises ValueError if all cameras share a deviation then.
    """

    std: float = 0.0  # of the shared deviation, relative; infinite: unknown
    own_std: float = 0.0  # of each camera's deviation, relative; 0: the focal lengths are exact

    def __post_init__(self) -> None:
        """Check that the prior has an inverse."""
        if self.std > 0 and not self.own_std > 0:
            raise ValueError(f"focal lengths with a shared deviation of {self.std} need one of each camera")

    @property
    def is_open(self) -> bool:
        """Whether the focal lengths are unknown or approximate."""
        return self.own_std > 0

    def information(self, n_views: int) -> Float[np.ndarray, "view view"]:
        """The information on the logarithms of the ratios, the inverse of their covariance; empty if they are 0."""
        if not self.is_open:
            return np.zeros((0, 0))
        shared = 1 / (n_views + (self.own_std / self.std) ** 2) if self.std > 0 else 0.0
        return np.asarray((np.eye(n_views) - shared) / self.own_std**2)


EXACT = Focal()
