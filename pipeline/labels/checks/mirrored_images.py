"""Alerts about views whose images are mirrored."""

from collections.abc import Iterable

import numpy as np

from pipeline.alerts import Alert
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.verification.mirrored_views import is_mirrored

# Evenly spread frames in which a view is compared with the others.
FRAMES = 60
SEED = 0  # of the robust resection


def mirrored_alerts(
    subject: str, names: list[str], points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray,
    views: Iterable[int],
) -> list[Alert]:  # fmt: skip
    """An alert for each of some views, which fit no others, if its images are mirrored.

    `points_norm` (F, J, V, 2) and `sigma` (F, J, V) are those of the joints; R (V, 3, 3), t (V, 3), NaN without
    extrinsics.
    """
    few = linspace_indices(len(points_norm), FRAMES)
    return [
        Alert(
            kind="mirrored_view", severity="error", subject=f"{subject}, {names[view]}",
            message="the images of the view are mirrored: its joints fit the other views after mirroring only",
            mend="Flip the video from left to right, as programs for front cameras do; then run the stages again.",
        )
        for view in views
        if is_mirrored(points_norm[few], sigma[few], R, t, view, seed=SEED)
    ]  # fmt: skip
