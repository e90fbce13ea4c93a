"""Alerts: doubts about the footage and the results, each with its evidence and its mend.

A stage logs an alert when it finds one and keeps it in the summary of its store. The report collects the alerts of all
stages.
"""

import logging
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

log = logging.getLogger("epiline")

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # the worst first
LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "note": logging.INFO}


class Alert(BaseModel):
    """One doubt, for the person who reads the results.

    `error`: something was refused, or the results about the subject are not usable. `warning`: they may be wrong by
    more than their stated uncertainty. `note`: worth knowing; the uncertainty covers it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    kind: str  # what kind of doubt, in snake_case, such as late_camera; stable, for programs
    severity: Severity
    subject: str  # what it is about: a recording, a rig, a camera, such as "S1_walk, cam3"
    message: str  # what was found
    evidence: str = ""  # the figures that it was found by
    mend: str = ""  # what to do about it

    def __str__(self) -> str:
        """The alert as one line.

        >>> print(Alert(kind="late_camera", severity="warning", subject="S1_walk, cam3", message="the camera is late",
        ...             evidence="by 12 +- 1 frames", mend="Trim the other videos."))
        warning: S1_walk, cam3: the camera is late (by 12 +- 1 frames). Trim the other videos.
        """
        evidence = f" ({self.evidence})" if self.evidence else ""
        mend = f" {self.mend}" if self.mend else ""
        return f"{self.severity}: {self.subject}: {self.message.rstrip('.')}{evidence}.{mend}"


def log_alerts(alerts: Iterable[Alert]) -> None:
    """Log alerts, each as one line at the level of its severity."""
    for alert in alerts:
        log.log(LEVELS[alert.severity], "%s", alert)


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts without repetitions, the worst first; within a severity in their given order."""
    return sorted(dict.fromkeys(alerts), key=lambda alert: SEVERITIES.index(alert.severity))
