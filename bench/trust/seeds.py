"""Whether another seed or another threshold of confidence makes another rig of the same footage."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.trust.runs import FoundRig, calibrate_take
from bench.trust.takes.take import Take
from pipeline.geometry.align import rig_similarity, rotation_angle

SEEDS, CONFIDENCES = 10, (0.2, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class Spread:
    """How far the accepted rigs of one take lie apart."""

    name: str
    accepted: int
    tried: int
    deg: float  # the largest root-mean-square difference of two rigs
    sigmas: float  # the largest, over the deviation stated by the better one of the two

    def __str__(self) -> str:
        """One line of the table."""
        return f"{self.name:<40} {f'{self.accepted} of {self.tried}':>9} {self.deg:>8.2f} {self.sigmas:>8.2f}"


def spread(name: str, take: Take, seeds: int = SEEDS) -> Spread:
    """Calibrate a take with several seeds, and with several thresholds of confidence."""
    tried: list[dict[str, float]] = [{"seed": seed} for seed in range(seeds)]
    tried += [{"min_confidence": least} for least in CONFIDENCES]
    outcomes = [calibrate_take(take, mode="rig", **change) for change in tried]
    rigs = [outcome.rig for outcome in outcomes if outcome.rig is not None]
    pairs = [(_apart_deg(a, b), min(_std_deg(a), _std_deg(b))) for a, b in combinations(rigs, 2)]
    deg = max((apart for apart, _ in pairs), default=float("nan"))
    sigmas = max((apart / std for apart, std in pairs), default=float("nan"))
    return Spread(name, len(rigs), len(tried), deg, sigmas)


def _apart_deg(a: FoundRig, b: FoundRig) -> float:
    _, Q, _ = rig_similarity(a.R, a.centers_mm, b.R, b.centers_mm)
    angles = np.degrees(rotation_angle(a.R @ Q.T @ np.swapaxes(b.R, -1, -2)))
    return float(np.sqrt(np.nanmean(angles**2)))


def _std_deg(rig: FoundRig) -> float:
    return float(np.sqrt(np.nanmean(rig.rotation_std_deg**2)))


def run(takes: dict[str, Take], seeds: int = SEEDS) -> dict[str, float]:
    """Print the table and return its figure."""
    print(f"\n{'seeds and thresholds of confidence':<40} {'accepted':>9} {'deg':>8} {'sigmas':>8}")
    found = []
    for name, take in takes.items():
        found.append(spread(name, take, seeds))
        print(found[-1], flush=True)
    known = [one.sigmas for one in found if np.isfinite(one.sigmas)]
    return {"seed_difference_over_sigma_max": max(known)} if known else {}
