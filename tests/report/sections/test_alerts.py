"""The verdict of the first screen and the list of all alerts."""

from pipeline.alerts import Alert
from pipeline.report.sections.alerts import MAX_SHOWN, alert_section, first_screen_verdict, flags


def alerts_of(*severities):
    return [
        Alert(kind=f"kind_{i}", severity=severity, subject="S1", message="m") for i, severity in enumerate(severities)
    ]


def test_the_verdict_counts_every_severity_and_has_the_worst_first():
    shown = first_screen_verdict(alerts_of("note", "warning", "error", "warning"))
    assert shown.title == "1 error, 2 warnings, 1 note"
    assert shown.worst == "error"
    assert [finding.severity for finding in shown.findings] == ["error", "warning", "warning", "note"]
    assert not shown.more


def test_without_alerts_the_verdict_says_so():
    shown = first_screen_verdict([])
    assert shown.worst == "none"
    assert shown.title.startswith("No doubts")
    assert not alert_section([]).blocks


def test_what_does_not_fit_on_the_first_screen_is_counted():
    alerts = alerts_of(*["note"] * (MAX_SHOWN + 2), "error")
    shown = first_screen_verdict(alerts)
    assert shown.findings[0].severity == "error"
    assert len(shown.findings) == MAX_SHOWN
    assert shown.more == "3 more kinds of alerts"
    assert len(alert_section(alerts).blocks[0].rows) == len(alerts)


def test_figures_are_flagged_by_errors_and_warnings_but_not_by_notes():
    errors = "Read the errors above before you use this figure."
    assert flags(alerts_of("error", "error", "warning")) == (errors, errors)
    assert flags(alerts_of("warning", "note"))[0] == "The warning above may concern this figure."
    assert flags(alerts_of("note")) == ("", "")


def test_doubts_about_the_network_do_not_flag_the_labels():
    alert = Alert(kind="not_trained", severity="error", subject="3D network", message="m")
    assert flags([alert]) == ("", "Read the error above before you use this figure.")
