"""Parameters of the stage `pss`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Section, Seed


class PssParams(Section):
    """References of the pose structure score."""

    reference: Literal["fit", "frozen"]
    frozen: str
    k: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    source: Literal["truth", "labels"]
    seed: Seed

    def unused(self) -> set[str]:
        """With frozen references, the keys of fitting; otherwise the path of frozen references."""
        return {"source", "seed"} if self.reference == "frozen" else {"frozen"}
