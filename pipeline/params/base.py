"""The base class of all sections of params.yaml, and the types of common values."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=32, le=8192, multiple_of=2)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, types and ranges are checked, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def unused(self) -> set[str]:
        """The keys that have no effect, given the values of the others; a change of such a key reruns no stage."""
        return set()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Refuse to read a key that `unused` names, as `settings` did not write it."""
            if name in type(self).model_fields:
                raise AttributeError(f"{type(self).__name__}.{name} is read, but its `unused` says that it never is")
            return super().__getattr__(name)


def effective_values(section: Section) -> dict[str, Any]:
    """The plain values of all keys that have an effect."""
    values = {name: getattr(section, name) for name in type(section).model_fields if name not in section.unused()}
    return {name: effective_values(value) if isinstance(value, Section) else value for name, value in values.items()}
