"""The adjustment of a rig to one person in one frame, who is built as people are: left like right, limbs in proportion.

One frame's joints alone leave some directions of a rig almost open; a body's build closes them. Rays, cameras and
points are those of bundle_kernels; here all unknowns are solved for at once, as bones tie the points to each other.
"""

import numpy as np

from pipeline.geometry.calibration.body_prior_kernel import descend
from pipeline.geometry.calibration.scale import ADULT_LIMBS_MM
from pipeline.skeleton import BONES, MIRROR, joint

# Relative standard deviation of a bone's length from that of its twin, and of a limb's from an adult's in proportion.
TWIN_STD, ADULT_STD = 0.05, 0.08

# The bones of both sides; of each the number of its twin, and an adult's length where it is a limb, else NaN.
SIDE_BONES = np.array([bone for bone in BONES if MIRROR[bone[1]] != bone[1]])
TWIN = np.array([SIDE_BONES[:, 1].tolist().index(MIRROR[child]) for _, child in SIDE_BONES])
ADULT_MM = np.full(len(SIDE_BONES), np.nan)
for (parent, child), length_mm in ADULT_LIMBS_MM:
    for side in "lr":
        ends = np.array([joint(f"{side}_{parent}"), joint(f"{side}_{child}")])
        ADULT_MM[(ends == SIDE_BONES).all(1)] = length_mm


def adjust_to_body(
    points_norm: np.ndarray,
    sigma: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    joints: np.ndarray,
    *,
    width: float,
    noise: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Cameras R (V, 3, 3), t (V, 3) and one person's joints (J, 3) that fit rays (J, V, 2) and a human build best.

    Sigma (J, V) is infinite where not seen; joints that are NaN take no part. The robust cost of the rays has this
    width, in units of `noise` times sigma. Returns cameras and joints, and the cost they reach.
    """
    known = np.isfinite(joints).all(-1)
    seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma) & known[:, None]
    inverse = np.where(seen, 1 / np.where(seen, sigma * noise, 1.0), 0.0)
    R, t, X = R.astype(float), t.astype(float), np.where(known[:, None], joints, 0.0)
    C, expected = _proportions(known)
    reached = descend(np.where(seen[..., None], points_norm, 0.0), inverse, R, t, X, width, SIDE_BONES, C, expected)
    return R, t, np.where(known[:, None], X, np.nan), reached


def _proportions(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is expected of the logarithms of the side bones' lengths: C (T, 12) times them is about `expected` (T,).

    In units of the standard deviations; nothing is expected of bones with an unknown end.
    """
    there = known[SIDE_BONES].all(1)
    one = np.eye(len(SIDE_BONES))
    twins = [one[i] - one[TWIN[i]] for i in np.flatnonzero(there & there[TWIN]) if i < TWIN[i]]
    limbs = np.flatnonzero(there & np.isfinite(ADULT_MM))
    logs = np.log(ADULT_MM[limbs])
    mean = one[limbs].mean(0) if len(limbs) else one[0]
    C = np.array([*np.reshape(twins, (-1, len(one))) / TWIN_STD, *(one[limbs] - mean) / ADULT_STD])
    expected = np.append(np.zeros(len(twins)), (logs - logs.mean()) / ADULT_STD if len(limbs) else [])
    return C.reshape(-1, len(one)), expected
