"""The registry of sources: it agrees with the parameters' choices, and leaves nothing half-written."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pipeline.datasets.registry import READERS, read_footage
from pipeline.errors import UserError
from pipeline.params.capture import CaptureParams
from tests.datasets.footage import footage, params
from tests.house.imports import SOURCE


def test_the_choices_of_the_parameters_are_the_registered_sources():
    assert set(get_args(CaptureParams.model_fields["source"].annotation)) == set(READERS)


def test_the_code_digest_of_capture_covers_every_source():
    assert {target.partition(":")[0] for target in READERS.values()} <= SOURCE.closure("stages.capture")


@pytest.mark.parametrize("target", READERS.values())
def test_every_source_has_its_function_and_its_tests(target):
    module, _, name = target.partition(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))
    assert (Path(__file__).parent / f"test_{module.rpartition('.')[2]}.py").exists()


def test_a_source_is_imported_only_when_it_is_chosen():
    code = "import sys, pipeline.datasets.registry; print('numba' in sys.modules, 'cv2' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "False False\n"


def test_the_chosen_source_is_read(tmp_path):
    read_footage(params(), footage(tmp_path), tmp_path / "capture")
    assert (tmp_path / "capture" / "manifest.json").exists()


def test_footage_that_cannot_be_used_leaves_no_capture(tmp_path):
    with pytest.raises(UserError, match="none does not exist"):
        read_footage(params(), tmp_path / "none", tmp_path / "capture")
    assert not list(tmp_path.iterdir())
