"""The crop of EpipolarPose's released code: a square of 2000 mm around the pelvis, at the pelvis's depth.

The released code crops around the true pelvis, also in tests. Here, training crops are around the target's pelvis, but
no other view may influence a test. So a test crop is around the detected pelvis, and its side is the side of the box's
crop times a factor: the median ratio of the two sides in the training samples.
"""

from dataclasses import replace

import numpy as np

from pipeline.learning.images.samples import Samples
from pipeline.skeleton import ROOT

METRIC_SIDE_MM = 2000.0


def metric_crops(samples: Samples) -> Samples:
    """Training samples cropped around the target's pelvis; samples without a known pelvis keep the crop of the box."""
    root_px, side_px = samples.joints_px[:, ROOT], _metric_side_px(samples)
    known = np.isfinite(root_px).all(-1) & np.isfinite(side_px)
    return replace(
        samples,
        center_px=np.where(known[:, None], root_px, samples.center_px),
        side_px=np.where(known, side_px, samples.side_px),
    )


def metric_side_factor(samples: Samples) -> float:
    """Median ratio of the metric crop's side to the side of the box's crop, over the samples with a known pelvis."""
    return float(np.nanmedian(_metric_side_px(samples) / samples.side_px))


def single_view_crops(samples: Samples, side_factor: float) -> Samples:
    """Samples cropped around the detected pelvis; the side is the side of the box's crop times a factor."""
    detected = np.isfinite(samples.detected_root_px).all(-1) & samples.has_person
    return replace(
        samples,
        center_px=np.where(detected[:, None], samples.detected_root_px, samples.center_px),
        side_px=samples.side_px * side_factor,
    )


def _metric_side_px(samples: Samples) -> np.ndarray:
    """Side (N,) in pixels of the metric crop; NaN where the target's pelvis is unknown."""
    side_px: np.ndarray = METRIC_SIDE_MM * samples.focal_px / samples.joints_cam_mm[:, ROOT, 2]
    return side_px
