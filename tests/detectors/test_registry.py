"""The registry of detectors: it agrees with the parameters' choices, and loads no more than it must."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pipeline.detectors.protocol import Detector
from pipeline.detectors.registry import DETECTORS, load_detector
from pipeline.errors import UserError
from pipeline.params.detect import DetectParams
from tests.detectors.params import detect_params
from tests.house.imports import SOURCE


def test_the_choices_of_the_parameters_are_the_registered_detectors_and_other_sources():
    assert set(get_args(DetectParams.model_fields["detector"].annotation)) == {*DETECTORS, "files", "gt2d"}


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_has_its_module_and_the_interface(name):
    module, _, cls = DETECTORS[name].partition(":")
    detector = getattr(__import__(module, fromlist=[cls]), cls)
    for member in ("n_landmarks", "provenance", "joint_rules", "background", "detect"):
        assert hasattr(detector, member), f"{DETECTORS[name]} lacks {member} of {Detector.__name__}"


def test_the_code_digest_of_detect_covers_every_detector():
    modules = {target.partition(":")[0] for target in DETECTORS.values()}
    assert modules <= SOURCE.closure("stages.detect")


def test_a_detector_is_imported_only_when_it_is_chosen():
    code = "import sys, pipeline.detectors.registry; print('torch' in sys.modules, 'mediapipe' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "False False\n"


def test_the_named_detector_is_loaded_with_its_weights(tmp_path):
    params = detect_params()
    with pytest.raises(UserError, match=r"none.pt does not exist"):
        load_detector(tmp_path / "none.pt", params)


def test_every_detector_has_a_test_file():
    for target in DETECTORS.values():
        name = target.partition(":")[0].rpartition(".")[2]
        assert (Path(__file__).parent / f"test_{name}.py").exists()
