"""The parameters of the footage: the axes of files of truth are rotations, and ignored keys are not read."""

import pytest
from pydantic import ValidationError

from pipeline.params.capture import CaptureParams
from pipeline.params.settings import read_settings, write_settings


@pytest.mark.parametrize("axes", ["xyz", "zxy", "x-zy", "-x-yz", "z-yx"])
def test_right_handed_axes_are_taken(changed, axes):
    assert changed(capture__truth__axes=axes).capture.truth.axes == axes


@pytest.mark.parametrize("axes", ["xzy", "xyx", "xy-z", "xyzx", "abc", "-x-y-z", ""])
def test_mirrored_and_other_axes_are_refused(changed, axes):
    with pytest.raises(ValidationError, match="axes"):
        changed(capture__truth__axes=axes)


@pytest.mark.parametrize(
    ("coordinates", "kept"),
    [
        ("none", {"coordinates"}), ("world", {"coordinates", "axes", "start_s"}),
        ("camera", {"coordinates", "camera", "axes", "start_s"}), ("aligned", {"coordinates", "start_s"}),
    ],
)  # fmt: skip
def test_keys_without_effect_are_left_out(changed, tmp_path, coordinates, kept):
    params = changed(capture__source="videos", capture__truth__coordinates=coordinates)
    write_settings(tmp_path / "capture.json", {"capture": params.capture})
    truth = read_settings(tmp_path / "capture.json", "capture", CaptureParams).truth
    assert set(truth.model_dump()) == kept


def test_the_demo_reads_no_files_of_truth(changed, tmp_path):
    write_settings(tmp_path / "capture.json", {"capture": changed(capture__truth__coordinates="world").capture})
    with pytest.raises(AttributeError, match="truth"):
        _ = read_settings(tmp_path / "capture.json", "capture", CaptureParams).truth
