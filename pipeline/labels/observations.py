"""The detections of a recording as input of the geometry: normalised image points and their standard deviations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation.left_right import swap_left_right
from pipeline.stores import POSES2D, CameraRecord, Detections, open_store

# Standard deviation of a detected joint as a share of the person's height in the image, before it is estimated.
EXPECTED_NOISE = 0.02
CONFIDENCE_FLOOR = 0.05
# A detection outside the picture is a guess. So are most of those within this many expected standard deviations of its
# border: there the detector marks what it no longer sees.
OUTSIDE_SIGMAS = 2.0
# Farther inside, up to this distance, the standard deviation grows with what is missing to full confidence.
BORDER_SIGMAS, BORDER_GROWTH = 8.0, 8.0
# At most this many evenly spread frames of a pool of recordings are read.
FRAMES_PER_POOL = 4000


@dataclass(frozen=True)
class Observations:
    """Undistorted detections of one person in some frames; views that are for evaluation only have no observations."""

    points_norm: np.ndarray  # (F, J, V, 2) normalised image coordinates
    sigma: np.ndarray  # (F, J, V) expected standard deviation, same unit; infinite: not seen
    confidence: np.ndarray  # (F, J, V) of the detector; NaN: no joint found
    height: np.ndarray  # (F, 1, V) of the person's box, same unit
    focal_px: np.ndarray  # (V,)

    def taken(self, frames: np.ndarray) -> "Observations":
        """The observations of some frames."""
        arrays = {name: getattr(self, name)[frames] for name in ("points_norm", "sigma", "confidence", "height")}
        return replace(self, **arrays)

    def scale_focal(self, factors: np.ndarray) -> "Observations":
        """The same observations after the focal lengths are multiplied by factors (V,)."""
        arrays = {name: getattr(self, name) / factors for name in ("sigma", "height")}
        points_norm = self.points_norm / factors[:, None]
        return replace(self, points_norm=points_norm, **arrays, focal_px=self.focal_px * factors)

    def with_sides(self, swapped: np.ndarray) -> "Observations":
        """The observations with left and right exchanged where `swapped` (F, J, V) is true."""
        arrays = {
            name: swap_left_right(getattr(self, name), swapped) for name in ("points_norm", "sigma", "confidence")
        }
        return replace(self, **arrays)


def assumed_cameras(recording: Recording, *, ignore_distortion: bool) -> list[Camera]:
    """The cameras that a calibration of the recording starts from: as given, or without distortion if it is ignored."""
    cameras = [view.camera for view in recording.views]
    return [camera.pinhole() for camera in cameras] if ignore_distortion else cameras


def cameras_found(recording: Recording, *, ignore_distortion: bool, focal_scale: Sequence[float]) -> list[CameraRecord]:
    """The intrinsics of all views after a calibration that multiplied their focal lengths by `focal_scale`."""
    cameras = assumed_cameras(recording, ignore_distortion=ignore_distortion)
    return [
        CameraRecord.of(view.name, camera.scale_focal(factor) if factor != 1 else camera)
        for view, camera, factor in zip(recording.views, cameras, focal_scale, strict=True)
    ]


def open_detections(poses2d: Path, recording: Recording) -> Detections:
    """The 2D poses of a recording's first person at the times of its views."""
    return Detections(open_store(poses2d, POSES2D)[recording.name].person(0), [view.time for view in recording.views])


def observe(
    recording: Recording,
    cameras: Sequence[Camera],
    poses: Detections,
    rows: tuple[int, int] | np.ndarray,
    *,
    min_confidence: float,
) -> Observations:
    """Read the detections of one person in the rows (start, stop) of a recording, or in increasing rows (n,).

    A joint of confidence c is expected to scatter by EXPECTED_NOISE / sqrt(c) of the person's height.
    """
    names = ("joints_px", "confidence", "box_px")
    px, confidence, box = _read(poses, names, rows)
    focal_px = np.array([np.sqrt(camera.K[0, 0] * camera.K[1, 1]) for camera in cameras])
    height = _person_height_px(px, box) / focal_px
    points_norm, sigma, c = _points_norm(recording, cameras, px, confidence, height, min_confidence)
    return Observations(points_norm, sigma, c, height[:, None], focal_px)


