"""Inner loops of the metrics, compiled: each loops once over the poses and writes its last argument.

Poses are (pose, joint, 3) in double precision. NaN is a missing joint; results that depend on it are NaN.
"""

import numpy as np

from pipeline.compiled import compiled, inlined
from pipeline.skeleton import ROOT


@compiled
def distances(a: np.ndarray, b: np.ndarray, found: np.ndarray) -> None:
    """Distances (n,) of points (n, d) from others (n, d)."""
    for n in range(len(a)):
        total = 0.0
        for d in range(a.shape[1]):
            total += (a[n, d] - b[n, d]) ** 2
        found[n] = np.sqrt(total)


@compiled
def best_scales(predicted: np.ndarray, true: np.ndarray, scales: np.ndarray) -> None:
    """The scales (pose,) that fit root-centred poses to root-centred true ones by least squares."""
    for n in range(len(predicted)):
        dot = norm = 0.0
        for j in range(predicted.shape[1]):
            x, y, z = _from_root(predicted, n, j)
            u, v, w = _from_root(true, n, j)
            product = x * u + y * v + z * w
            if np.isfinite(product):
                dot += product
                norm += x * x + y * y + z * z
        scales[n] = dot / norm if norm > 0 else np.nan


@compiled
def root_centred_errors(predicted: np.ndarray, true: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> None:
    """Distances (pose, joint) of root-centred joints from the root-centred truth, each pose times its scale (pose,)."""
    for n in range(len(predicted)):
        scale = scales[n]
        for j in range(predicted.shape[1]):
            x, y, z = _from_root(predicted, n, j)
            u, v, w = _from_root(true, n, j)
            x, y, z = scale * x - u, scale * y - v, scale * z - w
            errors[n, j] = np.sqrt(x * x + y * y + z * z)


@compiled
def bone_lengths(poses: np.ndarray, parents: np.ndarray, found: np.ndarray) -> None:
    """Distances (pose, joint) of joints from their parents (joint,); the root's is missing."""
    for n in range(len(poses)):
        for j in range(poses.shape[1]):
            p = parents[j]
            x, y, z = poses[n, j, 0] - poses[n, p, 0], poses[n, j, 1] - poses[n, p, 1], poses[n, j, 2] - poses[n, p, 2]
            found[n, j] = np.sqrt(x * x + y * y + z * z)
        found[n, ROOT] = np.nan


@compiled
def velocity_errors(predicted: np.ndarray, true: np.ndarray, seconds: np.ndarray, errors: np.ndarray) -> None:
    """Errors (frame, joint) of the velocities of root-centred joints in the seconds (frame - 1,) to the next."""
    for n in range(len(seconds)):
        for j in range(predicted.shape[1]):
            x, y, z = _change(predicted, true, n, j)
            errors[n, j] = np.sqrt(x * x + y * y + z * z) / seconds[n]
    errors[len(seconds) :] = np.nan


@compiled
def acceleration_errors(predicted: np.ndarray, true: np.ndarray, seconds: np.ndarray, errors: np.ndarray) -> None:
    """Errors (frame, joint) of the accelerations of root-centred joints over three frames."""
    for n in range(len(seconds) - 1):
        first, second = 1 / seconds[n], 1 / seconds[n + 1]
        between = (seconds[n] + seconds[n + 1]) / 2
        for j in range(predicted.shape[1]):
            x, y, z = _change(predicted, true, n, j)
            u, v, w = _change(predicted, true, n + 1, j)
            u, v, w = second * u - first * x, second * v - first * y, second * w - first * z
            errors[n, j] = np.sqrt(u * u + v * v + w * w) / between
    errors[max(len(seconds) - 1, 0) :] = np.nan


@compiled
def known_joints(true: np.ndarray, joints: np.ndarray, rooted: bool, known: np.ndarray) -> None:
    """Whether the truth has each joint of `joints` (joint,), and with `rooted` also the root; (pose, joint)."""
    for n in range(len(true)):
        root = not rooted or np.isfinite(true[n, ROOT, 0] + true[n, ROOT, 1] + true[n, ROOT, 2])
        for j in range(true.shape[1]):
            known[n, j] = root and joints[j] and np.isfinite(true[n, j, 0] + true[n, j, 1] + true[n, j, 2])


@compiled
def shares_within(
    errors: np.ndarray, known: np.ndarray, lowest: float, step: float, count: int, shares: np.ndarray
) -> None:
    """Percentage of `count` thresholds, `step` apart, that each error (n,) is within; missing if not `known` (n,)."""
    for n in range(len(errors)):
        passed = count - np.ceil((errors[n] - lowest) / step)
        # A missing error is within no threshold.
        share = 100 / count * min(passed, float(count)) if passed > 0 else 0.0
        shares[n] = share if known[n] else np.nan


@compiled
def unfit_joints(poses: np.ndarray) -> int:
    """The number of joints that are neither finite nor entirely missing."""
    unfit = 0
    for n in range(len(poses)):
        for j in range(poses.shape[1]):
            finite = missing = 0
            for d in range(3):
                finite += np.isfinite(poses[n, j, d])
                missing += np.isnan(poses[n, j, d])
            unfit += finite < 3 and missing < 3
    return unfit


@compiled
def row_means(values: np.ndarray, means: np.ndarray) -> None:
    """Means (n,) of the finite values in rows (n, m); NaN for rows without any."""
    for n in range(len(values)):
        total = count = 0.0
        for m in range(values.shape[1]):
            finite = np.isfinite(values[n, m])
            total += values[n, m] if finite else 0.0
            count += 1.0 if finite else 0.0
        means[n] = total / count if count > 0 else np.nan


@inlined
def _from_root(poses: np.ndarray, n: int, j: int) -> tuple[float, float, float]:
    """The position of a joint relative to the root."""
    return poses[n, j, 0] - poses[n, ROOT, 0], poses[n, j, 1] - poses[n, ROOT, 1], poses[n, j, 2] - poses[n, ROOT, 2]


@inlined
def _change(predicted: np.ndarray, true: np.ndarray, n: int, j: int) -> tuple[float, float, float]:
    """The predicted minus the true motion of a root-centred joint to the next frame."""
    x, y, z = _from_root(predicted, n, j)
    u, v, w = _from_root(true, n, j)
    x_next, y_next, z_next = _from_root(predicted, n + 1, j)
    u_next, v_next, w_next = _from_root(true, n + 1, j)
    return x_next - u_next - x + u, y_next - v_next - y + v, z_next - w_next - z + w
