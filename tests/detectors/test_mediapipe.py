"""MediaPipe finds rendered people; every joint is made of the landmarks it should be made of."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.datasets.demo import make_clip, make_world
from pipeline.detectors import mediapipe as module
from pipeline.detectors.mediapipe import JOINTS_FROM_LANDMARKS, MediapipeDetector
from pipeline.errors import UserError
from pipeline.params.capture import DemoParams
from pipeline.skeleton import JOINTS, LIMB_JOINTS, MIRROR
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.scene import SensorModel, draw_grain, prepare_view, render, render_background
from tests.detectors.params import detect_params

PARAMS = detect_params(detector="mediapipe")
NO_WEIGHTS = Path("none.pt")
SIDE = 320
# Where BlazePose's landmarks mirror each other: nose alone, then eyes and mouth, then pairs from the ears on.
LANDMARK_MIRROR = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + 1 if i % 2 else i - 1 for i in range(11, 33))]


@pytest.fixture(scope="module")
def detector() -> MediapipeDetector:
    pytest.importorskip("mediapipe")
    return MediapipeDetector(NO_WEIGHTS, PARAMS)


@pytest.fixture(scope="module")
def people() -> tuple[list[np.ndarray], np.ndarray]:
    """Rendered images of a walking person, seen by two cameras, and the true joints in pixels."""
    demo = DemoParams(subjects=2, seconds=4.0, fps=5.0, size_px=SIDE, seed=1)
    room, cameras = make_world(demo)
    person, clip = make_clip(demo, "S1_walk", "S1", "walk")
    parts, paint = make_parts(person, clip.bodies)
    lens, images, joints = SensorModel(blur_px=0.5, gain=1.0, gamma=0.75), [], []
    grain = draw_grain(np.random.default_rng(0), SIDE, 2.0)
    for camera in cameras[:2]:
        stage = prepare_view(room, camera)
        empty = render_background(stage, lens)
        for i in (0, 4, 8):
            images.append(render(stage, parts[i], paint, lens, grain, empty))
            joints.append(camera.project(clip.bodies.joints_mm[i]))
    return images, np.array(joints)


def test_finds_rendered_people_near_the_truth(detector, people):
    images, truth = people
    found = detector.detect(images, None)
    seen = np.isfinite(found.joints_px).all((1, 2))
    assert seen.mean() > 0.6
    height = np.ptp(truth[..., 1], axis=1)[:, None]
    error = np.linalg.norm(found.joints_px - truth, axis=-1) / height
    assert np.nanmedian(error[:, LIMB_JOINTS]) < 0.04
    # The joints that MediaPipe does not have lie near the true ones, too.
    assert np.nanmedian(error, axis=0).max() < 0.1
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert (found.confidence[seen].mean(1) > 0.5).all()


def test_the_box_holds_the_joints(detector, people):
    found = detector.detect(people[0], None)
    seen = np.isfinite(found.box_px).all(1)
    np.testing.assert_allclose(found.box_px[seen, :2], found.joints_px[seen].min(1))
    np.testing.assert_allclose(found.box_px[seen, 2:], found.joints_px[seen].max(1))


def test_an_empty_image_has_nobody(detector):
    found = detector.detect([np.full((200, 300, 3), 90, np.uint8)], None)
    assert np.isnan(found.joints_px).all()
    assert np.isnan(found.box_px).all()
    assert (found.confidence == 0).all()
    assert np.isnan(found.landmarks_px).all()
    assert found.landmark_confidence.shape == (1, 33)


def test_the_landmarks_are_kept(detector, people):
    found = detector.detect(people[0][:2], None)
    assert found.landmarks_px.shape == (2, detector.n_landmarks, 2)
    joints = np.einsum("jl,nlc->njc", JOINTS_FROM_LANDMARKS, found.landmarks_px)
    np.testing.assert_allclose(joints, found.joints_px)
    assert ((found.landmark_confidence >= 0) & (found.landmark_confidence <= 1)).all()


def test_no_images_give_no_detections(detector):
    found = detector.detect([], None)
    assert (found.joints_px.shape, found.confidence.shape, found.box_px.shape) == ((0, 17, 2), (0, 17), (0, 4))


def test_an_image_gives_the_same_result_whatever_came_before(detector, people):
    images = people[0]
    alone = [detector.detect([image], None).joints_px[0] for image in reversed(images)][::-1]
    np.testing.assert_array_equal(detector.detect(images, None).joints_px, alone)


def test_images_that_are_not_contiguous_are_fine(detector, people):
    image = people[0][0]
    wide = np.concatenate([image, image], axis=1)
    np.testing.assert_array_equal(
        detector.detect([wide[:, : image.shape[1]]], None).joints_px, detector.detect([image], None).joints_px
    )


def test_provenance_names_library_and_weights(detector):
    metadata = detector.provenance()
    assert metadata["name"] == "mediapipe"
    assert metadata["version"] == importlib.metadata.version("mediapipe")
    assert len(metadata["sha256"]) == 64


def test_the_rules_of_the_joints_name_the_landmarks(detector):
    rules = detector.joint_rules()
    assert list(rules) == list(JOINTS)
    assert rules["l_knee"] == "left knee"
    assert rules["pelvis"] == "0.5 left hip + 0.5 right hip"


def test_building_it_is_quiet(detector, capfd):
    MediapipeDetector(NO_WEIGHTS, PARAMS)
    assert capfd.readouterr().err == ""


def test_weights_of_every_joint_sum_to_one_and_mirror():
    np.testing.assert_allclose(JOINTS_FROM_LANDMARKS.sum(1), 1)
    np.testing.assert_allclose(JOINTS_FROM_LANDMARKS[MIRROR][:, LANDMARK_MIRROR], JOINTS_FROM_LANDMARKS)


def test_trunk_lies_between_hips_and_shoulders():
    marks = np.zeros((1, 33, 3))
    marks[0, [23, 24], :2] = [[110, 200], [90, 200]]
    marks[0, [11, 12], :2] = [[120, 100], [80, 100]]
    marks[..., 2] = 0.9
    marks[0, 24, 2] = 0.4
    found = module._as_detections(marks)
    at = {name: found.joints_px[0, j].tolist() for j, name in enumerate(JOINTS)}
    assert (at["pelvis"], at["spine"], at["thorax"]) == ([100, 200], [100, 150], [100, 100])
    # A joint has the confidence of its least confident landmark.
    sure = dict(zip(JOINTS, found.confidence[0], strict=True))
    assert (sure["pelvis"], sure["spine"], sure["thorax"], sure["r_hip"], sure["l_hip"]) == (0.4, 0.4, 0.9, 0.4, 0.9)


def missing(name: str):
    raise ModuleNotFoundError(f"No module named {name!r}")


class NewerMediapipe:
    """A release without the solutions."""

    def __init__(self, name: str) -> None:
        pass


class BrokenMediapipe:
    """An installation whose pose solution fails, as beside a protobuf that is too new."""

    def __init__(self, name: str) -> None:
        self.__file__ = importlib.util.find_spec("mediapipe").origin
        self.solutions = self.pose = self

    def Pose(self, **options):
        raise AttributeError("FieldDescriptor has no attribute 'label'")


@pytest.mark.parametrize(
    ("library", "message"),
    [
        (missing, r"needs the package mediapipe.*pip install '.\[mediapipe\]'"),
        (NewerMediapipe, r"without its pose solution.*pip install"),
        (BrokenMediapipe, r"does not run here: FieldDescriptor.*pip install"),
    ],
)
def test_a_missing_or_unfit_library_is_refused_with_what_to_install(monkeypatch, library, message):
    if library is not missing:
        pytest.importorskip("mediapipe")
    monkeypatch.setattr(module.importlib, "import_module", library)
    with pytest.raises(UserError, match=message):
        MediapipeDetector(NO_WEIGHTS, PARAMS)
