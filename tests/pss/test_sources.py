"""The poses that references are fitted on."""

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.pss.sources import draw_poses, has_truth, labels_and_truth
from pipeline.skeleton import joint
from pipeline.truth import open_truth
from tests.world.capture import turning_people
from tests.world.labels import write_labels
from tests.world.people import N_FRAMES


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = turning_people(tmp_path_factory.mktemp("capture"))
    write_labels(world)
    return world


def test_long_captures_are_sampled_evenly(world, monkeypatch):
    capture = read_capture(world.paths.frames)
    monkeypatch.setattr("pipeline.pss.sources.MAX_POSES", 60)
    truth = open_truth(world.paths.truth, world.paths.labels, world.paths.rigs)
    drawn = [draw_poses(capture, truth, world.paths.labels, seed) for seed in range(50)]
    assert 50 < np.mean([len(poses) for poses in drawn]) < 70  # of 144
    different = {pose.tobytes() for poses in drawn for pose in poses}
    assert len(different) == 2 * 3 * N_FRAMES


def test_labels_and_truth_are_pairs(world):
    labels, true = labels_and_truth(world.paths.frames, world.paths.labels, world.paths.rigs)
    assert len(labels) == len(true) == 2 * 3 * N_FRAMES
    errors = np.linalg.norm(labels - true, axis=-1)
    np.testing.assert_allclose(errors[:, joint("l_wrist")], 17, atol=0.1)
    assert np.nanmax(np.delete(errors, joint("l_wrist"), axis=1)) < 0.1


@pytest.mark.parametrize("lacking", [{"truth": False}, {"extrinsics": False}])
def test_truth_needs_joints_and_cameras(tmp_path, lacking):
    world = turning_people(tmp_path, **lacking)
    write_labels(world)
    truth = open_truth(world.paths.truth, world.paths.labels, world.paths.rigs)
    assert not has_truth(read_capture(world.paths.frames), truth)
    with pytest.raises(UserError, match="no truth"):
        labels_and_truth(world.paths.frames, tmp_path / "data/labels.zarr", world.paths.rigs)
