"""The alerts of all stages: collected, counted, and those of one kind grouped."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline.alerts import SEVERITIES, Alert, Severity, worst_first
from pipeline.capture import Capture
from pipeline.files import atomic_write, placeholder_alerts
from pipeline.pss import read_reference_alerts
from pipeline.report.data.files import REFINE_SOURCES, Files
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, open_store

MAX_SUBJECTS = 5  # named of a group; of more only the number


@dataclass(frozen=True)
class AlertGroup:
    """Alerts of one kind and severity, shown as one."""

    alerts: Sequence[Alert]

    @property
    def severity(self) -> Severity:
        """The severity of all alerts."""
        return self.alerts[0].severity

    @property
    def subjects(self) -> str:
        """The subjects without repetitions, views by recording; of many only a few and the number of the others."""
        names = list(dict.fromkeys(alert.subject for alert in self.alerts))
        more = len(names) - MAX_SUBJECTS
        views: dict[str, list[str]] = {}
        for name in names[:MAX_SUBJECTS]:
            recording, _, view = name.partition(", ")
            views.setdefault(recording, []).append(view)
        shown = [", ".join([recording, *filter(None, own)]) for recording, own in views.items()]
        return "; ".join(shown) + (f" and {more} more" if more > 0 else "")

    @property
    def message(self) -> str:
        """What was found: the message of the first alert, and how many others of the kind there are."""
        first, n_others = self.alerts[0].message.rstrip("."), len(self.alerts) - 1
        if not n_others or all(alert.message == self.alerts[0].message for alert in self.alerts):
            return first
        return f"{first}; {n_others} more of this kind"

    @property
    def evidence(self) -> str:
        """The evidence of the first alert; an ellipsis stands for that of the others."""
        known = list(dict.fromkeys(alert.evidence for alert in self.alerts if alert.evidence))
        return (known[0] + ("; ..." if len(known) > 1 else "")) if known else ""

    @property
    def mend(self) -> str:
        """What to do, of the first alert that says it."""
        return next((alert.mend for alert in self.alerts if alert.mend), "")

    def __str__(self) -> str:
        """The group as one line."""
        return str(self.alerts[0].model_copy(update={
            "subject": self.subjects, "message": self.message, "evidence": self.evidence, "mend": self.mend,
        }))  # fmt: skip


def collect_alerts(files: Files, capture: Capture) -> list[Alert]:
    """The alerts of all stages without repetitions, the worst first; within a severity in the order of the chain."""
    return worst_first(_all(files, capture))


def _all(files: Files, capture: Capture) -> Iterator[Alert]:
    yield from (rejected.alert for rejected in capture.rejected)
    yield from capture.alerts
    yield from capture.alerts
    yield from open_store(files.poses2d, POSES2D).summary.alerts
    yield from open_store(files.rigs, RIGS).summary.alerts
    yield from open_store(files.labels, LABELS).summary.alerts
    yield from read_reference_alerts(files.pss)
    yield from placeholder_alerts(files.baseline)
    if files.has_predictions:
        yield from open_store(files.predictions, PREDICTIONS).summary.alerts
    for folder in (files.predictions, *(files.refined(source) for source in REFINE_SOURCES)):
        yield from placeholder_alerts(folder)


def grouped(alerts: Iterable[Alert]) -> list[AlertGroup]:
    """Alerts of the same severity and kind as one group each, the worst first."""
    found = worst_first(alerts)
    order = {(a.severity, a.kind): i for i, a in reversed(list(enumerate(found)))}
    found.sort(key=lambda alert: order[alert.severity, alert.kind])
    return [AlertGroup(list(own)) for _, own in groupby(found, key=lambda alert: (alert.severity, alert.kind))]


def count_alerts(alerts: Iterable[Alert]) -> dict[Severity, int]:
    """The number of alerts of each severity."""
    severities = [alert.severity for alert in alerts]
    return {severity: severities.count(severity) for severity in SEVERITIES}


def verdict(counts: dict[Severity, int]) -> str:
    """The numbers of errors, warnings and notes in words.

    >>> verdict({"error": 1, "warning": 0, "note": 3})
    '1 error, no warnings, 3 notes'
    """
    return ", ".join(f"{n or 'no'} {severity}{'s' if n != 1 else ''}" for severity, n in counts.items())


def write_alerts(path: Path, alerts: Iterable[Alert]) -> None:
    """Write the alerts as a JSON list of objects with the keys of `Alert`."""
    with atomic_write(path) as aside:
        rows = [alert.model_dump(mode="json") for alert in alerts]
        aside.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
