"""Simulated sets of the kinds that real footage comes in: the rig's error against what is stated for it, over seeds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.trust.runs import Outcome, run_take
from bench.trust.takes import scenes
from bench.trust.takes.take import Take
from bench.trust.verdicts import Errors, errors_of

Z = ("rig", "centre", "scale")
HEADER = (
    f"{'simulated sets':<40} {'rigs':>9} {'deg':>6} {'stated':>7} {'z^2':>6} {'worst':>6} {'centre mm':>10} {'z^2':>6} "
    f"{'|scale| %':>10} {'z^2':>6} {'labels rms / stated':>20}"
)


def _pair(seed: int) -> Take:
    return scenes.room(seed).views_taken([0, 1])


def _three(seed: int) -> Take:
    return scenes.room(seed, n_views=3)


def _brief(seed: int) -> Take:
    return scenes.room(seed, seconds=1.5)


def _five(seed: int) -> Take:
    return scenes.take_of(scenes.walker(seed, 8.0, "bend"), scenes.room_cameras(seed, 5), seed)


def _bystander(seed: int) -> Take:
    """Another person is taken for the first one in a tenth of the frames of two views."""
    take, rng = scenes.room(seed), np.random.default_rng([seed, 18])
    n = take.recording.n_frames
    where = np.repeat(rng.random((n // 5, take.n_views)) < 0.1, 5, axis=0)[:n] & (np.arange(take.n_views) < 2)
    other = scenes.walker(seed + 500, n / scenes.FPS, "reach")
    return scenes.with_other_person(take, other, where, seed)


def _coarse_desk(seed: int) -> Take:
    return scenes.desk(seed, noise=scenes.Noise().scaled(1.6))


KINDS: dict[str, Callable[[int], Take]] = {
    "room, four views": scenes.room,
    "room, three views": _three,
    "room, two views": _pair,
    "room, 1.5 s": _brief,
    "room, five views, bending": _five,
    "room, a bystander taken for the person": _bystander,
    "desk, webcams": scenes.desk,
    "desk, webcams, a coarse detector": _coarse_desk,
}


@dataclass(frozen=True)
class Kind:
    """The errors of one kind of set over seeds."""

    name: str
    outcomes: list[Outcome]
    errors: list[Errors]

    @property
    def squares(self) -> dict[str, float]:
        """Mean squares of error over stated deviation; NaN where nothing is stated."""
        own = self.errors
        return {
            "rig": _mean_square([e.rig_deg / e.rig_std_deg for e in own]),
            "centre": _mean_square([e.center_mm / e.center_std_mm for e in own]),
            "scale": _mean_square([e.scale / e.scale_std if e.scale_std else np.nan for e in own]),
        }

    def __str__(self) -> str:
        """One line of the table."""
        own, z = self.errors, self.squares
        rigs = f"{len(own)} of {len(self.outcomes)}"
        if not own:
            return f"{self.name:<40} {rigs:>9}"
        deg, std, mm, scale = (_rms(values) for values in zip(
            *((e.rig_deg, e.rig_std_deg, e.center_mm, e.scale) for e in own), strict=True))  # fmt: skip
        return (
            f"{self.name:<40} {rigs:>9} {deg:>6.2f} {std:>7.2f} {z['rig']:>6.2f} "
            f"{max(e.rig_deg / e.rig_std_deg for e in own):>6.2f} {mm:>10.1f} {z['centre']:>6.2f} "
            f"{100 * scale:>10.1f} {z['scale']:>6.2f} {_rms([e.labels_rms_ratio for e in own]):>20.2f}"
        )


def _mean_square(values: list[float]) -> float:
    return float(np.mean(np.square(values)))


def _rms(values: list[float]) -> float:
    return float(np.sqrt(_mean_square(values)))


def run(seeds: int) -> list[Kind]:
    """Print the table; a refused set counts only in the number of rigs."""
    print(f"\n{HEADER}")
    found = []
    for name, make in KINDS.items():
        outcomes, errors = [], []
        for seed in range(seeds):
            take = make(100 + seed)
            assert take.truth is not None
            assert take.truth.joints_world_mm is not None
            outcomes.append(run_take(take, mode="rig"))
            own = errors_of(outcomes[-1], [take.truth.joints_world_mm], take.truth.cameras, "similarity")
            errors += [] if own is None or outcomes[-1].rig is None else [own]
        found.append(Kind(name, outcomes, errors))
        print(found[-1], flush=True)
    return found


def summary(found: list[Kind]) -> dict[str, float]:
    """The lowest and the highest mean square of rotation errors over their stated deviations, over kinds."""
    squares = [one.squares["rig"] for one in found if one.errors]
    return {"simulated_squared_error_min": min(squares), "simulated_squared_error_max": max(squares)} if squares else {}
