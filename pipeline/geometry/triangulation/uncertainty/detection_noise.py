"""The noise of a detector, joint by joint, with heavy tails: fitted to views left out.

All detections of a joint in a frame share one variance, whose distribution over the frames makes their errors follow
Student's t. Given how far the views of a frame contradict each other, the expected variance of that frame is known.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

from pipeline.geometry.triangulation.uncertainty.agreement import Agreement
from pipeline.shapes import check_shapes

# Degrees of freedom that are tried; the last is a normal distribution.
DOF = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0, 100.0)
# Samples that the expected variance counts in that of all joints, and that in the variance of one joint.
PRIOR_SAMPLES = 30.0
# Degrees of freedom where too few samples show them.
PRIOR_DOF, MIN_SAMPLES = 4.0, 100
EM_STEPS = 60
# Variance of the errors that all views share over the variance of those that differ between views, for errors that
# last. Measured on rendered people, whose truth is known (0.6 to 0.8). Two detectors that differ on the same footage
# by less than what is stated with it do not contradict it.
SHARED = 0.75


@dataclass(frozen=True)
class DetectionNoise:
    """The noise of the detections of one recording, as multiples of the expected variance."""

    dof: float  # degrees of freedom of Student's t
    variance: Float[np.ndarray, " joint"]  # squared scale of Student's t
    shared: float  # variance of the errors that all views share, over the variance of those that differ
    by_rig: Float[np.ndarray, " joint"]  # share of the variance that the rig's uncertainty explains, 0-1

    def local_variance(self, seen: Agreement) -> Float[np.ndarray, "frame joint *view"]:
        """The expected variance of each joint in each frame, given the agreement of its views."""
        variance = self.variance.reshape(-1, *[1] * (np.ndim(seen.chi2) - 2))
        return (self.dof * variance + seen.chi2) / np.maximum(self.dof + seen.dof - 2, 1.0)


@check_shapes()
def fit_noise(
    squared: Float[np.ndarray, "frame joint sample"],
    n_coordinates: Float[np.ndarray, "frame joint sample"],
    lasting: float,
    by_rig: Float[np.ndarray, "frame joint sample"] | None = None,
) -> DetectionNoise:
    """Fit the noise to squared errors, each of `n_coordinates` coordinates, in units of the expected variance.

    NaN marks missing samples. `lasting` is the share of the errors' variance that lasts over time. `by_rig` are the
    squares that the rig's uncertainty predicts. The scales are those of maximum likelihood, drawn towards their mean
    over the joints; without samples the expected noise is taken. Raises ValueError for shapes that do not fit.
    """
    known = np.isfinite(squared) & (n_coordinates > 0)
    samples = [(squared[:, j][known[:, j]], n_coordinates[:, j][known[:, j]]) for j in range(squared.shape[1])]
    fits = {dof: _scales(samples, dof) for dof in (DOF if known.sum() >= MIN_SAMPLES else (PRIOR_DOF,))}
    dof = max(fits, key=lambda one: _log_likelihood(samples, fits[one], one))
    explained = np.zeros(squared.shape[1])
    if by_rig is not None:
        explained = np.array([_explained(squared[:, j], by_rig[:, j], fits[dof][j], dof) for j in range(len(samples))])
    return DetectionNoise(dof, fits[dof], SHARED * lasting, explained)


Samples = list[tuple[np.ndarray, np.ndarray]]  # of each joint: squared errors, numbers of their coordinates


def _scales(samples: Samples, dof: float) -> np.ndarray:
    """Squared scales (J,) of Student's t of some degrees of freedom, by expectation maximisation."""
    squared, n = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    pooled = _scale(squared, n, dof, 1.0, PRIOR_SAMPLES)
    return np.array([_scale(*own, dof, pooled, PRIOR_SAMPLES) for own in samples])


def _scale(squared: np.ndarray, n: np.ndarray, dof: float, prior: float, prior_samples: float) -> float:
    scale = prior
    for _ in range(EM_STEPS):
        weight = (dof + n) / (dof + squared / scale)
        scale = float(((weight * squared).sum() + prior_samples * prior) / (n.sum() + prior_samples))
    return scale


def _log_likelihood(samples: Samples, scales: np.ndarray, dof: float) -> float:
    total = 0.0
    for (squared, n), scale in zip(samples, scales, strict=True):
        total += float(
            (
                gammaln((dof + n) / 2) - gammaln(dof / 2) - n / 2 * np.log(dof * scale)
                - (dof + n) / 2 * np.log1p(squared / (dof * scale))
            ).sum()
        )  # fmt: skip
    return total


def _explained(squared: np.ndarray, by_rig: np.ndarray, scale: float, dof: float) -> float:
    """The share of a joint's variance that the rig's uncertainty explains, without the tails."""
    known = np.isfinite(squared) & np.isfinite(by_rig)
    if not known.any():
        return 0.0
    weight = 1 / (dof + squared[known] / scale)
    return float(np.clip((weight * by_rig[known]).sum() / max((weight * squared[known]).sum(), 1e-12), 0.0, 1.0))


@check_shapes()
def lasting_share(
    residuals: Float[np.ndarray, "frame joint view 2"],
) -> float:
    """The share of the variance of residuals that lasts from one frame to the next; NaN: missing.

    Residuals are in units of their standard deviation; large ones count less, as in the noise's tails. 1 if no two
    neighbouring frames are known. Raises ValueError for another shape.
    """
    squared = (residuals**2).sum(-1, keepdims=True)
    bounded = residuals / np.sqrt(1 + squared / 6)
    both = np.isfinite(bounded[1:]) & np.isfinite(bounded[:-1])
    before, after = np.where(both, bounded[:-1], 0.0), np.where(both, bounded[1:], 0.0)
    power = float((before**2 + after**2).sum()) / 2
    return float(np.clip((before * after).sum() / power, 0.0, 1.0)) if power > 0 else 1.0
