"""params.yaml and its typed mirror agree, and what is wrong in it is said by name."""

import re
import shutil
from itertools import pairwise

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.params.file import Params, read_params
from pipeline.params.profile import apply_profile
from tests.house.imports import ROOT

FILE = ROOT / "params.yaml"


@pytest.fixture
def params_file(tmp_path):
    return shutil.copy(FILE, tmp_path / "params.yaml")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def keys(model, prefix=""):
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_file_has_exactly_the_declared_keys():
    def flat(tree, prefix=""):
        for name, value in tree.items():
            yield from flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]

    assert sorted(flat(YAML(typ="safe").load(FILE))) == sorted(keys(Params))


def test_every_key_has_a_comment():
    lines = FILE.read_text().splitlines()
    bare = [
        line.strip()
        for above, line in pairwise(lines)
        if re.match(r" +\w+:", line) and not above.strip().startswith("#") and not line.rstrip().endswith(":")
    ]
    assert not bare, f"Say above each key what it does, with its unit: {bare}"


def test_numbers_are_read_as_dvc_reads_them(params_file):
    params_file.write_text(re.sub(r"lr: .*", "lr: 1e-3", params_file.read_text()))
    assert read_params(params_file).train.lr == 0.001


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  source: demo", "  source: tape", "capture.source = 'tape'"),
        ("  every_n_frames: 1", "  every_n_frames: 0", "frames.every_n_frames = 0"),
        ("  strict: false", "  strict: false\n  stirct: true", "unknown key frames.stirct"),
        ("  detector: pretrained\n", "", "detect.detector is missing"),
        ("  flip_test: true", "  flip_test: [", "is not YAML"),
        ("  mode: rig", "  mode: 3", "calibrate.mode = 3"),
        ("  intrinsics: file", "  intrinsics: assumed", "capture.intrinsics = assumed needs calibrate.focal = unknown"),
    ],
)
def test_errors_name_the_key_and_its_value(params_file, old, new, said):
    edit(params_file, old, new)
    with pytest.raises(UserError, match=re.escape(said)) as error:
        read_params(params_file)
    assert "params.yaml" in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_params(tmp_path / "params.yaml")


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
