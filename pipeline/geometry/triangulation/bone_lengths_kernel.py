"""Inner loops of the adjustment of joints to bone lengths, compiled.

The skeleton is a tree, and a bone couples its two joints along one direction only. So the normal equations of all
joints of a frame are solved from the leaves to the root and back, with one 3 x 3 block per joint.
"""

import numpy as np

from pipeline.compiled import compiled

MAX_STEPS = 10
# The iteration ends at a step that lowers the cost by less than this share.
ENOUGH = 1e-5
# Huber's threshold in tolerances, beyond which the pull of a bone is constant. Joints whose distance differs by more
# from the bone's length belong to a gross error of the detector.
BONE_SCALE = 2.0
# Columns of a joint's row in a frame's system: the block's upper triangle, the right-hand side, the direction of the
# bone to the parent (0 where unknown) and its stiffness, and the step. The solver replaces the block by its inverse.
MATRIX, RIGHT, BONE, STIFFNESS, STEP, ROW = 0, 6, 9, 12, 13, 16


@compiled
def refine_frames(
    joints: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, lengths: np.ndarray,
    tolerance: np.ndarray, parents: np.ndarray, width: float, covariance: np.ndarray,
) -> None:  # fmt: skip
    """Refine joints (F, J, 3) in place, given image points (F, V, J, 2), and write their covariance (F, J, 6)."""
    n_frames, n_joints, _ = joints.shape
    system, tried = np.zeros((n_joints, ROW)), np.empty((n_joints, 3))
    for f in range(n_frames):
        g = f if len(P) > 1 else 0
        X, x, s, stiffness = joints[f], points_norm[f], sigma[f], 1 / tolerance[g] ** 2
        cost = _linearise(X, x, s, P[g], lengths[g], stiffness, parents, width, system)
        for _ in range(MAX_STEPS):
            _solve_tree(system, parents)
            factor, new = 1.0, np.inf
            while factor > 0.05:
                for j in range(n_joints):
                    for i in range(3):
                        tried[j, i] = X[j, i] + factor * system[j, STEP + i]
                new = _linearise(tried, x, s, P[g], lengths[g], stiffness, parents, width, system)
                if new <= cost:
                    break
                factor *= 0.3
                _linearise(X, x, s, P[g], lengths[g], stiffness, parents, width, system)
                _solve_tree(system, parents)
            if not new <= cost:
                break
            X[:] = tried
            last = cost - new <= ENOUGH * cost
            cost = new
            if last:
                break
        _linearise(X, x, s, P[g], lengths[g], stiffness, parents, width, system)
        _solve_tree(system, parents)
        _tree_covariance(X, system, parents, covariance[f])


@compiled
def _linearise(
    joints: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, lengths: np.ndarray,
    stiffness: float, parents: np.ndarray, width: float, system: np.ndarray,
) -> float:  # fmt: skip
    """Set up the normal equations of one frame's joints (J, 3) and return the cost."""
    system[:] = 0.0
    cost = 0.0
    for j in range(len(joints)):
        if not np.isfinite(joints[j, 0]):
            continue
        cost += _add_observations(joints[j], points_norm[:, j], sigma[:, j], P, width, system[j])
        p = parents[j]
        if p != j and np.isfinite(joints[p, 0]) and np.isfinite(lengths[j]):
            u0, u1, u2 = joints[j, 0] - joints[p, 0], joints[j, 1] - joints[p, 1], joints[j, 2] - joints[p, 2]
            length = np.sqrt(u0 * u0 + u1 * u1 + u2 * u2)
            if length > 0:
                u0, u1, u2 = u0 / length, u1 / length, u2 / length
                short = lengths[j] - length
                # Huber's cost: linear in the length beyond its threshold.
                off = max(abs(short) * np.sqrt(stiffness) / BONE_SCALE, 1.0)
                k = stiffness / off
                cost += k * short * short * (2 - 1 / off)
                system[j, BONE], system[j, BONE + 1], system[j, BONE + 2] = u0, u1, u2
                system[j, STIFFNESS] = k
                for row, sign in ((system[j], 1.0), (system[p], -1.0)):
                    _add_outer(row, u0, u1, u2, k)
                    _pull(row, u0, u1, u2, sign * k * short)
    return cost


@compiled
def _add_outer(row: np.ndarray, u0: float, u1: float, u2: float, factor: float) -> None:
    row[MATRIX] += factor * u0 * u0
    row[MATRIX + 1] += factor * u0 * u1
    row[MATRIX + 2] += factor * u0 * u2
    row[MATRIX + 3] += factor * u1 * u1
    row[MATRIX + 4] += factor * u1 * u2
    row[MATRIX + 5] += factor * u2 * u2


@compiled
def _pull(row: np.ndarray, u0: float, u1: float, u2: float, pull: float) -> None:
    row[RIGHT] += pull * u0
    row[RIGHT + 1] += pull * u1
    row[RIGHT + 2] += pull * u2


