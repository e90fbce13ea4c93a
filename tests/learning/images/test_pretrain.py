import csv
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.detectors.crop_detector import CropDetector
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.images.crops import Crop
from pipeline.learning.images.networks import PoseNetwork
from pipeline.learning.images.pretrain import LEFT_JOINTS, mirrored_joints, train_detector, validation_error_percent
from pipeline.params.pretrain import PretrainParams
from pipeline.skeleton import JOINTS, MIRROR
from tests.world.cameras import STICK_FIGURE_SIZE_PX as SIZE_PX
from tests.world.frames import draw_person
from tests.world.people import stick_figures

PARAMS = PretrainParams(
    images=60,
    input_px=64,
    width=8,
    steps=90,
    batch_size=8,
    lr=5e-3,
    warm_up=0.05,
    weight_decay=0.01,
    clip_grad_norm=5.0,
    seed=1,
)


@dataclass
class Images:
    images: np.ndarray
    joints_px: np.ndarray
    visible: np.ndarray


@pytest.fixture(scope="module")
def sticks() -> Images:
    """Stick figures whose box fills two thirds of the image."""
    poses = stick_figures(np.random.default_rng(2), 60)[..., :2]
    low, high = poses.min(1, keepdims=True), poses.max(1, keepdims=True)
    joints = (poses - (low + high) / 2) / (high - low).max(2, keepdims=True) * SIZE_PX / 1.5 + SIZE_PX / 2 - 0.5
    return Images(np.stack([draw_person(j) for j in joints]), joints, np.ones((60, 17), bool))


def test_it_learns_and_writes_a_detector_that_can_be_used(sticks, tmp_path):
    train_detector(sticks, PARAMS, tmp_path / "d.pt", tmp_path / "c.csv")
    rows = list(csv.DictReader((tmp_path / "c.csv").open()))
    errors = [float(row["val_error_percent"]) for row in rows]
    assert int(rows[-1]["step"]) == PARAMS.steps
    assert float(rows[-1]["loss"]) < 0.9 * float(rows[0]["loss"])
    assert errors[-1] < 0.8 * errors[0]
    detector = CropDetector.load(tmp_path / "d.pt")
    assert (detector.input_px, detector.network.architecture.width) == (64, 8)
    crops = [Crop(np.full(2, SIZE_PX / 2 - 0.5), SIZE_PX / 1.2)] * 5
    joints, confidence = detector.detect(list(sticks.images[:5]), crops, batch_size=2)
    assert joints.shape == (5, 17, 2)
    assert ((confidence > 0) & (confidence <= 1)).all()
    # Head above ankles: the picture is the right way up, in the image's pixels.
    assert (joints[:, JOINTS.index("head"), 1] < joints[:, JOINTS.index("l_ankle"), 1] - 20).all()


def test_the_same_seed_gives_the_same_weights(sticks, tmp_path):
    short = PARAMS.model_copy(update={"steps": 6})
    for name in ("a", "b"):
        train_detector(sticks, short, tmp_path / f"{name}.pt", tmp_path / f"{name}.csv")
    a, b = (load_network(tmp_path / f"{name}.pt", PoseNetwork)[0].state_dict() for name in ("a", "b"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_validation_images_are_not_trained_on(sticks, tmp_path):
    """Change the validation images: the weights stay the same, the validation error does not."""
    short = PARAMS.model_copy(update={"steps": 6})
    train_detector(sticks, short, tmp_path / "a.pt", tmp_path / "a.csv")
    images = sticks.images.copy()
    images[:2] = 0
    train_detector(Images(images, sticks.joints_px, sticks.visible), short, tmp_path / "b.pt", tmp_path / "b.csv")
    a, b = (load_network(tmp_path / f"{name}.pt", PoseNetwork)[0].state_dict() for name in ("a", "b"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert (tmp_path / "a.csv").read_text() != (tmp_path / "b.csv").read_text()


def test_too_few_images(sticks, tmp_path):
    few = Images(sticks.images[:5], sticks.joints_px[:5], sticks.visible[:5])
    with pytest.raises(UserError, match="5 images are too few for batches of 8"):
        train_detector(few, PARAMS, tmp_path / "d.pt", tmp_path / "c.csv")
    assert not list(tmp_path.iterdir())


def test_a_mirrored_left_hand_is_a_right_hand():
    joints = np.arange(34.0).reshape(17, 2)
    np.testing.assert_array_equal(mirrored_joints(joints, Crop(np.zeros(2), 1.0)), joints)
    mirrored = mirrored_joints(joints, Crop(np.zeros(2), 1.0, mirrored=True))
    np.testing.assert_array_equal(mirrored[JOINTS.index("l_wrist")], joints[JOINTS.index("r_wrist")])
    np.testing.assert_array_equal(mirrored[JOINTS.index("head")], joints[JOINTS.index("head")])


def test_side_differences_are_left_minus_right():
    assert [JOINTS[j] for j in LEFT_JOINTS] == ["l_hip", "l_knee", "l_ankle", "l_shoulder", "l_elbow", "l_wrist"]
    assert [JOINTS[MIRROR[j]] for j in LEFT_JOINTS] == [JOINTS[j].replace("l_", "r_") for j in LEFT_JOINTS]


class Constant(torch.nn.Module):
    """Says every joint is in the middle of the crop."""

    def forward(self, images):
        return torch.zeros(len(images), 17, 1, 4, 4)


def test_the_validation_error_is_in_percent_of_the_box():
    """A box of 40 px; every joint is 20 px from its middle, but one that cannot be seen is further away."""
    joints = np.full((1, 17, 2), 40.0)
    joints[0, ::2, 0], joints[0, 1::2, 0] = 20, 60
    visible = np.ones((1, 17), bool)
    data = Images(np.zeros((1, 80, 80, 3), np.uint8), joints, visible)
    assert validation_error_percent(Constant(), data, np.array([0]), 32, torch.device("cpu")) == pytest.approx(
        50, abs=1e-3
    )
