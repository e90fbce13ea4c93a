"""params.yaml is checked as a whole, what is wrong in it is said by name, and each stage gets what concerns it."""

import json
import re
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.params.file import needs_detector, read_params, read_stage_settings, write_stage_settings

DETECTOR = Path("models/detector.pt")


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
    text = params_file.read_text()
    assert old in text
    params_file.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=re.escape(said)) as error:
        read_params(params_file)
    assert "params.yaml" in str(error.value)


def test_keys_that_do_not_go_together_are_named_without_their_whole_section(params_file):
    text = (
        params_file.read_text().replace("  mode: rig", "  mode: window", 1).replace("focal: exact", "focal: unknown", 1)
    )
    params_file.write_text(text)
    with pytest.raises(UserError) as error:
        read_params(params_file)
    assert error.value.what == "calibrate: focal = unknown needs mode rig or adjust, not window"


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_params(tmp_path / "params.yaml")


def shared(params, folder):
    write_stage_settings(params, DETECTOR, folder)
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("keys", "concerned"),
    [
        ({"train__lr": 2e-3}, {"train"}),
        ({"train__lifting__width": 256}, set()),
        ({"capture__root": "elsewhere"}, set()),
        ({"capture__demo__seed": 7}, {"capture"}),
        ({"calibrate__seed": 7}, {"calibrate", "baseline"}),
        ({"calibrate__mode": "window"}, {"calibrate"}),
        ({"calibrate__baseline__mm": 1.0}, set()),
        ({"triangulate__min_views": 3}, {"triangulate", "baseline"}),
        ({"pretrain__steps": 5}, {"pretrain"}),
        ({"pss__frozen": "other.npz"}, set()),
        ({"refine__sources": ["truth"]}, {"refine_truth"}),
        ({"report__examples": 2}, {"report"}),
    ],
)
def test_a_key_concerns_the_stages_on_which_it_has_an_effect(params, changed, tmp_path, keys, concerned):
    before, after = shared(params, tmp_path / "before"), shared(changed(**keys), tmp_path / "after")
    assert {stage for stage in before if before[stage] != after[stage]} == concerned


@pytest.mark.parametrize(
    ("keys", "needed"),
    [
        ({}, True),
        ({"detect__detector": "mediapipe"}, True),
        ({"detect__detector": "mediapipe", "train__init": "random"}, False),
        ({"detect__detector": "mediapipe", "train__model": "lifting"}, False),
        ({"detect__detector": "mediapipe", "train__weights": "own.pt"}, False),
        ({"detect__weights": "own.pt", "train__weights": "own.pt"}, False),
        ({"train__weights": "own.pt"}, True),
    ],
)
def test_the_detector_is_trained_where_something_reads_its_weights(changed, tmp_path, keys, needed):
    params = changed(**keys)
    assert needs_detector(params, DETECTOR) == needed
    assert bool(shared(params, tmp_path / "settings")["pretrain"]) == needed


def test_a_width_that_is_not_the_detectors_is_refused_before_the_detector_is_trained(changed, tmp_path):
    with pytest.raises(UserError, match=r"train\.width = 16, but the detector .* has pretrain\.width = 32"):
        write_stage_settings(changed(train__width=16), DETECTOR, tmp_path / "settings")
    write_stage_settings(changed(train__width=16, train__init="random"), DETECTOR, tmp_path / "settings")


def test_the_report_reads_what_has_an_effect(changed, tmp_path):
    params = changed(refine__sources=["labels"], calibrate__mode="window")
    write_stage_settings(params, DETECTOR, tmp_path / "settings")
    found = read_stage_settings(tmp_path / "settings")
    assert (found.train.lr, found.report, found.calibrate.mode) == (params.train.lr, params.report, "window")
    assert found.refine.epochs == params.refine.epochs
    assert "lifting" not in found.model_dump()["train"]
