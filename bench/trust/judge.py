"""Runs cases and prints, for each, the truth, what is stated, the alerts and the verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.trust.cases import Case, Scenes
from bench.trust.runs import Outcome, run_take
from bench.trust.takes.take import Take
from bench.trust.verdicts import FREEDOM, SHARE, SHARE_ALONE, Errors, Verdict, errors_of, label_errors, verdict
from pipeline.geometry.camera.model import Camera

HEADER = (
    f"{'':>2} {'case':<48} {'mode':<7} {'labels mm (98 %)':>17} {'stated':>7} {'off %':>6} {'valid %':>8} "
    f"{'rig deg':>8} {'stated':>7} {'scale %':>8}  verdict  beyond the stated   alerts"
)

# Labels of unaltered footage whose root-mean-square error is less than this share of what is stated.
OVERSTATED = 0.5


@dataclass(frozen=True)
class Judged:
    """A case with its verdict."""

    case: Case
    outcome: Outcome
    errors: Errors | None
    verdict: Verdict

    def __str__(self) -> str:
        """One line of the table."""
        mode = str(self.case.calibrate["mode"])
        start = f"{self.case.number or '-':>2} {self.case.name:<48} {mode:<7} "
        kinds = ", ".join(f"{a.kind} ({a.severity})" for a in self.outcome.alerts) or "none"
        e = self.errors
        if e is None:
            return f"{start}{'':>68}  {self.verdict:<8} {(self.outcome.refused or '')[:110]}"
        off = "/".join(e.wrong(SHARE_ALONE if self.case.is_alone else SHARE))
        scale = f"{100 * e.scale:+.1f}" + ("" if e.scale_std is None else f"~{100 * e.scale_std:.1f}")
        return (
            f"{start}{e.labels_mm:>9.1f} {f'({e.labels_high_mm:.0f})':>7} {e.labels_std_mm:>7.1f} "
            f"{100 * e.share_off:>6.1f} {100 * e.valid:>8.1f} {e.rig_deg:>8.2f} {e.rig_std_deg:>7.2f} {scale:>8}  "
            f"{self.verdict:<8} {off:<20} {kinds}"
        )


class Judge:
    """Judges cases on scenes; runs on unaltered takes are kept, as many cases are compared with them."""

    def __init__(self, scenes: Scenes):
        self.scenes = scenes
        self._unaltered: dict[str, Outcome] = {}

    def judge(self, case: Case) -> Judged:
        """Run a case and judge it."""
        take = self.scenes[case.scene]
        if case.views is not None:
            take = take.views_taken(list(case.views))
        altered = case.recipe(take)
        outcome = run_take(altered.take, **case.calibrate)
        usual = None if case.is_alone else self._usual(case, take)
        people, cameras = self._truth(case, take, usual)
        freedom = FREEDOM[str(case.calibrate["mode"])]
        people = [joints[altered.rows] for joints in people]
        before, before_mm = None, 0.0
        if usual is not None and usual.joints_world_mm is not None and people:
            whole = label_errors(usual, self._truth(case, take, usual)[0][0], freedom)[0]
            before = whole[altered.rows]
            before_mm = float(np.nanmedian(before))
        errors = errors_of(outcome, people, cameras, freedom, before, altered.shifts)
        found = verdict(outcome, errors, usual, before_mm)
        if case.is_hopeless and outcome.refused is None:
            found = "warned" if outcome.warnings else "SILENT"
        return Judged(case, outcome, errors, found)

    def run(self, cases: Iterable[Case]) -> list[Judged]:
        """Judge cases and print them one by one."""
        found = []
        for case in cases:
            found.append(self.judge(case))
            print(found[-1], flush=True)
        return found

    def _usual(self, case: Case, take: Take) -> Outcome:
        """The run on the unaltered take."""
        key = repr((case.scene, case.views, sorted(case.calibrate.items())))
        if key not in self._unaltered:
            self._unaltered[key] = run_take(take, **case.calibrate)
        return self._unaltered[key]

    def _truth(self, case: Case, take: Take, usual: Outcome | None) -> tuple[list[np.ndarray], list[Camera] | None]:
        """The joints of everybody and the cameras: exact, or those of the unaltered run."""
        if case.people is not None:
            return case.people(), take.truth.cameras if take.truth else None
        if take.truth is not None and take.truth.joints_world_mm is not None:
            return [take.truth.joints_world_mm], take.truth.cameras
        if usual is None or usual.joints_world_mm is None:
            return [], take.truth.cameras if take.truth else None
        return [usual.joints_world_mm], usual.rig.cameras if usual.rig else None


def summary(judged: Sequence[Judged]) -> dict[str, int]:
    """Numbers of cases by what the verdicts mean."""
    wrong = [one for one in judged if one.case.number]
    usual = [one for one in judged if not one.case.number]
    return {
        "cases": len(judged),
        "silent_cases": sum(one.verdict == "SILENT" for one in judged),
        "warned_cases": sum(one.verdict == "warned" for one in wrong),
        "stated_cases": sum(one.verdict == "stated" for one in wrong),
        "overstated_cases": sum(one.errors is not None and one.errors.labels_rms_ratio < OVERSTATED for one in usual),
        "false_alarms": sum(bool(one.outcome.warnings) or one.errors is None for one in usual),
    }
