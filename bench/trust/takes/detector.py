"""A simulated 2D detector whose errors are like those of real ones: shared by landmark, viewpoint, view and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import LIMB_JOINTS, N_JOINTS, joint

UP = np.array([0.0, 0.0, 1.0])
PERSON_MM = 1700.0  # the noise is a share of the size of such a person in the image
# Landmarks beside the joints: the joint that each is attached to, and its place from there in mm, along the person's
# left, forward and up.
FACE = {
    "nose": (0, 100, -90), "l_eye": (32, 85, -60), "r_eye": (-32, 85, -60), "l_ear": (72, 0, -75),
    "r_ear": (-72, 0, -75), "l_mouth": (25, 85, -125), "r_mouth": (-25, 85, -125),
}  # fmt: skip
FEET = {
    f"{side}_{name}": place for side in "lr" for name, place in {"heel": (0, -45, -55), "toe": (0, 150, -65)}.items()
}
# Hands, as a share of the forearm beyond the wrist, and sideways in mm.
HANDS = {"index": (0.35, 0.0), "thumb": (0.2, 35.0)}
N_POINTS = N_JOINTS + len(FACE) + len(FEET) + 2 * len(HANDS)
# The landmarks are the limb joints and all further points; the joints of the trunk are the detector's own.
LANDMARKS = np.array([*LIMB_JOINTS, *range(N_JOINTS, N_POINTS)])


@dataclass(frozen=True)
class Noise:
    """Standard deviations of a coordinate as shares of the person's size in the image.

    Measured on real detections of several views: a median distance of 1.5 to 1.9 %, a correlation of 0.79 after one
    frame at 25 to 30 frames per second and 0.26 after 25, 1 to 2.4 % of the detections beyond 10 %.
    """

    viewpoint: float = 0.008  # of each landmark, a smooth function of the direction from which the body is seen
    view: float = 0.005  # of each landmark in each view, constant
    lasting: float = 0.009  # correlated in time
    white: float = 0.004
    correlation_s: float = 0.8  # time after which the lasting errors have lost two thirds of their correlation
    outliers: float = 0.015  # share of time that a landmark is an outlier in a view
    outlier_size: float = 0.15

    def scaled(self, factor: float) -> "Noise":
        """The noise of a better or worse detector."""
        return Noise(self.viewpoint * factor, self.view * factor, self.lasting * factor, self.white * factor)


@dataclass(frozen=True)
class Detected:
    """Detections of one person: pixels (F, V, P, 2), confidence (F, V, P)."""

    px: np.ndarray
    confidence: np.ndarray


def points_of(joints_mm: np.ndarray) -> np.ndarray:
    """All points (F, P, 3) that the detector marks on people with these joints (F, J, 3): joints, face, feet, hands."""
    left = joints_mm[:, joint("l_hip")] - joints_mm[:, joint("r_hip")]
    left[:, 2] = 0
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    axes = np.stack([left, np.cross(left, UP), np.broadcast_to(UP, left.shape)], 1)  # left, forward, up
    points = [joints_mm[:, joint("head"), None] + np.array(list(FACE.values())) @ axes]
    for name, place in FEET.items():
        points.append((joints_mm[:, joint(f"{name[0]}_ankle")] + np.array(place) @ axes)[:, None])
    for side, sign in (("l", 1.0), ("r", -1.0)):
        wrist = joints_mm[:, joint(f"{side}_wrist")]
        forearm = wrist - joints_mm[:, joint(f"{side}_elbow")]
        points += [(wrist + along * forearm - sign * aside * left)[:, None] for along, aside in HANDS.values()]
    return np.concatenate([joints_mm, *points], 1)


def detect(
    joints_mm: np.ndarray, cameras: Sequence[Camera], noise: Noise, rng: np.random.Generator, fps: float = 25.0
) -> Detected:
    """Detect a person with these joints (F, J, 3) in every camera's image."""
    points = points_of(joints_mm)
    exact = np.stack([camera.project(points) for camera in cameras], 1)
    size = np.stack([_size_px(joints_mm, camera) for camera in cameras], 1)[..., None]
    F, V, P, _ = exact.shape
    kept = float(np.exp(-1 / (noise.correlation_s * fps)))
    error = noise.viewpoint * _by_viewpoint(joints_mm, cameras, rng)
    error += noise.view * rng.normal(size=(1, V, P, 2)) + noise.white * rng.normal(size=error.shape)
    error += noise.lasting * _lasting(error.shape, kept, rng)
    # An outlier lasts for some frames: a lasting variable is beyond the quantile of the share.
    is_outlier = _lasting((F, V, P), 0.8, rng) > ndtri(1 - noise.outliers)
    away = rng.normal(size=(1, V, P, 2))
    away *= noise.outlier_size / np.linalg.norm(away, axis=-1, keepdims=True)
    error += np.where(is_outlier[..., None], away, 0)
    confidence = np.clip(0.9 + 0.08 * _lasting((F, V, P), 0.8, rng), 0.55, 1.0)
    confidence = np.where(is_outlier, rng.uniform(0.2, 0.7, confidence.shape), confidence)
    return Detected(exact + error * size[..., None], confidence)


def box_of(px: np.ndarray, margin: float = 0.05) -> np.ndarray:
    """Boxes (..., 4) around points (..., P, 2), with a margin as a share of the height; NaN without a point."""
    known = np.isfinite(px).all(-1, keepdims=True)
    low = np.where(known, px, np.inf).min(-2)
    high = np.where(known, px, -np.inf).max(-2)
    pad = margin * (high - low)[..., 1:]
    box = np.concatenate([low - pad, high + pad], -1)
    return np.where(np.isfinite(box).all(-1, keepdims=True), box, np.nan)


def _size_px(joints_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """The size (F,) in px of a standing person at the distance of the thorax."""
    depth = camera.to_camera(joints_mm[:, joint("thorax")])[..., 2]
    return PERSON_MM * camera.K[0, 0] / depth


def _by_viewpoint(joints_mm: np.ndarray, cameras: Sequence[Camera], rng: np.random.Generator) -> np.ndarray:
    """Errors (F, V, P, 2) of unit variance that depend on the azimuth from which each landmark's body is seen."""
    left = joints_mm[:, joint("l_shoulder")] - joints_mm[:, joint("r_shoulder")]
    heading = np.arctan2(left[:, 1], left[:, 0])
    centers = np.stack([camera.center_world_mm for camera in cameras])
    away = centers[None, :, :2] - joints_mm[:, None, joint("thorax"), :2]
    azimuth = np.arctan2(away[..., 1], away[..., 0]) - heading[:, None]
    orders = np.arange(4)
    waves = np.stack([np.cos(azimuth[..., None] * orders), np.sin(azimuth[..., None] * orders)], -1)
    return np.einsum("fvkw,kwpx->fvpx", waves, rng.normal(size=(len(orders), 2, N_POINTS, 2))) / np.sqrt(len(orders))


def _lasting(shape: tuple[int, ...], kept: float, rng: np.random.Generator) -> np.ndarray:
    """Normal variables whose correlation falls by the factor `kept` from one frame (first dimension) to the next."""
    values = rng.normal(size=shape)
    for i in range(1, len(values)):
        values[i] = kept * values[i - 1] + np.sqrt(1 - kept**2) * values[i]
    return values
