"""The configuration of a lifting network."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class LiftingArchitecture:
    """The configuration that a lifting network is built from; part of its checkpoint."""

    backbone: str
    frames: int  # odd; the pose of the middle one is estimated
    width: int
    dropout: float
    root_branch: bool  # whether a second network of the same kind estimates the root position

    def __str__(self) -> str:
        branch = ", with a root branch" if self.root_branch else ""
        return f"lifting by {self.backbone} of width {self.width} over {self.frames} frame(s){branch}"

    def as_dict(self) -> dict[str, str | int | float | bool]:
        """Plain values, for a checkpoint."""
        return asdict(self)
