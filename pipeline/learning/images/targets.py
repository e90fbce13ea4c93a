"""The network's unit cube: targets from labels, and poses from the network's output.

x and y are positions in the crop's unit square. A length L at the root's depth Z_root is L f / Z_root pixels, so a
joint's depth from the root in units of the crop's side is (Z - Z_root) f / (Z_root side). Neither training nor
inference needs a metric scale: (Z - Z_root) / Z_root = z side / f. The root lies in the middle of the cube, at z = 0.5.
"""

import numpy as np
from jaxtyping import Float

from pipeline.learning.images.crops import Crop
from pipeline.skeleton import MIRROR


def cube_target(
    crop: Crop, joints_px: Float[np.ndarray, "17 2"], relative_depth: Float[np.ndarray, "17"], focal_px: float
) -> Float[np.ndarray, "17 3"]:
    """Targets in the unit cube of joints in the image and their depths; NaN where unknown or outside the cube.

    In a mirrored crop left and right joints are exchanged. Rotating the crop does not change depths.
    """
    z = 0.5 + relative_depth * focal_px / crop.side_px
    target = np.column_stack([crop.to_unit(joints_px), z])
    target[(target < 0) | (target > 1)] = np.nan
    return target[MIRROR] if crop.mirrored else target


def pose_of_cube(
    crop: Crop, cube: Float[np.ndarray, "17 3"], focal_px: float
) -> tuple[Float[np.ndarray, "17 2"], Float[np.ndarray, "17"]]:
    """Joints in the image's pixels, and relative depths, from positions in the unit cube."""
    if crop.mirrored:
        cube = cube[MIRROR]
    return crop.to_image(cube[:, :2]), (cube[:, 2] - 0.5) * crop.side_px / focal_px


def mirror_cube(cube: Float[np.ndarray, "*batch 17 3"]) -> Float[np.ndarray, "*batch 17 3"]:
    """Positions in the unit cube of an image from positions in the cube of its mirror image."""
    mirrored = cube[..., MIRROR, :].copy()
    mirrored[..., 0] = 1 - mirrored[..., 0]
    return mirrored
