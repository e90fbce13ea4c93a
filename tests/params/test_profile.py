"""Profiles change values alone, and only keys that there are."""

import re

import pytest

from pipeline.errors import UserError
from pipeline.params.file import read_params
from pipeline.params.profile import apply_profile
from tests.house.imports import ROOT
from tests.params.conftest import FILE


@pytest.mark.parametrize("profile", sorted((ROOT / "profiles").glob("*.yaml")), ids=lambda path: path.stem)
def test_profiles_merge_and_keep_the_comments(profile, params_file):
    apply_profile(profile, params_file)
    assert read_params(params_file) != read_params(FILE)
    comments = re.findall("#.*", FILE.read_text())
    assert re.findall("#.*", params_file.read_text()) == comments


def test_profile_with_an_unknown_key_is_refused(tmp_path, params_file):
    (tmp_path / "wrong.yaml").write_text("train: {epoch: 1}\n")
    with pytest.raises(UserError, match="unknown key epoch"):
        apply_profile(tmp_path / "wrong.yaml", params_file)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("train: {epochs: 0}", r"train.epochs = 0.*params.yaml with the values of .*wrong.yaml"),
        ("train: 3", "train = 3: "),
        ("train: {epochs: {many: 1}}", "unknown key many"),
        ("", "holds None where keys of params.yaml should be"),
        ("[train]", r"holds \['train'\] where keys"),
    ],
)
def test_a_profile_that_is_refused_leaves_the_parameters_as_they_were(profile, said, tmp_path, params_file):
    (tmp_path / "wrong.yaml").write_text(profile)
    before = params_file.read_text()
    with pytest.raises(UserError, match=said):
        apply_profile(tmp_path / "wrong.yaml", params_file)
    assert params_file.read_text() == before
    assert {path.name for path in tmp_path.iterdir()} == {"wrong.yaml", params_file.name}
