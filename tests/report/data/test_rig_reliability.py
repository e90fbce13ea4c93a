"""Stated and found errors of rigs."""

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.report.data.rig_reliability import StatedRig, rig_reliability
from pipeline.stores import RIGS, open_store
from tests.world.capture import turning_people
from tests.world.rigs import write_rigs


def found(root, **rig):
    world = turning_people(root)
    write_rigs(world, **rig)
    rigs = open_store(world.paths.rigs, RIGS)
    return rig_reliability(read_capture(world.paths.frames), rigs), rigs


def test_a_rotated_camera_is_found_beside_what_is_stated(tmp_path):
    rows, rigs = found(tmp_path, rotated_deg=3.0)
    by_quantity = {row.quantity: row for row in rows}
    rotation = by_quantity["rotation"]
    # The alignment leaves 2, 1 and 1 degrees.
    assert rotation.found == pytest.approx(np.sqrt(2), rel=0.01)
    stated = rigs["S1-turning"]["rotation_std_deg"][0, :3]
    assert rotation.stated == pytest.approx(np.sqrt(np.mean(stated**2)))
    assert rotation.ratio == pytest.approx(rotation.found / rotation.stated)
    exact = {row.quantity: row for row in found(tmp_path / "exact")[0]}
    assert exact["rotation"].found == pytest.approx(0, abs=1e-3)
    assert exact["centre"].found == pytest.approx(0, abs=0.1)
    assert by_quantity["centre"].found > 10  # the mean rotation moves all centres


def test_the_scale_is_compared_if_its_uncertainty_is_known(tmp_path):
    [scale] = [row for row in found(tmp_path, scale=1.1, scale_std=0.05)[0] if row.quantity == "scale"][:1]
    assert scale.found == pytest.approx(10, abs=0.01)
    assert scale.ratio == pytest.approx(2, abs=0.01)
    rows, _ = found(tmp_path / "unknown", scale=1.1, scale_std=None)
    assert not [row for row in rows if row.quantity == "scale"]


def test_rigs_of_frames_and_footage_without_extrinsics_have_none(tmp_path):
    assert not found(tmp_path, per_frame=True)[0]
    world = turning_people(tmp_path / "bare", extrinsics=False)
    write_rigs(world)
    assert not rig_reliability(read_capture(world.paths.frames), open_store(world.paths.rigs, RIGS))


def test_the_largest_stated_uncertainty_of_any_rig_is_told(tmp_path):
    stated = StatedRig.of(found(tmp_path, scale_std=0.05)[1])
    assert stated.rotation_deg == pytest.approx(0.1)
    assert stated.center_mm == pytest.approx(2.0)
    assert stated.scale_percent == pytest.approx(5)
    assert not stated.is_given
    of_frames = StatedRig.of(found(tmp_path / "frames", per_frame=True, scale_std=None)[1])
    assert of_frames.rotation_deg == pytest.approx(0.1)
    assert np.isnan(of_frames.scale_percent)
    assert StatedRig.of(found(tmp_path / "known", mode="known")[1]).is_given
