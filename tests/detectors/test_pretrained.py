"""The detector of the stage `pretrain`: people found and not found, and weights that cannot be used."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.detectors.pretrained import PretrainedDetector
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.images.networks import Architecture, PoseNetwork
from tests.detectors.params import detect_params
from tests.detectors.people import with_person

PARAMS = detect_params()


@pytest.fixture
def weights(tmp_path) -> Path:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    path = tmp_path / "detector.pt"
    save_network(path, PoseNetwork(Architecture("slim", 8, 1)), input_px=64, margin=1.25, trained_on="nothing")
    return path


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
