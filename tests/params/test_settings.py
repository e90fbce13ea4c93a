"""The settings of a stage: what is written is read again, and what was left out cannot be read."""

import pytest

from pipeline.errors import UserError
from pipeline.params.file import read_params
from pipeline.params.settings import has_settings, read_settings, write_settings
from pipeline.params.train import AugmentParams, TrainParams
from tests.house.imports import ROOT


@pytest.fixture
def train():
    return read_params(ROOT / "params.yaml").train


def test_values_come_back_with_their_types(tmp_path, train):
    write_settings(tmp_path / "train.json", {"train": train})
    found = read_settings(tmp_path / "train.json", "train", TrainParams)
    assert isinstance(found.augment, AugmentParams)
    assert found.augment == train.augment
    assert (found.lr, found.epochs, found.subjects) == (train.lr, train.epochs, train.subjects)
    assert found.model_dump().keys() == train.model_dump().keys() - train.unused()


def test_what_has_no_effect_cannot_be_read(tmp_path, train):
    write_settings(tmp_path / "train.json", {"train": train})
    found = read_settings(tmp_path / "train.json", "train", TrainParams)
    with pytest.raises(AttributeError, match=r"TrainParams\.lifting is read"):
        _ = found.lifting
    changed = found.model_copy(update={"model": "lifting"})
    assert changed.model == "lifting"


def test_a_section_that_is_not_there(tmp_path, train):
    write_settings(tmp_path / "some.json", {"train": train})
    assert has_settings(tmp_path / "some.json", "train")
    assert not has_settings(tmp_path / "some.json", "refine")
    with pytest.raises(UserError, match="has no section refine: it has train"):
        read_settings(tmp_path / "some.json", "refine", TrainParams)
    with pytest.raises(UserError, match="does not exist"):
        read_settings(tmp_path / "none.json", "train", TrainParams)
