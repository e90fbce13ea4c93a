"""The adjustment of one frame's rig with a prior on the human build: equal left and right limbs, adult proportions.

The joints of one frame hardly determine some directions of a rig without the prior. All unknowns are solved for at
once, because bones couple the points.
"""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.body.proportions import LIMBS
from pipeline.geometry.calibration.single_frame.body_prior_kernel import descend
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, MIRROR, joint

# Relative standard deviations: between the lengths of a bone and its twin on the other side, and between a limb's
# length and an adult's proportions.
TWIN_STD, ADULT_STD = 0.05, 0.08

# The bones of both sides, the index of each bone's twin, and an adult's length if the bone is a limb, else NaN.
SIDE_BONES = np.array([bone for bone in BONES if MIRROR[bone[1]] != bone[1]])
TWIN = np.array([SIDE_BONES[:, 1].tolist().index(MIRROR[child]) for _, child in SIDE_BONES])
ADULT_MM = np.full(len(SIDE_BONES), np.nan)
for parent, child, length_mm in LIMBS:
    for side in "lr":
        ends = np.array([joint(f"{side}_{parent}"), joint(f"{side}_{child}")])
        ADULT_MM[(ends == SIDE_BONES).all(1)] = length_mm


@check_shapes(no_inf=("points_norm", "R", "t", "joints"))
def adjust_to_body(
    points_norm: Float[np.ndarray, "joint=17 view 2"],
    sigma: Float[np.ndarray, "joint=17 view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    joints: Float[np.ndarray, "joint=17 3"],
    *,
    width: float,
    noise: float,
) -> tuple[Float[np.ndarray, "view 3 3"], Float[np.ndarray, "view 3"], Float[np.ndarray, "joint=17 3"], float]:
    """Adjust cameras and one person's joints to normalised image points and the prior on the human build.

    Sigma is infinite where not seen; joints that are NaN are not adjusted. `width` is the scale of the robust kernel,
    in units of `noise` times sigma. Returns rotations, translations, joints and the final cost. Raises ValueError for
    shapes that do not fit and for infinite values other than those of sigma.
    """
    known = np.isfinite(joints).all(-1)
    seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma) & known[:, None]
    inverse = np.where(seen, 1 / np.where(seen, sigma * noise, 1.0), 0.0)
    R, t, X = R.astype(float), t.astype(float), np.where(known[:, None], joints, 0.0)
    C, expected = _proportions(known)
    reached = descend(np.where(seen[..., None], points_norm, 0.0), inverse, R, t, X, width, SIDE_BONES, C, expected)
    return R, t, np.where(known[:, None], X, np.nan), reached


def _proportions(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prior on the logarithms of the side bones' lengths: C (T, 12) times them is about `expected` (T,).

    In units of the standard deviations; bones with an unknown end have no prior.
    """
    has_ends = known[SIDE_BONES].all(1)
    one = np.eye(len(SIDE_BONES))
    twins = [one[i] - one[TWIN[i]] for i in np.flatnonzero(has_ends & has_ends[TWIN]) if i < TWIN[i]]
    limbs = np.flatnonzero(has_ends & np.isfinite(ADULT_MM))
    logs = np.log(ADULT_MM[limbs])
    mean = one[limbs].mean(0) if len(limbs) else one[0]
    C = np.array([*np.reshape(twins, (-1, len(one))) / TWIN_STD, *(one[limbs] - mean) / ADULT_STD])
    expected = np.append(np.zeros(len(twins)), (logs - logs.mean()) / ADULT_STD if len(limbs) else [])
    return C.reshape(-1, len(one)), expected
