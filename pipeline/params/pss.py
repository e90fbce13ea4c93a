"""Parameters of the stage `pss`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.params.base import Section, Seed


class PssParams(Section):
    """References of the pose structure score."""

    reference: str
    k: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    source: Literal["truth", "labels"]
    seed: Seed

    @field_validator("reference")
    @classmethod
    def _exists(cls, reference: str) -> str:
        if reference != "fit" and not Path(reference).is_file():
            raise ValueError("neither fit nor a file")
        return reference
