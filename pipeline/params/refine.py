"""Parameters of the stage `refine`."""

from typing import Literal

from pydantic import field_validator

from pipeline.params.train import LoopParams

RefineSource = Literal["truth", "labels"]


class RefineParams(LoopParams):
    """Training of the refinement units, one for each source of their targets."""

    sources: list[RefineSource]

    @field_validator("sources")
    @classmethod
    def _once(cls, sources: list[RefineSource]) -> list[RefineSource]:
        if len(set(sources)) < len(sources):
            raise ValueError("name each source once")
        return sources

    def unused(self) -> set[str]:
        """The list of sources, because each stage `refine` has its source as an argument."""
        return {"sources"}
