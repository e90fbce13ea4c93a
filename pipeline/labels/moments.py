"""Detections at the moments of a recording, where the frames of its views were taken at other times."""

from collections.abc import Mapping

import numpy as np

from pipeline.capture import Recording
from pipeline.video.frame_times import interpolation, read_times

# Arrays (F, V, ...) of pixels, which are interpolated, each with its confidence, of which the lower one is taken.
PIXELS = {"joints_px": "confidence", "landmarks_px": "landmark_confidence"}


def at_moments(recording: Recording, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The detections (F, V, ...) of a recording, interpolated in each view to the moments of the recording.

    They are NaN, or of confidence 0, where the view has no frames that are near enough. A person's box belongs to an
    image, so it is kept where the view has a frame of its own, and it is NaN elsewhere.
    """
    result = {name: np.array(values) for name, values in arrays.items()}
    for v, view in enumerate(recording.views):
        if view.times is None:
            continue
        times_s = read_times(view.times)
        before, after, weight = interpolation(times_s, recording.moments_s)
        for name, confidence in PIXELS.items():
            w = weight[:, None, None].astype(result[name].dtype)
            a, b = arrays[name][before, v], arrays[name][after, v]
            result[name][:, v] = np.where(w == 1, b, np.where(w == 0, a, (1 - w) * a + w * b))
            both = np.minimum(arrays[confidence][before, v], arrays[confidence][after, v])
            chosen = np.where(w[..., 0] == 1, arrays[confidence][after, v], both)
            chosen = np.where(w[..., 0] == 0, arrays[confidence][before, v], chosen)
            result[confidence][:, v] = np.where(np.isnan(w[..., 0]), 0, chosen)
        result["box_px"][:, v] = np.where(np.isfinite(times_s)[:, None], result["box_px"][:, v], np.nan)
    return result
