"""The network's unit cube: targets from labels, and poses from its output.

x and y are the crop's unit square. A length L at the root's depth Z_root is L f / Z_root pixels, so a joint's depth
from the root in units of the crop's side is (Z - Z_root) f / (Z_root side). It needs no metric scale, neither to
train nor to read: (Z - Z_root) / Z_root = z side / f. The root lies in the middle of the cube, at z = 0.5.
"""

import numpy as np

from pipeline.learning.images.crops import Crop
from pipeline.skeleton import MIRROR


def cube_target(crop: Crop, joints_px: np.ndarray, relative_depth: np.ndarray, focal_px: float) -> np.ndarray:
    """Targets (17, 3) in the unit cube of joints (17, 2) and relative depths (17,); NaN where unknown or outside.

    In a mirrored crop a left hand is a right hand. Turning the crop leaves depth as it is.
    """
    z = 0.5 + relative_depth * focal_px / crop.side_px
    target = np.column_stack([crop.to_unit(joints_px), z])
    target[(target < 0) | (target > 1)] = np.nan
    return target[MIRROR] if crop.mirrored else target


def pose_of_cube(crop: Crop, cube: np.ndarray, focal_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Joints (17, 2) in the image's pixels and relative depths (17,) of positions (17, 3) in the unit cube."""
    if crop.mirrored:
        cube = cube[MIRROR]
    return crop.to_image(cube[:, :2]), (cube[:, 2] - 0.5) * crop.side_px / focal_px


def mirror_cube(cube: np.ndarray) -> np.ndarray:
    """The positions (..., 17, 3) that the mirror image's positions mean in the image itself."""
    mirrored = cube[..., MIRROR, :].copy()
    mirrored[..., 0] = 1 - mirrored[..., 0]
    return mirrored
