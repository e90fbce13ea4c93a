"""The alerts of all stages: the verdict of the first screen, and the section that lists every alert."""

from collections.abc import Sequence

from pipeline.alerts import Alert
from pipeline.report.data.alerts import AlertGroup, count_alerts, grouped, verdict
from pipeline.report.page.blocks import Section, Table, Verdict

# Kinds of alerts that do not concern the labels.
OF_NETWORK = {"not_trained", "joints_not_trained", "few_training_samples", "not_refined", "no_test_recordings"}
MAX_SHOWN = 8  # groups on the first screen; the section lists all alerts
ORIGIN = (
    "Every stage states its doubts about the footage and about its results. Error: something was refused, or results"
    " are not usable. Warning: results may be wrong by more than their stated uncertainty. Note: worth knowing; the"
    " uncertainty covers it."
)


def first_screen_verdict(alerts: Sequence[Alert]) -> Verdict:
    """The number of alerts of each severity and their groups, the worst first."""
    groups = grouped(alerts)
    worst = groups[0].severity if groups else "none"
    return Verdict(worst, _title(alerts), groups[:MAX_SHOWN], _more(groups))


def _title(alerts: Sequence[Alert]) -> str:
    if not alerts:
        return "No doubts: no stage has an error, a warning or a note"
    words = verdict(count_alerts(alerts))
    return words[0].upper() + words[1:]


def _more(groups: Sequence[AlertGroup]) -> str:
    n_more = len(groups) - MAX_SHOWN
    return f"{n_more} more kinds of alerts" if n_more > 1 else "one more kind of alert" if n_more == 1 else ""


def flags(alerts: Sequence[Alert]) -> tuple[str, str]:
    """What the first screen says beside the figures of labels and network; empty without errors and warnings.

    Doubts about the labels concern the network, which is trained on them, but not the other way round.
    """
    return _flag([alert for alert in alerts if alert.kind not in OF_NETWORK]), _flag(alerts)


def _flag(alerts: Sequence[Alert]) -> str:
    n = count_alerts(alerts)
    if n["error"]:
        return f"Read the {'error' if n['error'] == 1 else 'errors'} above before you use this figure."
    if n["warning"]:
        return f"The {'warning' if n['warning'] == 1 else 'warnings'} above may concern this figure."
    return ""


def alert_section(alerts: Sequence[Alert]) -> Section:
    """All alerts, one line each, the worst first."""
    rows = [(a.severity, a.subject, a.message, a.evidence, a.mend, a.kind) for a in alerts]
    head = ("severity", "about", "what was found", "evidence", "what to do", "kind")
    blocks = [Table("", head, rows, "The same list, for programs: reports/alerts.json.", words=True)] if rows else []
    return Section("alerts", "Alerts", ORIGIN, [*blocks])
