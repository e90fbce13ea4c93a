"""The noise of a recording's detections, measured on a sample of its frames by leaving out views."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.geometry.triangulation.labelling import Labelled
from pipeline.geometry.triangulation.uncertainty.agreement import agreement
from pipeline.geometry.triangulation.uncertainty.detection_noise import DetectionNoise, fit_noise, lasting_share
from pipeline.geometry.triangulation.uncertainty.left_out_views import LeftOutViews, leave_views_out
from pipeline.geometry.triangulation.uncertainty.rig_motion import projection_jacobian
from pipeline.labels.observations import Observations
from pipeline.stores import NoiseRecord

# The sample: at most this many windows of this many consecutive frames.
WINDOWS, WINDOW_FRAMES = 4, 32
# Errors in frames further apart than this, in seconds, do not show whether they last: they are taken to last.
MAX_GAP_S = 0.2
TENTHS = 10


@dataclass(frozen=True)
class NoiseSample:
    """Observations of some consecutive frames, and the labels that any choice of views makes of them."""

    seen: Observations
    limit: np.ndarray  # (F, J, V) the distance up to which a view agrees with a joint, normalised units
    R: np.ndarray  # (G, V, 3, 3)
    t: np.ndarray  # (G, V, 3)
    label: Callable[[np.ndarray], Labelled]  # from sigma (F, J, V), infinite where a detection is left out
    free: Labelled  # the labels without bone lengths, which would add to the residuals


def measure_noise(samples: list[NoiseSample], root: np.ndarray, frame_s: float) -> NoiseRecord:
    """Fit the noise of a recording to samples of its frames, which are `frame_s` seconds apart.

    `root` (6 V, K) is that of the rig's covariance. With two views nothing can be left out: the noise is then fitted to
    the distances of the detections from the labels.
    """
    residuals, disagreements, left_out = [], [], []
    for sample in samples:
        seen, free = sample.seen, sample.free
        residuals.append(_residuals(free, sample))
        used = np.where(free.used, seen.sigma, np.inf)
        disagreements.append(agreement(free.points, seen.points_norm, used, sample.limit, sample.R, sample.t)[0])
        left_out.append(
            leave_views_out(sample.label, seen.points_norm, seen.sigma, sample.limit, sample.R, sample.t, root)
        )
    lasting = lasting_share(np.concatenate(residuals)) if frame_s <= MAX_GAP_S else 1.0
    squared, by_rig = (np.concatenate([getattr(one, name) for one in left_out]) for name in ("squared", "by_rig"))
    n_left_out = int(np.isfinite(squared).sum())
    if n_left_out:
        noise = fit_noise(squared, np.full(squared.shape, 2.0), lasting, by_rig)
    else:
        chi2, dof = (np.concatenate([getattr(one, name) for one in disagreements]) for name in ("chi2", "dof"))
        noise = fit_noise(chi2[..., None], np.nan_to_num(dof)[..., None], lasting)
    focal_px = samples[0].seen.focal_px
    return NoiseRecord(
        dof=noise.dof, variance=noise.variance.tolist(), shared=noise.shared, by_rig=noise.by_rig.tolist(),
        n_left_out=n_left_out, left_out_px=_tenths(left_out, noise, focal_px),
    )  # fmt: skip


def noise_of(record: NoiseRecord) -> DetectionNoise:
    """The noise that a record describes."""
    return DetectionNoise(record.dof, np.array(record.variance), record.shared, np.array(record.by_rig))


def _residuals(made: Labelled, sample: NoiseSample) -> np.ndarray:
    """Differences (F + 1, J, V, 2) between detections and labels over sigma; the last row, NaN, ends the sample."""
    found = np.full((len(made.points) + 1, *sample.seen.points_norm.shape[1:]), np.nan)
    for v in range(found.shape[2]):
        _, in_camera = projection_jacobian(made.points, sample.R[:, v], sample.t[:, v])
        error = sample.seen.points_norm[:, :, v] - in_camera[..., :2] / in_camera[..., 2:]
        used = made.used[:, :, v, None]
        found[:-1, :, v] = np.where(used, error / np.where(used, sample.seen.sigma[:, :, v, None], 1.0), np.nan)
    return found


def _tenths(left_out: list[LeftOutViews], noise: DetectionNoise, focal_px: np.ndarray) -> list[tuple[float, float]]:
    """Stated and found distances of left-out detections from their predictions in px, by tenths of what is stated."""
    unit = np.concatenate([one.std * focal_px for one in left_out]) ** 2
    stated = np.concatenate([2 * noise.local_variance(one.rest) for one in left_out]) * unit
    found = np.concatenate([one.squared for one in left_out]) * unit
    known = np.isfinite(stated) & np.isfinite(found)
    order = np.argsort(stated[known], kind="stable")
    if len(order) < TENTHS:
        return []
    return [
        (float(np.sqrt(stated[known][part].mean())), float(np.sqrt(found[known][part].mean())))
        for part in np.array_split(order, TENTHS)
    ]
