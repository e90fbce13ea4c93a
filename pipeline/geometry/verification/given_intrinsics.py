"""Principal points that lie where no principal point should, such as those of images of another size."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.shapes import check_shapes

# Largest distance of a usual principal point from the middle of the image, as a share of width or height. Lenses are
# centred to a few per cent; crops and large distortion displace the point further.
MAX_OFFSET = 0.2
# Cameras are for images of another size if all principal points lie at the same multiple of the middle, up to this
# relative difference, and that multiple differs from 1 by more than a principal point does.
SAME, MIN_SCALE = 0.12, 1.25


@dataclass(frozen=True)
class PrincipalPoints:
    """Where the principal points of cameras lie in their images."""

    offset: Float[np.ndarray, " view"]  # from the middle, as a share of width or height, whichever is larger
    is_far: Bool[np.ndarray, " view"]
    is_outside: Bool[np.ndarray, " view"]  # of the image
    image_scale: float | None  # size of the images that all cameras seem to be for, over the size of these; None: 1


@check_shapes(no_inf=("K", "size_px"))
def judge_principal_points(K: Float[np.ndarray, "view 3 3"], size_px: Float[np.ndarray, "view 2"]) -> PrincipalPoints:
    """Compare principal points with the middle of images of (width, height). Raises ValueError for other shapes."""
    ratio = (K[:, :2, 2] + 0.5) / (size_px / 2)  # 1 in the middle, 0 and 2 at the edges
    offset = np.abs(ratio - 1).max(-1) / 2
    scale = float(np.median(ratio))
    is_other = scale >= MIN_SCALE or 0 < scale <= 1 / MIN_SCALE
    is_same = is_other and bool((np.abs(ratio / scale - 1) < SAME).all())
    return PrincipalPoints(offset, offset > MAX_OFFSET, offset > 0.5, scale if is_same else None)
