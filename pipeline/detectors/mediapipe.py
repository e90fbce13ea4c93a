"""MediaPipe's BlazePose: a detector of real people; the package contains its weights.

BlazePose: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020.
"""

import hashlib
import importlib
import importlib.metadata
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pipeline.detectors.landmark_names import LANDMARKS
from pipeline.detectors.protocol import Detections
from pipeline.errors import UserError
from pipeline.params.detect import DetectParams
from pipeline.skeleton import JOINTS, N_JOINTS

INSTALL = "Install it with pip install '.[mediapipe]' (Python 3.11 or 3.12), or choose another detect.detector."
WEIGHTS = ("pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite")
N_LANDMARKS = len(LANDMARKS["mediapipe"])
# The image's top-left corner as seen from the centre of its top-left pixel, in x and y; 0 for the visibility.
CORNER = np.array([0.5, 0.5, 0.0])

_SHOULDERS, _HIPS, _EYES, _EARS, _MOUTH = (11, 12), (23, 24), (2, 5), (7, 8), (9, 10)
_LIMBS = {
    "l_shoulder": 11, "r_shoulder": 12, "l_elbow": 13, "r_elbow": 14, "l_wrist": 15, "r_wrist": 16,
    "l_hip": 23, "r_hip": 24, "l_knee": 25, "r_knee": 26, "l_ankle": 27, "r_ankle": 28,
}  # fmt: skip
# BlazePose marks the face and no joints on the trunk. Each of these joints is a weighted sum of midpoints of two
# landmarks: the trunk lies between hips and shoulders, the neck four fifths of the way from the shoulders to the
# mouth, the top of the head above the ears by three quarters of the distance from mouth to eyes.
_MIDPOINTS = {
    "pelvis": {_HIPS: 1.0},
    "spine": {_HIPS: 0.5, _SHOULDERS: 0.5},
    "thorax": {_SHOULDERS: 1.0},
    "neck": {_SHOULDERS: 0.2, _MOUTH: 0.8},
    "head": {_EARS: 1.0, _EYES: 0.75, _MOUTH: -0.75},
}


def _joints_from_landmarks() -> np.ndarray:
    weights = np.zeros((N_JOINTS, N_LANDMARKS))
    for name, landmark in _LIMBS.items():
        weights[JOINTS.index(name), landmark] = 1
    for name, midpoints in _MIDPOINTS.items():
        for pair, weight in midpoints.items():
            weights[JOINTS.index(name), list(pair)] = weight / 2
    return weights


# (17, 33): each joint as a weighted sum of landmarks.
JOINTS_FROM_LANDMARKS = _joints_from_landmarks()


class MediapipeDetector:
    """2D pose of the one person that MediaPipe finds in an image."""

    n_landmarks = N_LANDMARKS

    def __init__(self, weights: Path, params: DetectParams) -> None:
        del weights, params  # the package contains the weights, and images are processed one by one
        library = _library()
        self._version = importlib.metadata.version("mediapipe")
        modules = Path(str(library.__file__)).parent / "modules"
        self._sha256 = hashlib.sha256(b"".join((modules / name).read_bytes() for name in WEIGHTS)).hexdigest()
        with _quiet():
            self._pose = self._checked_solution(library)

    def _checked_solution(self, library: ModuleType) -> Any:
        """The pose solution, run once on an empty image.

        Only a run shows whether MediaPipe is compatible with the other packages. The run also triggers MediaPipe's
        start messages, which are discarded.
        """
        try:
            # Static mode: the video mode smooths over time, so a frame's result would depend on the frames before.
            # Complexity 1 is the only one whose weights are in the package.
            pose = library.solutions.pose.Pose(static_image_mode=True, model_complexity=1)
            pose.process(np.zeros((64, 64, 3), np.uint8))
        except Exception as error:  # an incompatible library may raise any exception
            raise UserError(f"mediapipe {self._version} does not run here: {error}", fix=INSTALL) from None
        return pose

    def provenance(self) -> dict[str, str]:
        """Name, version of the library and hash of its weights."""
        return {"name": "mediapipe", "version": self._version, "sha256": self._sha256}

    def joint_rules(self) -> dict[str, str]:
        """Each joint as a weighted sum of BlazePose's landmarks."""
        return {
            joint: " + ".join(
                name if weight == 1 else f"{weight:.3g} {name}"
                for name, weight in zip(LANDMARKS["mediapipe"], row, strict=True) if weight
            ).replace("+ -", "- ")
            for joint, row in zip(JOINTS, JOINTS_FROM_LANDMARKS, strict=True)
        }  # fmt: skip

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> None:
        """Return None, as MediaPipe uses no background."""
        del clips

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        """Find one person in each of N images; a joint's confidence is the lowest visibility of its landmarks."""
        del background
        landmarks = np.full((len(images), N_LANDMARKS, 3), np.nan)
        for i, image in enumerate(images):
            found = self._pose.process(np.ascontiguousarray(image)).pose_landmarks
            if found is not None:
                # Landmarks are shares of the image's width and height, measured from its top-left corner.
                size = np.array([image.shape[1], image.shape[0], 1.0])
                landmarks[i] = np.array([(mark.x, mark.y, mark.visibility) for mark in found.landmark]) * size - CORNER
        return _as_detections(landmarks)


def _as_detections(landmarks: np.ndarray) -> Detections:
    """Detections of landmarks (N, 33, 3): x, y in pixels and visibility."""
    joints_px = np.einsum("jl,nlc->njc", JOINTS_FROM_LANDMARKS, landmarks[..., :2])
    visibility = np.where(JOINTS_FROM_LANDMARKS != 0, landmarks[:, None, :, 2], 1.0).min(-1)
    confidence = np.nan_to_num(np.clip(visibility, 0, 1))
    box_px = np.concatenate([joints_px.min(1), joints_px.max(1)], -1)
    landmark_confidence = np.nan_to_num(np.clip(landmarks[..., 2], 0, 1))
    return Detections(joints_px, confidence, box_px, landmarks[..., :2], landmark_confidence)


def _library() -> ModuleType:
    # The version of protobuf that MediaPipe needs warns at every image.
    warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype", UserWarning)
    try:
        library = importlib.import_module("mediapipe")
    except ImportError as error:
        raise UserError(f"detect.detector = mediapipe needs the package mediapipe: {error}", fix=INSTALL) from None
    if not hasattr(library, "solutions"):
        version = importlib.metadata.version("mediapipe")
        raise UserError(f"mediapipe {version} comes without its pose solution and its weights", fix=INSTALL)
    return library


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what native code writes to stderr: MediaPipe's start messages are of no use to the user."""
    sys.stderr.flush()
    saved, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)
