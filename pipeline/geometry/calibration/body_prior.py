"""The adjustment of a rig to one person in one frame, who is built as people are: left like right, limbs in proportion.

One frame's joints alone leave some directions of a rig almost open; a body's build closes them. Rays, cameras and
points are those of bundle_kernels; here all unknowns are solved for at once, as bones tie the points to each other.
"""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.calibration.bundle_kernels import cost, linearise, move_cameras, residuals, solve
from pipeline.geometry.calibration.scale import ADULT_LIMBS_MM
from pipeline.skeleton import BONES, MIRROR, joint

# Relative standard deviation of a bone's length from that of its twin, and of a limb's from an adult's in proportion.
TWIN_STD, ADULT_STD = 0.05, 0.08
STEPS = 12
ENOUGH = 1e-4  # relative fall of the cost below which it ends

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
    reached = _descend(np.where(seen[..., None], points_norm, 0.0), inverse, R, t, X, width, SIDE_BONES, C, expected)
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


@compiled
def _descend(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    bones: np.ndarray, C: np.ndarray, expected: np.ndarray,
) -> float:  # fmt: skip
    """Levenberg-Marquardt in place; the cost reached."""
    J, V = inverse_sigma.shape
    first = 6 * V
    H, g = np.empty((first + 3 * J, first + 3 * J)), np.empty(first + 3 * J)
    slope, residual = np.empty((len(C), 3 * J)), np.empty((*inverse_sigma.shape, 2))
    R_new, t_new, X_new = R.copy(), t.copy(), X.copy()
    miss = _bones(X, bones, C, expected, slope)
    residuals(points_norm, inverse_sigma, R, t, X, 1.0, residual)
    now = width * width * cost(residual, width) + (miss * miss).sum()
    damping = 1e-3
    for _ in range(STEPS):
        _add_observations(points_norm, inverse_sigma, R, t, X, width, H, g)
        miss = _bones(X, bones, C, expected, slope)
        H[first:, first:] += slope.T @ slope
        g[first:] += slope.T @ miss
        for i in range(len(g)):
            H[i, i] = H[i, i] * (1 + damping) if H[i, i] > 0 else 1.0
        step = solve(H, g)
        move_cameras(R, t, step, R_new, t_new)
        X_new[:] = X + step[first:].reshape(J, 3)
        miss = _bones(X_new, bones, C, expected, slope)
        residuals(points_norm, inverse_sigma, R_new, t_new, X_new, 1.0, residual)
        new = width * width * cost(residual, width) + (miss * miss).sum()
        if not new <= now:
            damping *= 10
            continue
        fall, now, damping = now - new, new, damping / 10
        R[:], t[:], X[:] = R_new, t_new, X_new
        if fall <= ENOUGH * now:
            break
    return now


@compiled
def _add_observations(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    H: np.ndarray, g: np.ndarray,
) -> None:  # fmt: skip
    """Write the normal equations of the rays: cameras first, then joints."""
    first = 6 * len(R)
    H[:] = 0.0
    g[:] = 0.0
    A, P, row = np.zeros((2, 8)), np.zeros((2, 3)), np.empty(9)
    for n in range(len(X)):
        for v in range(len(R)):
            if inverse_sigma[n, v] == 0 or not linearise(
                points_norm[n, v], inverse_sigma[n, v], R[v], t[v], X[n], 1.0, 1 / (width * width), A, P
            ):
                continue
            c, p = 6 * v, first + 3 * n
            for k in range(2):
                row[:6], row[6:] = A[k, :6], P[k]
                for i in range(9):
                    a = c + i if i < 6 else p + i - 6
                    g[a] += row[i] * A[k, 7]
                    for j in range(9):
                        H[a, c + j if j < 6 else p + j - 6] += row[i] * row[j]


@compiled
def _bones(X: np.ndarray, bones: np.ndarray, C: np.ndarray, expected: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """How far the bones miss what is expected (T,); writes the derivative of what they are by the joints (T, 3 J)."""
    logs = np.zeros(len(bones))
    slope[:] = 0.0
    for m in range(len(bones)):
        a, b = bones[m]
        bone = X[b] - X[a]
        squared = (bone * bone).sum()
        if squared == 0:
            continue
        logs[m] = 0.5 * np.log(squared)
        for k in range(len(C)):
            for i in range(3):
                part = C[k, m] * bone[i] / squared
                slope[k, 3 * b + i] += part
                slope[k, 3 * a + i] -= part
    return expected - C @ logs
