"""The offsets that are left when all views are adjusted at once, together with a rig and the points it sees."""

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import find_rig
from pipeline.geometry.verification.joint_offsets import adjust_offsets
from pipeline.geometry.verification.time_offset import SURE, Solution, reference_views
from pipeline.geometry.view_time import ViewTime
from pipeline.labels.synchronisation.sampled import Sampled

# Offsets that are smaller than this many of their standard deviations are not taken into account again.
WORTH_CORRECTING = 0.3


@dataclass(frozen=True)
class JointOffsets:
    """The offsets of the views of a rig."""

    solution: Solution  # of the views in `posed`
    posed: np.ndarray  # (V,) bool: views with a pose

    def from_reference(self, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Offsets (V,) from the mean of some views, and standard deviations; NaN for views without a pose."""
        offsets, stds = np.full((2, len(self.posed)), np.nan)
        own = (reference & self.posed)[self.posed]
        if own.any():
            found = [self.solution.against(v, own) for v in range(len(own))]
            offsets[self.posed], stds[self.posed] = np.transpose(found)
        return offsets, stds

    def reference(self, before: np.ndarray) -> np.ndarray:
        """The views (V,) of `before` without certain offsets from each other, as TimeOffsets.reference."""
        among = (before & self.posed)[self.posed]
        n, certain = len(among), np.zeros((len(among), len(among)), bool)
        for a in range(n):
            for b in range(a):
                lag, std = self.solution.against(b, np.arange(n) == a)
                certain[a, b] = certain[b, a] = abs(lag) > SURE * std
        kept = before.copy()
        if certain[np.ix_(among, among)].any():
            kept[self.posed] = reference_views(among, certain)
        return kept

    def left(self, reference: np.ndarray) -> dict[int, ViewTime]:
        """The offsets of the views that are not reference views, where they are worth a correction."""
        offsets, stds = self.from_reference(reference)
        late = ~reference & (np.abs(offsets) > WORTH_CORRECTING * stds)
        return {v: ViewTime((0.0,), (float(offsets[v]),)) for v in np.flatnonzero(late).tolist()}


def joint_offsets(sampled: Sampled, seed: int) -> JointOffsets | None:
    """Adjust the offsets of all views together with a rig; None without a rig."""
    try:
        rig = find_rig(sampled.points_norm, sampled.sigma, seed=seed)
    except RigNotFound:
        return None
    posed = rig.has_extrinsics
    points_norm, sigma = sampled.points_norm[:, :, posed], sampled.sigma[:, :, posed]
    solution = adjust_offsets(points_norm, sigma, sampled.window, rig.R[posed], rig.t[posed], fps=sampled.fps)
    return None if solution is None else JointOffsets(solution, posed)
