"""Whether a rig's claimed uncertainty is right, for static and for rotating cameras.

A detector's errors in consecutive frames are similar, so noise that is correlated in time is measured too.
"""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from bench.geometry import ours
from bench.geometry.measure import Table
from bench.geometry.simulation import CONFIDENCE, FOCAL_PX, OUTLIER_CONFIDENCE, OUTLIER_PX, Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from pipeline.geometry.align import rig_similarity, rotation_angle
from pipeline.geometry.calibration.rig import Rig, RigNotFound, find_rig
from pipeline.geometry.calibration.rig_windows import find_moving_rig

NOTE = """Consecutive frames, 5 px, 5 % outliers. deg: mean rotation error of the cameras, similarity-aligned; claimed:
the standard deviation claimed for it; z^2: mean of (error / standard deviation)^2, which is 1 for a right claim and
above 1 for one that is too small. Correlated: four fifths of the noise's variance have a correlation of 0.95 from frame
to frame."""

# The share of the noise's variance that is correlated, and its correlation from one frame to the next.
LASTING, CORRELATION = 0.8, 0.952
STATIC, ROTATING = (100, 300), 600
WINDOW = 100  # frames
DEG_PER_FRAME = (0.0, 0.005, 0.02, 0.05)


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table; the summary has no figures of it."""
    if not sizes.full:
        return {}
    table = Table("Is the rig's uncertainty right?", NOTE, ["cameras", "deg", "claimed", "z^2", "frames %"])
    for correlated in (False, True):
        noise = "correlated noise" if correlated else "white noise"
        for frames in STATIC:
            exact = scenes.with_sequences_of(frames).film(40, frames, noise_px=0.0, outliers=0.0, consecutive=True)
            table.row(f"static, one rig of {frames} frames, {noise}", *_errors_and_claims(_static(exact, correlated)))
        exact = scenes.with_sequences_of(ROTATING).film(6, ROTATING, noise_px=0.0, outliers=0.0, consecutive=True)
        for deg in DEG_PER_FRAME:
            table.row(f"rotating {deg} deg a frame, {noise}", *_errors_and_claims(_rotating(exact, deg, correlated)))
    return {}


Found = Iterator[tuple[list[Rig | str], np.ndarray, np.ndarray]]  # rigs, and the true R (F, V, 3, 3), centres


def _static(captures: list[Capture], correlated: bool) -> Found:
    for i, capture in enumerate(captures):
        R, centers = capture.R[None], capture.centers[None]
        try:
            rig: Rig | str = find_rig(*_seen(capture, R, correlated, i), seed=ours.SEED)
        except RigNotFound as error:
            rig = str(error)
        yield [rig], R, centers


def _rotating(captures: list[Capture], deg_per_frame: float, correlated: bool) -> Found:
    """Each camera rotates at constant velocity about its own axis."""
    for i, capture in enumerate(captures):
        frames, axis = np.arange(len(capture.px)), np.random.default_rng(i).normal(size=(len(capture.cameras), 3))
        axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
        rotation = Rotation.from_rotvec((np.radians(deg_per_frame) * frames[:, None, None] * axis).reshape(-1, 3))
        R = rotation.as_matrix().reshape(len(frames), -1, 3, 3) @ capture.R
        rigs = find_moving_rig(*_seen(capture, R, correlated, i), length=WINDOW, seed=ours.SEED)
        yield rigs, R, np.broadcast_to(capture.centers, R.shape[:-1])


def _seen(capture: Capture, R: np.ndarray, correlated: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Image points (F, J, V, 2) and sigma (F, J, V) of a capture whose cameras have rotations R (F or 1, V, 3, 3)."""
    rng = np.random.default_rng([seed, 5])
    t = -np.einsum("fvij,vj->fvi", R, capture.centers)
    in_camera = np.einsum(
        "fvij,fnj->fnvi", np.broadcast_to(R, (len(capture.px), *R.shape[1:])), capture.joints_world_mm
    )
    in_camera = in_camera + t[:, None]
    points_norm = in_camera[..., :2] / in_camera[..., 2:]
    noise = rng.normal(size=points_norm.shape)
    if correlated:
        lasting = rng.normal(size=points_norm.shape)
        for f in range(1, len(lasting)):
            lasting[f] = CORRELATION * lasting[f - 1] + np.sqrt(1 - CORRELATION**2) * lasting[f]
        noise = np.sqrt(LASTING) * lasting + np.sqrt(1 - LASTING) * noise
    outlier = rng.random(points_norm.shape[:-1]) < OUTLIERS
    angle, length = rng.uniform(0, 2 * np.pi, outlier.shape), rng.uniform(*OUTLIER_PX, outlier.shape)
    far = length[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    confidence = np.where(
        outlier, rng.uniform(*OUTLIER_CONFIDENCE, outlier.shape), rng.uniform(*CONFIDENCE, outlier.shape)
    )
    points_norm = points_norm + np.where(outlier[..., None], far, NOISE_PX * noise) / FOCAL_PX
    return points_norm, NOISE_PX / FOCAL_PX / np.sqrt(confidence)


def _errors_and_claims(found: Found) -> tuple[float, float, float, float]:
    """Mean error and claim in degrees, mean squared ratio of the two, and the share of frames with a rig in %."""
    errors, claims, n_frames = [], [], 0
    for rigs, R, centers in found:
        n_frames += len(rigs)
        for f, rig in enumerate(rigs):
            if isinstance(rig, Rig):
                _, Q, _ = rig_similarity(rig.R, rig.centers, R[f], centers[f])
                errors.append(np.degrees(rotation_angle(rig.R @ Q.T @ np.swapaxes(R[f], -1, -2))))
                claims.append(rig.rotation_std_deg)
    error, claim = np.concatenate(errors), np.concatenate(claims)
    good = np.isfinite(error) & np.isfinite(claim)
    ratio = error[good] / claim[good]
    return (
        float(error[good].mean()), float(claim[good].mean()), float((ratio**2).mean()), 100 * len(errors) / n_frames
    )  # fmt: skip
