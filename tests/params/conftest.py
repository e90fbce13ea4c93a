"""The project's own params.yaml, and a copy to change."""

import shutil
from pathlib import Path

import pytest

from pipeline.params.file import Params, read_params
from tests.house.imports import ROOT

FILE = ROOT / "params.yaml"


@pytest.fixture
def params_file(tmp_path) -> Path:
    return Path(shutil.copy(FILE, tmp_path / "params.yaml"))


@pytest.fixture(scope="session")
def params() -> Params:
    return read_params(FILE)


@pytest.fixture
def changed(params):
    """The parameters with other values, named as `dvc exp run -S` names them; checked as those of a file are."""

    def change(**keys):
        values = params.model_dump()
        for key, value in keys.items():
            *sections, last = key.split("__")
            place = values
            for name in sections:
                place = place[name]
            place[last] = value
        return Params.model_validate(values)

    return change
