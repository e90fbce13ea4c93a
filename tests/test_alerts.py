"""Alerts: one line each, the worst first, logged at their level."""

import logging

import pytest
from pydantic import ValidationError

from pipeline.alerts import Alert, log_alerts, worst_first


def alert(severity="warning", **changes):
    return Alert(**{"kind": "late_camera", "severity": severity, "subject": "S1", "message": "late.", **changes})


def test_an_alert_is_one_line():
    assert str(alert()) == "warning: S1: late."
    assert str(alert(evidence="2 frames", mend="Trim.")) == "warning: S1: late (2 frames). Trim."


def test_the_worst_come_first_and_none_twice():
    note, error = alert("note"), alert("error")
    other = alert("error", subject="S2")
    assert worst_first([note, error, note, other]) == [error, other, note]


def test_alerts_are_logged_at_the_level_of_their_severity(caplog):
    with caplog.at_level(logging.INFO, logger="epiline"):
        log_alerts([alert("note"), alert("error")])
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR"]


def test_unknown_severities_and_keys_are_refused():
    with pytest.raises(ValidationError):
        alert("fatal")
    with pytest.raises(ValidationError):
        alert(colour="red")
