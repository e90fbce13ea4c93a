"""The bench's captures are what they say: exact, as noisy as asked, and as spoiled as asked."""

import numpy as np
import pytest

from bench.geometry.simulation import CONFIDENCE, OUTLIER_CONFIDENCE, OUTLIER_PX, Scenes, film, read_motion
from pipeline.skeleton import N_JOINTS
from tests.world.people import people


@pytest.fixture(scope="module")
def motion():
    return [people(120, seed=1), people(80, seed=2)]


def shot(motion, frames=100, seed=0, **seen):
    return film(motion, frames, np.random.default_rng(seed), **{"noise_px": 0.0, "outliers": 0.0, **seen})


def projected(capture):
    in_camera = np.einsum("vij,fnj->fvni", capture.R, capture.joints_world_mm) + capture.t[:, None]
    in_image = np.einsum("vij,fvnj->fvni", capture.K, in_camera)
    assert (in_camera[..., 2] > 0).all()
    return in_image[..., :2] / in_image[..., 2:]


def test_exact_detections_are_the_projection(motion):
    capture = shot(motion)
    assert np.allclose(capture.px, projected(capture), atol=1e-9)
    points_norm = np.concatenate([capture.points_norm, np.ones((*capture.points_norm.shape[:-1], 1))], -1)
    back = np.einsum("vij,fnvj->fvni", capture.K, points_norm)[..., :2]
    assert np.allclose(back, capture.px, atol=1e-9)


def test_people_stay_in_every_image(motion):
    px = shot(motion, 200).px
    assert (px > 0).all()
    assert (px < 1000).all()


def test_noise_is_as_strong_as_asked(motion):
    capture = shot(motion, 200, noise_px=5.0)
    error = capture.px - projected(capture)
    assert abs(error.mean()) < 0.1
    assert error.std() == pytest.approx(5.0, rel=0.02)
    assert capture.noise_px == 5.0


def test_outliers_are_as_many_and_as_far_as_asked(motion):
    capture = shot(motion, 200, outliers=0.1)
    distance = np.linalg.norm(capture.px - projected(capture), axis=-1)
    assert capture.outlier.mean() == pytest.approx(0.1, abs=0.01)
    assert (distance[~capture.outlier] < 1e-9).all()
    assert (distance[capture.outlier] >= OUTLIER_PX[0]).all()
    assert (distance[capture.outlier] <= OUTLIER_PX[1]).all()
    assert capture.confidence[~capture.outlier].min() >= CONFIDENCE[0]
    assert capture.confidence[capture.outlier].max() <= OUTLIER_CONFIDENCE[1]


def test_bones_keep_their_lengths(motion):
    capture = shot(motion)
    thigh = np.linalg.norm(capture.joints_world_mm[:, 1] - capture.joints_world_mm[:, 2], axis=-1)
    assert np.allclose(thigh, thigh[0])


def test_consecutive_frames_are(motion):
    steps = np.cumsum(np.full((300, 1, 1), 1.0), axis=0) * [1, 0, 0] + people(1)
    capture = shot([steps], 50, consecutive=True)
    moved = np.linalg.norm(np.diff(capture.joints_world_mm[:, 0], axis=0), axis=-1)
    assert np.allclose(moved, 1.0)
    scenes = Scenes([motion, [steps]], seed=0)
    assert scenes.with_sequences_of(300).people == [[steps]]
    assert not scenes.with_sequences_of(500).people


def test_scenes_differ_from_each_other_and_not_from_themselves(motion):
    scenes = Scenes([motion], seed=4)
    a, b = scenes.film(2, 5, noise_px=1.0, outliers=0.0)
    again, _ = scenes.film(2, 5, noise_px=1.0, outliers=0.0)
    assert np.array_equal(a.px, again.px)
    assert not np.allclose(a.R, b.R)
    assert np.array_equal(a.first(2).px, a.px[:2])


def test_motion_is_read_by_person(tmp_path):
    sequences = {f"seq_00{i}": np.full((i + 2, N_JOINTS, 3), float(i)) for i in range(3)}
    np.savez(tmp_path / "motion.npz", **sequences, subjects=[7, 8, 7])
    first, second = read_motion(tmp_path / "motion.npz")
    assert [len(sequence) for sequence in first] == [2, 4]
    assert first[1].max() == 2000.0
    assert len(second) == 1


def test_motion_of_another_shape_is_refused(tmp_path):
    np.savez(tmp_path / "motion.npz", seq_000=np.zeros((4, 25, 3)))
    with pytest.raises(SystemExit, match="of shape"):
        read_motion(tmp_path / "motion.npz")
