"""References of the pose structure score: content, sources, and refused files."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.params.pss import PssParams
from pipeline.pss import (
    Reference,
    clusters,
    fit_references,
    normalised,
    read_reference_alerts,
    read_references,
    write_references,
)
from pipeline.skeleton import JOINTS
from tests.world.capture import turning_people
from tests.world.labels import write_labels
from tests.world.people import N_FRAMES


def params(k=(3, 5), source="truth", frozen=None):
    reference = "frozen" if frozen else "fit"
    return PssParams(reference=reference, frozen=str(frozen), k=list(k), source=source, seed=4)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = turning_people(tmp_path_factory.mktemp("capture"))
    write_labels(world)
    return world


def fit(world, out, **changes):
    fit_references(world.paths.frames, world.paths.labels, world.paths.rigs, out / "pss.npz", params(**changes))
    return read_references(out / "pss.npz")


def test_references_name_their_source(world, tmp_path):
    references = fit(world, tmp_path)
    assert [reference.k for reference in references] == [3, 5]
    metadata = references[1].metadata
    # Two training recordings in the three labelling views, without the test subject and the evaluation view.
    n_poses = 2 * 3 * N_FRAMES
    assert [metadata[key] for key in ("k", "seed", "source", "n_poses")] == [5, 4, "truth", n_poses]
    assert len(metadata["sha256"]) == 64


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
    hashes = [[r.metadata["sha256"] for r in fit(world, tmp_path / str(n))] for n in range(2)]
    assert hashes[0] == hashes[1]
    assert (tmp_path / "0/pss.npz").read_bytes() == (tmp_path / "1/pss.npz").read_bytes()


def test_labels_as_source_leave_out_incomplete_poses(world, tmp_path):
    metadata = fit(world, tmp_path, source="labels")[0].metadata
    assert (metadata["source"], metadata["n_poses"]) == ("labels", 2 * 3 * (N_FRAMES - 1))


@pytest.mark.parametrize("lacking", [{"truth": False}, {"extrinsics": False}])
def test_labels_replace_a_missing_truth(tmp_path, lacking):
    world = turning_people(tmp_path, **lacking)
    write_labels(world)
    assert {reference.metadata["source"] for reference in fit(world, tmp_path)} == {"labels"}


def test_more_clusters_than_poses(world, tmp_path):
    assert [reference.k for reference in fit(world, tmp_path, k=(5, 200))] == [5]
    [alert] = read_reference_alerts(tmp_path / "pss.npz")
    assert alert.kind == "few_poses"
    assert "200 clusters" in alert.message
    assert alert.evidence == "144 of 144 poses have all joints, by the truth"


def test_enough_poses_are_no_alert_and_older_files_have_none(world, tmp_path):
    fit(world, tmp_path)
    path = tmp_path / "pss.npz"
    assert read_reference_alerts(path) == []
    with np.load(path) as file:
        np.savez(path, **{name: file[name] for name in file if name != "alerts"})
    assert read_reference_alerts(path) == []
    assert len(read_references(path)) == 2


def test_without_any_complete_pose_there_is_no_reference(world, tmp_path):
    write_labels(world, scale=np.nan, path=tmp_path / "labels.zarr")
    fit_references(
        world.paths.frames, tmp_path / "labels.zarr", world.paths.rigs, tmp_path / "pss.npz", params(source="labels")
    )
    assert read_references(tmp_path / "pss.npz") == []
    [alert] = read_reference_alerts(tmp_path / "pss.npz")
    assert "3, 5 clusters" in alert.message
    assert alert.evidence.startswith("0 of 144 poses")


def changed(path, tmp_path, **metadata):
    references = [Reference(r.centers, {**r.metadata, **metadata}) for r in read_references(path)]
    write_references(tmp_path / "changed.npz", references)
    return tmp_path / "changed.npz"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"orientation": "upright"}, r"have orientation “upright”; this code has “frame of the camera"),
        ({"size": "as it is"}, r"size “as it is”; this code has “norm 1"),
        ({"centring": "none"}, r"centring “none”; this code has “pelvis"),
        ({"joints": ["nose", "tail"]}, f"joints nose, tail; this code has {', '.join(JOINTS)}"),
    ],
)
def test_references_of_another_normalisation_are_refused_and_both_are_named(world, tmp_path, metadata, message):
    fit(world, tmp_path)
    with pytest.raises(UserError, match=message):
        read_references(changed(tmp_path / "pss.npz", tmp_path, **metadata))


def test_centers_that_were_changed_are_refused(world, tmp_path):
    first, *others = fit(world, tmp_path)
    write_references(tmp_path / "changed.npz", [Reference(first.centers + 1e-3, first.metadata), *others])
    with pytest.raises(UserError, match="SHA-256"):
        read_references(tmp_path / "changed.npz")


def test_a_frozen_reference_is_the_same_whatever_the_footage(world, tmp_path):
    fit(world, tmp_path, k=(3, 5, 7))
    other = turning_people(tmp_path / "other")
    write_labels(other, wrist_mm=200)
    (tmp_path / "other_frozen").mkdir()
    references = fit(other, tmp_path / "other_frozen", k=(5,), source="labels", frozen=tmp_path / "pss.npz")
    before = {reference.k: reference for reference in read_references(tmp_path / "pss.npz")}
    assert [reference.k for reference in references] == [5]
    assert references[0].metadata == before[5].metadata
    np.testing.assert_array_equal(references[0].centers, before[5].centers)


def test_a_frozen_reference_of_another_k(world, tmp_path):
    fit(world, tmp_path)
    with pytest.raises(UserError, match=r"pss\.k = \[3, 9\], but .*pss\.npz has references of k = \[3, 5\]"):
        fit(world, tmp_path / "other", k=(3, 9), frozen=tmp_path / "pss.npz")


def test_a_missing_frozen_reference(world, tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.npz does not exist"):
        fit(world, tmp_path, frozen=tmp_path / "nowhere.npz")


def test_a_folder_may_name_its_only_reference(world, tmp_path):
    fit(world, tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="but holds 0"):
        fit(world, tmp_path / "none", frozen=tmp_path / "folder")
    for name in ("one", "two"):
        (tmp_path / "folder" / f"{name}.npz").write_bytes((tmp_path / "pss.npz").read_bytes())
        if name == "one":
            found = fit(world, tmp_path / "other_frozen", frozen=tmp_path / "folder", source="labels")
    assert found[0].metadata == read_references(tmp_path / "pss.npz")[0].metadata
    with pytest.raises(UserError, match="but holds 2"):
        fit(world, tmp_path / "two", frozen=tmp_path / "folder")


@pytest.mark.parametrize("content", [b"not an archive", b""])
def test_a_file_that_holds_something_else(tmp_path, content):
    (tmp_path / "pss.npz").write_bytes(content)
    with pytest.raises(UserError, match="holds no references"):
        read_references(tmp_path / "pss.npz")


def test_missing_references(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_references(tmp_path / "pss.npz")
