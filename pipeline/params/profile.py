"""Profiles: files with other values for some keys of params.yaml, such as profiles/tiny.yaml."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.params.file import PARAMS, load_yaml, read_params


def apply_profile(profile: Path, path: Path = PARAMS) -> None:
    """Write a profile's values into params.yaml, keeping its comments.

    Raises UserError for a missing file, for a key that params.yaml does not have and for a value that it refuses;
    params.yaml is then left as it was.
    """
    load_yaml(path)  # refuses a file that is missing or not YAML
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 120, True
    params = yaml.load(path)
    _update(params, load_yaml(profile), profile)
    with atomic_write(path) as aside:
        yaml.dump(params, aside)
        read_params(aside, where=f"{path} with the values of {profile}")


def _update(params: Any, overrides: Any, source: Path) -> None:
    if not isinstance(overrides, dict):
        raise UserError(
            f"{source} holds {overrides!r} where keys of params.yaml should be", fix="Compare it with one of profiles/."
        )
    for key, value in overrides.items():
        if not isinstance(params, dict) or key not in params:
            raise UserError(f"unknown key {key}", where=str(source))
        if isinstance(value, dict):
            _update(params[key], value, source)
        else:
            params[key] = value
