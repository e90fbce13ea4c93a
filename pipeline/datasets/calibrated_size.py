"""The image size that intrinsics without a stated size belong to, inferred from principal points and videos."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.formats.calibration_format import UNKNOWN_SIZE
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.verification.given_intrinsics import judge_principal_points

# Factors by which videos are usually scaled. They are compared with the principal points, which lie within a few per
# cent of the middle of the calibrated image.
FACTORS = np.array([4, 3, 2, 1.5, 2 / 3, 1 / 2, 1 / 3, 1 / 4])
MAX_DEVIATION = 0.05  # of the median principal point from the middle of the scaled image, relative


@dataclass(frozen=True)
class CalibratedSizes:
    """Cameras that all have an image size, and what was inferred to give it to them."""

    cameras: dict[str, Camera]
    inferred: str = ""
    is_scaled: bool = False  # whether the inferred size differs from that of the videos


def infer_sizes(cameras: Mapping[str, Camera], videos_px: Mapping[str, tuple[int, int]]) -> CalibratedSizes:
    """Give cameras without an image size that of their video (width, height), or a usual multiple of it.

    The multiple is taken if the principal points of all these cameras lie in the middle of such an image.
    """
    silent = [name for name, camera in cameras.items() if camera.size_px == UNKNOWN_SIZE]
    if not silent:
        return CalibratedSizes(dict(cameras))
    K, sizes = np.stack([cameras[name].K for name in silent]), np.array([videos_px[name] for name in silent], float)
    factor = _factor(judge_principal_points(K, sizes).image_scale)
    found = {
        name: replace(camera, size_px=_scaled(videos_px[name], factor)) if name in silent else camera
        for name, camera in cameras.items()
    }
    width, height = found[silent[0]].size_px
    size = f"{width} x {height}" if len({found[name].size_px for name in silent}) == 1 else "that of each video"
    if factor == 1:
        return CalibratedSizes(found, f"the file states no image size; that of the videos is taken, {size}")
    reason = f"the principal points are those of images of {factor:.3g} times the size of the videos"
    return CalibratedSizes(found, f"the file states no image size; {size} is taken, as {reason}", is_scaled=True)


def _factor(image_scale: float | None) -> float:
    if image_scale is None:
        return 1.0
    deviation = np.abs(FACTORS / image_scale - 1)
    return float(FACTORS[deviation.argmin()]) if deviation.min() <= MAX_DEVIATION else 1.0


def _scaled(size_px: tuple[int, int], factor: float) -> tuple[int, int]:
    return round(factor * size_px[0]), round(factor * size_px[1])
