"""The pose structure score: what its references hold, and what it tells apart."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.errors import UserError
from pipeline.params import StructureParams
from pipeline.skeleton import N_JOINTS, joint
from pipeline.structure import Reference, clusters, fit_references, normalised, pss, read_references
from tests.report.synthetic_capture import N_FRAMES, make_capture, standing, write_labels


def params(k=(3, 5), source="truth"):
    return StructureParams(k=list(k), source=source, seed=4)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = make_capture(tmp_path_factory.mktemp("capture"))
    write_labels(world)
    return world


def fit(world, out, **changes):
    fit_references(world.frames, world.root / "data/labels.zarr", out / "structure.npz", params(**changes))
    return read_references(out / "structure.npz")


def four_ways():
    """A standing person who faces four ways, (4, joint, 3), root somewhere."""
    turns = Rotation.from_rotvec([[0, 0, a] for a in np.radians([0, 90, 180, 270])]).as_matrix()
    return np.einsum("fij,kj->fki", turns, standing()) + 77.0


def test_normalised_by_hand():
    pose = np.full((N_JOINTS, 3), 5.0)
    pose[joint("head")] += [30, 40, 0]
    expected = np.zeros((N_JOINTS, 3))
    expected[joint("head")] = [0.6, 0.8, 0]
    np.testing.assert_allclose(normalised(pose), expected)
    assert np.isnan(normalised(np.zeros((N_JOINTS, 3)))).all()


def test_structure_forgives_place_and_size_but_not_orientation():
    poses = four_ways()
    reference = Reference(normalised(poses), {})
    np.testing.assert_array_equal(clusters(reference, poses), range(4))
    np.testing.assert_array_equal(pss(reference, poses * 0.5 + 300, poses), 1)
    np.testing.assert_array_equal(pss(reference, poses[[0, 2, 1, 3]], poses), [1, 0, 0, 1])


def test_incomplete_poses_have_no_score():
    poses = four_ways()
    reference = Reference(normalised(poses), {})
    predicted, true = poses.copy(), poses.copy()
    predicted[0, joint("head")] = np.nan
    true[2, joint("l_knee")] = np.nan
    np.testing.assert_array_equal(pss(reference, predicted, true), [np.nan, 1, np.nan, 1])


def test_any_leading_shape_and_many_poses():
    poses = np.broadcast_to(four_ways(), (40000, 4, N_JOINTS, 3))[:, :2]
    assert clusters(Reference(normalised(four_ways()), {}), poses).shape == (40000, 2)


def test_another_skeleton_is_refused():
    with pytest.raises(ValueError, match=r"\(14, 3\).*\(17, 3\)"):
        clusters(Reference(normalised(four_ways()), {}), np.zeros((2, 14, 3)))


def test_references_say_where_they_come_from(world, tmp_path):
    references = fit(world, tmp_path)
    assert [reference.k for reference in references] == [3, 5]
    about = references[1].about
    # Two training recordings in the three labelling views: neither the test subject nor the evaluation view.
    assert (about["k"], about["seed"], about["source"], about["n_poses"]) == (5, 4, "truth", 2 * 3 * N_FRAMES)
    assert len(about["sha256"]) == 64


def test_centers_are_means_of_training_poses(world, tmp_path):
    (reference,) = fit(world, tmp_path, k=(4,))
    poses = np.concatenate([
        normalised(camera.to_camera(world.joints_world_mm[name]))
        for name in ("S1-turning", "S2-turning") for camera in world.cameras[:3]
    ])  # fmt: skip
    found = clusters(reference, poses)
    means = [poses[found == c].mean(0) for c in range(4)]
    np.testing.assert_allclose(reference.centers, means, atol=2e-4)


def test_same_seed_same_references(world, tmp_path):
    hashes = [[r.about["sha256"] for r in fit(world, tmp_path / str(n))] for n in range(2)]
    assert hashes[0] == hashes[1]
    assert (tmp_path / "0/structure.npz").read_bytes() == (tmp_path / "1/structure.npz").read_bytes()


def test_labels_as_source_leave_out_incomplete_poses(world, tmp_path):
    about = fit(world, tmp_path, source="labels")[0].about
    assert (about["source"], about["n_poses"]) == ("labels", 2 * 3 * (N_FRAMES - 1))


@pytest.mark.parametrize("lacking", [{"truth": False}, {"extrinsics": False}])
def test_labels_stand_in_for_a_missing_truth(tmp_path, lacking):
    world = make_capture(tmp_path, **lacking)
    write_labels(world)
    assert {reference.about["source"] for reference in fit(world, tmp_path)} == {"labels"}


def test_more_clusters_than_poses(world, tmp_path):
    with pytest.raises(UserError, match=r"structure\.k = 200 is more than the 144"):
        fit(world, tmp_path, k=(5, 200))
    assert not (tmp_path / "structure.npz").exists()


def test_references_of_another_normalisation_are_refused(world, tmp_path, monkeypatch):
    fit(world, tmp_path)
    monkeypatch.setattr("pipeline.structure.NORMALISATION", "upright")
    with pytest.raises(UserError, match=r"root-centred.*upright"):
        read_references(tmp_path / "structure.npz")


def test_missing_references(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_references(tmp_path / "structure.npz")
