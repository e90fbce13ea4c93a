import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pipeline.detectors import pretrained
from pipeline.detectors.pretrained import PretrainedDetector, foreground_box, smoothed
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.images.networks import Architecture, PoseNetwork
from pipeline.params.detect import DetectParams

PARAMS = DetectParams(detector="pretrained", weights="models/detector.pt", batch_size=4)
SIZE = (160, 200, 3)


@pytest.fixture
def weights(tmp_path) -> Path:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    path = tmp_path / "detector.pt"
    save_network(path, PoseNetwork(Architecture("slim", 8, 1)), input_px=64, margin=1.25, trained_on="nothing")
    return path


@pytest.fixture
def room() -> np.ndarray:
    """A still, textured room."""
    noise = np.random.default_rng(0).integers(90, 200, SIZE, np.uint8)
    return cv2.GaussianBlur(noise, (9, 9), 3)


def with_person(room: np.ndarray, left: int, seed: int = 0) -> np.ndarray:
    """A dark, coloured person of 24 x 70 px whose left edge is at `left`, with camera noise."""
    image = room.astype(float) + np.random.default_rng(seed).normal(0, 3, SIZE)
    image[50:120, left : left + 24] = [20, 40, 130]
    return image.clip(0, 255).astype(np.uint8)


def test_the_foreground_is_the_person(room):
    box = foreground_box(with_person(room, 90), smoothed(room))
    np.testing.assert_allclose(box, [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_an_empty_noisy_room_has_no_person(room):
    image = room + np.random.default_rng(1).normal(0, 5, SIZE)
    assert foreground_box(image.clip(0, 255).astype(np.uint8), smoothed(room)) is None


def test_a_shadow_does_not_count(room):
    image = with_person(room, 90).astype(float)
    image[110:150, 120:180] *= 0.65
    box = foreground_box(image.astype(np.uint8), smoothed(room))
    np.testing.assert_allclose(box, [89.5, 49.5, 113.5, 119.5], atol=2.5)


def test_a_person_in_parts_is_one(room):
    """Clothing that looks like the wall behind leaves a gap."""
    image = with_person(room, 90)
    image[80:84] = room[80:84]
    np.testing.assert_allclose(foreground_box(image, smoothed(room)), [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_something_small_far_away_does_not_count(room):
    image = with_person(room, 90)
    image[10:18, 10:18] = 0
    np.testing.assert_allclose(foreground_box(image, smoothed(room)), [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_large_images_are_searched_at_reduced_size(room):
    large, ground = (cv2.resize(x, None, fx=6, fy=6) for x in (with_person(room, 90), room))
    np.testing.assert_allclose(foreground_box(large, smoothed(ground)), 6 * np.array([90, 50, 114, 120]) - 0.5, atol=12)


def test_the_background_is_without_the_person(weights, room):
    """Of all clips: in each one alone the person stands still."""
    clips = [[with_person(room, left, seed=i) for i in range(20)] for left in (10, 60, 120)]
    background = PretrainedDetector(weights, PARAMS).background(clips)
    assert np.abs(background.astype(int) - room).mean() < 1.5


@pytest.mark.parametrize("n", [1, 40])
def test_a_person_who_never_moves_leaves_no_background(weights, room, n):
    clips = [[with_person(room, 60, seed=i) for i in range(n)]]
    assert PretrainedDetector(weights, PARAMS).background(clips) is None


def test_frames_are_sampled_evenly_over_all_clips():
    clips = [list(range(100)), [], list(range(100, 150))]
    sampled = pretrained._sample(clips, 16)
    assert len(sampled) == 16
    assert (sampled[0], sampled[-1]) == (0, 149)
    assert np.ptp(np.diff(sampled)) <= 1


def test_no_person_is_nan_and_the_others_are_not_moved(weights, room):
    detector = PretrainedDetector(weights, PARAMS)
    both = detector.detect([with_person(room, 30), room, with_person(room, 120)], room)
    assert np.isnan(both.joints_px[1]).all()
    assert np.isnan(both.box_px[1]).all()
    assert (both.confidence[1] == 0).all()
    assert np.isfinite(both.joints_px[[0, 2]]).all()
    assert ((both.confidence[[0, 2]] > 0) & (both.confidence[[0, 2]] <= 1)).all()
    alone = detector.detect([with_person(room, 120)], room)
    np.testing.assert_allclose(alone.joints_px[0], both.joints_px[2], atol=1e-3)
    np.testing.assert_allclose(both.joints_px[2].mean(0), [132, 85], atol=45)


def test_no_images(weights, room):
    assert PretrainedDetector(weights, PARAMS).detect([], room).joints_px.shape == (0, 17, 2)


def test_without_background_the_whole_image_is_searched(weights, room):
    found = PretrainedDetector(weights, PARAMS).detect([with_person(room, 30)], None)
    assert np.isfinite(found.joints_px).all()
    assert np.isfinite(found.box_px).all()


def test_provenance_names_the_weights(weights):
    provenance = PretrainedDetector(weights, PARAMS).provenance()
    assert provenance["name"] == "pretrained"
    assert provenance["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_missing_weights(tmp_path):
    with pytest.raises(UserError, match=r"none\.pt does not exist"):
        PretrainedDetector(tmp_path / "none.pt", PARAMS)


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x02garbage"])
def test_damaged_weights(tmp_path, content):
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as weights"):
        PretrainedDetector(path, PARAMS)


def test_truncated_weights(weights):
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(UserError, match="cannot be read as weights"):
        PretrainedDetector(weights, PARAMS)


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


def test_weights_that_would_run_code_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"version": 1, "weights": Trap()}, "trap.pt")
    with pytest.raises(UserError, match="cannot be read as weights"):
        PretrainedDetector(Path("trap.pt"), PARAMS)
    assert not Path("sprung").exists()


def test_a_file_of_something_else(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="not a checkpoint of this pipeline"):
        PretrainedDetector(tmp_path / "other.pt", PARAMS)