def observe_landmarks(
    recording: Recording, cameras: Sequence[Camera], poses: Detections,
    rows: tuple[int, int] | np.ndarray, observed: Observations, *, min_confidence: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Points (F, L, V, 2) and sigma (F, L, V) of all landmarks that the detector marks on the person.

    Cameras are calibrated from these. For a detector that marks only joints, they are the joints of `observed`.
    """
    px, confidence = _read(poses, ("landmarks_px", "landmark_confidence"), rows)
    if not px.shape[2]:
        return observed.points_norm, observed.sigma
    return _points_norm(recording, cameras, px, confidence, observed.height[:, 0], min_confidence)[:2]


def _read(poses: Detections, names: Sequence[str], rows: tuple[int, int] | np.ndarray) -> list[np.ndarray]:
    return [poses.rows(name, *rows) if isinstance(rows, tuple) else poses.at(name, rows) for name in names]


def _points_norm(
    recording: Recording, cameras: Sequence[Camera], px: np.ndarray, confidence: np.ndarray, height: np.ndarray,
    min_confidence: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Normalised points (F, P, V, 2) of pixels (F, V, P, 2), their sigma, and their confidence; NaN where not found."""
    # In the store's memory layout, (frame, view, point), which triangulation uses without a copy.
    points_norm = np.stack([camera.undistort(px[:, v]) for v, camera in enumerate(cameras)], 1).swapaxes(1, 2)
    labelling = np.isin(np.arange(len(cameras)), recording.view_indices(for_labels=True))
    c = np.swapaxes(confidence, 1, 2)
    inside = _inside_picture(px, cameras, height)
    found = np.isfinite(points_norm).all(-1) & (c > 0) & (inside > 0)
    seen = found & (c >= min_confidence) & labelling & (height > 0)[:, None]
    sigma = EXPECTED_NOISE * height[:, None] / np.sqrt(np.clip(c, CONFIDENCE_FLOOR, 1))
    sigma *= 1 + BORDER_GROWTH * (1 - inside) * (1 - np.clip(c, 0, 1))
    return points_norm, np.where(seen, sigma, np.inf), np.where(found, c, np.nan)


def _inside_picture(px: np.ndarray, cameras: Sequence[Camera], height: np.ndarray) -> np.ndarray:
    """0 (F, P, V) for pixels (F, V, P, 2) outside the picture and near its border, 1 well inside, NaN without any."""
    last = np.array([camera.size_px for camera in cameras])[:, None] - 1.0
    focal_px = np.array([np.sqrt(camera.K[0, 0] * camera.K[1, 1]) for camera in cameras])
    expected = EXPECTED_NOISE * np.maximum(height * focal_px, 1.0)[..., None]
    distance = np.swapaxes(np.minimum(px, last - px).min(-1) / expected, 1, 2)
    return np.asarray(np.clip((distance - OUTSIDE_SIGMAS) / (BORDER_SIGMAS - OUTSIDE_SIGMAS), 0, 1))


def _person_height_px(px: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Height (F, V) of the box, or of the joints if the detector gives no box."""
    known = np.isfinite(px[..., 1])
    of_joints = np.where(known, px[..., 1], -np.inf).max(2) - np.where(known, px[..., 1], np.inf).min(2)
    height = box[..., 3] - box[..., 1]
    height = np.where(np.isfinite(height), height, of_joints)
    return np.where(np.isfinite(height), height, 0.0)


def observe_pool(
    pool: Sequence[Recording], poses2d: Path, *, ignore_distortion: bool, min_confidence: float
) -> tuple[list[Observations], np.ndarray, np.ndarray]:
    """Observed joints of each recording, and normalised points and sigmas of all landmarks of the pool."""
    n_frames = max(FRAMES_PER_POOL // len(pool), 1)
    observed, landmarks = [], []
    for recording in pool:
        poses = open_detections(poses2d, recording)
        cameras = assumed_cameras(recording, ignore_distortion=ignore_distortion)
        rows = linspace_indices(poses.n_rows, n_frames)
        own = observe(recording, cameras, poses, rows, min_confidence=min_confidence)
        observed.append(own)
        landmarks.append(observe_landmarks(recording, cameras, poses, rows, own, min_confidence=min_confidence))
    points_norm, sigma = (np.concatenate(arrays) for arrays in zip(*landmarks, strict=True))
    return observed, points_norm, sigma
