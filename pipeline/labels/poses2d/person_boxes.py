"""The boxes of people of whom files may have only a part.

A box's height is the measure of the errors of its joints. Detectors that look at images guess what they do not see, so
their boxes hold whole people. Files leave out what was not found.
"""

import numpy as np

from pipeline.skeleton import joint

# The joints at the two ends of a person, of which one of each is there in a whole one.
LOW, HIGH = [joint("l_ankle"), joint("r_ankle")], [joint("head"), joint("neck")]


def person_boxes(frames: np.ndarray, joints_px: np.ndarray) -> np.ndarray:
    """Boxes (P, 4) in pixels of one person's joints (P, 17, 2) in increasing frames (P,); NaN without any joint.

    Where feet or head were not found, the box is extended at that end to the height that the whole person has in the
    frames before and after it, if there are any.
    """
    found = np.isfinite(joints_px).all(-1)
    low = np.where(found[..., None], joints_px, np.inf).min(1)
    high = np.where(found[..., None], joints_px, -np.inf).max(1)
    box = np.where(found.any(1)[:, None], np.concatenate([low, high], -1), np.nan)
    has_low, has_high = found[:, LOW].any(1), found[:, HIGH].any(1)
    is_whole = has_low & has_high
    if is_whole.any():
        height = box[:, 3] - box[:, 1]
        missing = np.maximum(np.interp(frames, frames[is_whole], height[is_whole]) - height, 0)
        box[:, 3] += np.where(has_low, 0, missing)
        box[:, 1] -= np.where(has_low & ~has_high, missing, 0)
    return box