@compiled
def _add_observations(
    joint: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, width: float, row: np.ndarray
) -> float:
    """Add one joint's image points (V, 2) to its block, with the robust method's cost, and return the cost."""
    x, y, z = joint
    least = np.inf
    for v in range(len(P)):
        least = min(least, sigma[v]) if sigma[v] > 0 else least
    cost = 0.0
    for v in range(len(P)):
        inverse = 1 / sigma[v]
        if not (inverse > 0 and abs(points_norm[v, 0]) < np.inf and abs(points_norm[v, 1]) < np.inf):
            continue
        depth = P[v, 2, 0] * x + P[v, 2, 1] * y + P[v, 2, 2] * z + P[v, 2, 3]
        if not depth > 0:
            cost += (width * least * inverse) ** 2 if depth < 0 else 0.0
            continue
        u = (P[v, 0, 0] * x + P[v, 0, 1] * y + P[v, 0, 2] * z + P[v, 0, 3]) / depth
        q = (P[v, 1, 0] * x + P[v, 1, 1] * y + P[v, 1, 2] * z + P[v, 1, 3]) / depth
        rx, ry = points_norm[v, 0] - u, points_norm[v, 1] - q
        r2 = rx * rx + ry * ry
        weight = 1 / (1 + r2 / (width * least) ** 2)
        cost += inverse * inverse * r2 * weight
        w = (inverse * weight / depth) ** 2
        for i, projected, r in ((0, u, rx), (1, q, ry)):
            a0, a1, a2 = (
                P[v, i, 0] - projected * P[v, 2, 0],
                P[v, i, 1] - projected * P[v, 2, 1],
                P[v, i, 2] - projected * P[v, 2, 2],
            )
            _add_outer(row, a0, a1, a2, w)
            _pull(row, a0, a1, a2, w * r * depth)
    return cost


@compiled
def _solve_tree(system: np.ndarray, parents: np.ndarray) -> None:
    """Solve for the step of every joint: eliminate joints from their parents' blocks, then substitute from the root on.

    Parents come before their children. Each block is replaced by the inverse of its Schur complement.
    """
    for j in range(len(parents) - 1, -1, -1):
        row = system[j]
        _invert(row)
        u0, u1, u2 = row[BONE], row[BONE + 1], row[BONE + 2]
        if parents[j] != j and (u0 != 0 or u1 != 0 or u2 != 0):
            q0, q1, q2 = _times(row, u0, u1, u2)
            along, stiffness = u0 * q0 + u1 * q1 + u2 * q2, row[STIFFNESS]
            pull = stiffness * (q0 * row[RIGHT] + q1 * row[RIGHT + 1] + q2 * row[RIGHT + 2])
            _add_outer(system[parents[j]], u0, u1, u2, -stiffness * stiffness * along)
            _pull(system[parents[j]], u0, u1, u2, pull)
    for j in range(len(parents)):
        row, above = system[j], system[parents[j]]
        pull = 0.0
        if parents[j] != j:
            pull = row[BONE] * above[STEP] + row[BONE + 1] * above[STEP + 1] + row[BONE + 2] * above[STEP + 2]
            pull *= row[STIFFNESS]
        row[STEP], row[STEP + 1], row[STEP + 2] = _times(
            row,
            row[RIGHT] + pull * row[BONE],
            row[RIGHT + 1] + pull * row[BONE + 1],
            row[RIGHT + 2] + pull * row[BONE + 2],
        )


@compiled
def _times(row: np.ndarray, x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        row[MATRIX] * x + row[MATRIX + 1] * y + row[MATRIX + 2] * z,
        row[MATRIX + 1] * x + row[MATRIX + 3] * y + row[MATRIX + 4] * z,
        row[MATRIX + 2] * x + row[MATRIX + 4] * y + row[MATRIX + 5] * z,
    )


@compiled
def _invert(row: np.ndarray) -> None:
    """Invert the symmetric block, slightly regularised; the block of a joint without observations stays 0."""
    a, b, c, d, e, f = row[MATRIX : MATRIX + 6]
    size = 1e-9 * (a + d + f)
    a, d, f = a + size, d + size, f + size
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * bb + c * cc
    inverse = 1 / determinant if determinant > 0 else 0.0
    row[MATRIX], row[MATRIX + 1], row[MATRIX + 2] = aa * inverse, bb * inverse, cc * inverse
    row[MATRIX + 3], row[MATRIX + 4], row[MATRIX + 5] = dd * inverse, ee * inverse, ff * inverse


@compiled
def _tree_covariance(joints: np.ndarray, system: np.ndarray, parents: np.ndarray, covariance: np.ndarray) -> None:
    """Each joint's covariance (J, 6): the covariance of its own block and, along the bone, of its parent."""
    for j in range(len(parents)):
        row, own, above = system[j], covariance[j], covariance[parents[j]]
        u0, u1, u2 = row[BONE], row[BONE + 1], row[BONE + 2]
        q0, q1, q2 = _times(row, u0, u1, u2)
        for i in range(6):
            own[i] = row[MATRIX + i] if np.isfinite(joints[j, 0]) else np.nan
        if parents[j] != j and (u0 != 0 or u1 != 0 or u2 != 0):
            v0, v1, v2 = _times(above, u0, u1, u2)
            _add_outer(own, q0, q1, q2, row[STIFFNESS] ** 2 * (u0 * v0 + u1 * v1 + u2 * v2))
