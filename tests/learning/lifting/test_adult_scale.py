"""Recordings whose scale nothing fixed come to the size of a mean adult, or are left out."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.learning.lifting.adult_scale import in_adult_size
from pipeline.learning.supervision import target_reader


@pytest.fixture
def training(world, params):
    """Two recordings of one rig, shrunk a hundredfold, whose scale is not known."""
    source = target_reader(params, world.paths)
    recordings = [r for r in read_capture(world.paths.frames).recordings if r.split == "train"]
    return [(recording, shrunk(source(recording))) for recording in recordings]


def shrunk(targets):
    return replace(
        targets, joints_cam_mm=targets.joints_cam_mm / 100, t_cam_from_world_mm=targets.t_cam_from_world_mm / 100,
        has_scale=False,
    )  # fmt: skip


def without_labels(targets):
    return replace(targets, joints_cam_mm=np.full_like(targets.joints_cam_mm, np.nan))


def test_each_recording_has_a_factor_of_its_own(training):
    adult, factors = in_adult_size(training)
    assert list(factors) == ["S0", "S1"]
    for (recording, before), (_, after) in zip(training, adult, strict=True):
        assert after.has_scale
        factor = factors[recording.name]
        np.testing.assert_allclose(after.joints_cam_mm, factor * before.joints_cam_mm)
        np.testing.assert_allclose(after.t_cam_from_world_mm, factor * before.t_cam_from_world_mm)


def test_a_recording_without_bones_takes_the_factor_of_its_rig(training, caplog):
    (first, targets), second = training
    adult, factors = in_adult_size([(first, without_labels(targets)), second])
    assert factors["S0"] == factors["S1"] > 50
    np.testing.assert_allclose(adult[0][1].t_cam_from_world_mm, factors["S1"] * targets.t_cam_from_world_mm)
    assert "Recording S0: too few bones" in caplog.text


def test_a_recording_without_bones_in_a_rig_of_its_own_is_left_out(training, caplog):
    (first, targets), second = training
    apart = first.model_copy(update={"rig": "other"})
    adult, factors = in_adult_size([(apart, without_labels(targets)), second])
    assert [recording.name for recording, _ in adult] == ["S1"]
    assert list(factors) == ["S1"]
    assert "it is left out" in caplog.text
    with pytest.raises(UserError, match="None of 1 training recordings has enough labelled bones"):
        in_adult_size([(apart, without_labels(targets))])


def test_recordings_with_a_scale_stay_as_they_are(training):
    with_scale = [(recording, replace(targets, has_scale=True)) for recording, targets in training]
    adult, factors = in_adult_size(with_scale)
    assert factors == {}
    assert [a is b for (_, a), (_, b) in zip(adult, with_scale, strict=True)] == [True, True]
