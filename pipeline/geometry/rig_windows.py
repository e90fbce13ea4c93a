"""A rig for each frame of cameras that move slowly: rigs of overlapping windows, brought into one world and blended."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.geometry import bundle, triangulation
from pipeline.geometry.align import rig_similarity, similarity
from pipeline.geometry.bones import own_lengths
from pipeline.geometry.bundle import EXACT
from pipeline.geometry.essential import epipolar_error
from pipeline.geometry.rig import FRAMES_FOR_START, Rig, find_rig, refuse_poor, settle
from pipeline.geometry.rig_start import RigNotFound, Start
from pipeline.geometry.spread import spread_frames

# Joints in the overlap of two windows that lie further apart than this many times the median do not align them.
TRIM = 2.5


def find_moving_rig(rays: np.ndarray, sigma: np.ndarray, *, length: int, seed: int) -> list[Rig | str]:
    """For each frame its rig, or the reason why there is none; rays (F, J, V, 2), sigma (F, J, V) of one person.

    Windows of `length` frames overlap by half; in each the cameras are taken to stand as they do in its middle, and
    between the middles of two to turn and move steadily. The person keeps his size, which fixes the unit of every
    window, and the joints seen in the overlap fix its world: all rigs share one world and one unit.
    """
    windows = _windows(len(rays), length)
    found: list[Rig | str] = []
    for window in windows:
        last = found[-1] if found else "none"
        found.append(_window_rig(rays[window], sigma[window], last, seed))
    joints = [
        _joints(rays[w], sigma[w], rig) if isinstance(rig, Rig) else None for w, rig in zip(windows, found, strict=True)
    ]
    return _blend(len(rays), windows, _chain(windows, found, joints))


def _windows(n_frames: int, length: int) -> list[slice]:
    starts = [*range(0, max(n_frames - length, 0), max(length // 2, 1)), max(n_frames - length, 0)]
    return [slice(start, min(start + length, n_frames)) for start in starts]


def _window_rig(rays: np.ndarray, sigma: np.ndarray, last: Rig | str, seed: int) -> Rig | str:
    """The rig of a window, started from that of the window before if that leads to a good one."""
    if isinstance(last, Rig):
        order, n_poses = spread_frames(rays, sigma, FRAMES_FOR_START)
        n_views = rays.shape[2]
        epipolar = epipolar_error(rays.reshape(-1, n_views, 2), sigma.reshape(-1, n_views), last.R, last.t)
        start = Start(last.R, last.t, 1.0, epipolar)
        try:
            rig = settle(rays, sigma, start, bundle.START_WIDTHS, focal=EXACT, examples=order[:n_poses])
            refuse_poor(rig)
            return rig
        except RigNotFound:
            pass
    try:
        return find_rig(rays, sigma, seed=seed)
    except RigNotFound as error:
        return str(error)


def _joints(rays: np.ndarray, sigma: np.ndarray, rig: Rig) -> np.ndarray:
    """Joints (F, J, 3) as a rig sees them."""
    n_views = rays.shape[2]
    points = triangulation.robust(rays.reshape(-1, n_views, 2), sigma.reshape(-1, n_views), rig.R, rig.t)
    return points.reshape(*rays.shape[:2], 3)


def _chain(windows: Sequence[slice], rigs: Sequence[Rig | str], joints: Sequence[np.ndarray | None]) -> list[Rig | str]:
    """The rigs of the windows, all in the world and unit of the first that was found."""
    chained: list[Rig | str] = []
    reference: np.ndarray | None = None  # bone lengths
    last: tuple[slice, Rig, np.ndarray] | None = None
    for window, rig, seen in zip(windows, rigs, joints, strict=True):
        if isinstance(rig, str) or seen is None:
            chained.append(rig)
            continue
        lengths = own_lengths(seen)
        reference = lengths if reference is None else reference
        ratio = reference / lengths
        factor = float(np.median(ratio[np.isfinite(ratio)])) if np.isfinite(ratio).any() else 1.0
        rig, seen = rig.scaled(factor), factor * seen
        if last is not None:
            rig, seen = _in_world_of(*last, window, rig, seen)
        last = window, rig, seen
        chained.append(rig)
    return chained


def _in_world_of(
    before: slice, rig_before: Rig, joints_before: np.ndarray, window: slice, rig: Rig, joints: np.ndarray
) -> tuple[Rig, np.ndarray]:
    """A window's rig and joints in the world of an earlier window: by the joints both show, else by the cameras."""
    shared = before.stop - window.start
    a, b = joints[: max(shared, 0)].reshape(-1, 3), joints_before[window.start - before.start :].reshape(-1, 3)
    if shared > 0 and (np.isfinite(a) & np.isfinite(b)).all(-1).sum() >= 3:
        weights = np.ones(len(a))
        for _ in range(3):
            _, Q, shift = similarity(a, b, scale=False, weights=weights)
            apart = np.linalg.norm(a @ Q.T + shift - b, axis=-1)
            weights = (apart <= TRIM * np.nanmedian(apart)).astype(float)
    else:
        both = rig.posed & rig_before.posed
        _, Q, _ = rig_similarity(rig.R, rig.centers, rig_before.R, rig_before.centers)
        shift = rig_before.centers[both].mean(0) - Q @ rig.centers[both].mean(0)
    return rig.turned(Q.T, -Q.T @ shift), joints @ Q.T + shift


def _blend(n_frames: int, windows: Sequence[slice], rigs: Sequence[Rig | str]) -> list[Rig | str]:
    """The rig of each frame, between those of the two windows whose middles lie about it."""
    middles = np.array([(window.start + window.stop - 1) / 2 for window in windows])
    blended: list[Rig | str] = []
    for f in range(n_frames):
        after = int(np.searchsorted(middles, f, side="right"))
        a, b = max(after - 1, 0), min(after, len(middles) - 1)
        share = (f - middles[a]) / (middles[b] - middles[a]) if b > a else 0.0
        one, other = rigs[a], rigs[b]
        if isinstance(one, Rig) and isinstance(other, Rig):
            blended.append(_between(one, other, float(np.clip(share, 0, 1))))
        else:
            blended.append(other if isinstance(other, Rig) else one)
    return blended


def _between(a: Rig, b: Rig, share: float) -> Rig:
    """The rig on the way from one to another; views that only one of them has are where that has them."""
    R, centers = np.where(a.posed[:, None, None], a.R, b.R), np.where(a.posed[:, None], a.centers, b.centers)
    both = a.posed & b.posed
    way = Rotation.from_matrix(b.R[both] @ np.swapaxes(a.R[both], -1, -2)).as_rotvec()
    R[both] = Rotation.from_rotvec(share * way).as_matrix() @ a.R[both]
    centers[both] += share * (b.centers - a.centers)[both]
    mixed = {}
    for name in ("rotation_std_deg", "center_std", "residual", "inlier_share"):
        x, y = getattr(a, name), getattr(b, name)
        mixed[name] = np.where(both, (1 - share) * x + share * y, np.fmax(x, y))
    nearer = a if share < 0.5 else b
    return replace(nearer, R=R, t=-np.einsum("vij,vj->vi", R, centers), **mixed)
