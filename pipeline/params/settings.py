"""The files that the stage `settings` writes: the parameters that apply to a stage, one file per stage."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.params.base import Section, effective_values

AnySection = TypeVar("AnySection", bound=Section)


def write_settings(path: Path, sections: Mapping[str, Section]) -> None:
    """Write sections, by their names, without the keys that have no effect."""
    values = {name: effective_values(section) for name, section in sections.items()}
    path.write_text(json.dumps(values, indent=1) + "\n")


def read_settings(path: Path, name: str, model: type[AnySection]) -> AnySection:
    """Read one section from a stage's settings; keys without effect are missing and cannot be read.

    The values were checked when they were written. Raises UserError if the section is missing.
    """
    sections = _load(path)
    if name not in sections:
        raise UserError(f"{path} has no section {name}: it has {', '.join(sections)}", fix="Run dvc repro settings.")
    return _section(model, sections[name])


def _section(model: type[AnySection], values: Mapping[str, Any]) -> AnySection:
    kinds = {name: field.annotation for name, field in model.model_fields.items()}
    return model.model_construct(**{name: _value(kinds[name], value) for name, value in values.items()})


def _value(kind: Any, value: Any) -> Any:
    return _section(kind, value) if isinstance(kind, type) and issubclass(kind, Section) else value


def has_settings(path: Path, name: str) -> bool:
    """Whether a stage's settings have a section; a stage without its section has nothing to do."""
    return name in _load(path)


def _load(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    return dict(json.loads(path.read_text()))
