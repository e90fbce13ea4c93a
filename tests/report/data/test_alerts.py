"""The alerts of all stages as the report states them."""

import json

from pipeline.alerts import Alert
from pipeline.capture import read_capture
from pipeline.report.data.alerts import collect_alerts, count_alerts, grouped, write_alerts
from tests.world.capture import REJECTED
from tests.world.labels import write_labels
from tests.world.results import files_of, write_all


def alert(kind="few_views", severity="warning", subject="S1_walk", message="too few views", **more):
    return Alert(kind=kind, severity=severity, subject=subject, message=message, **more)


def test_the_alerts_of_all_stages_are_collected_the_worst_first(tmp_path):
    world = write_all(tmp_path)
    world.capture.alerts = [alert("dropped_frames", "note")]
    world.capture.write(world.paths.frames)
    late = alert("late_camera", "warning", "S1-turning, cam3")
    note = alert("bystanders", "note")
    write_labels(world, alerts=[note, late, note])
    found = collect_alerts(files_of(tmp_path), read_capture(world.paths.frames))
    assert [one.kind for one in found] == ["recording_rejected", "late_camera", "dropped_frames", "bystanders"]
    assert REJECTED in found[0].message


def test_many_of_a_kind_are_one_group_and_do_not_hide_an_error():
    alerts = [alert(subject=f"S{i}", evidence=f"{i} views") for i in range(30)]
    alerts.insert(17, alert("no_rig", "error", "S40", "not calibrated", mend="Film longer."))
    first, second = grouped(alerts)
    assert str(first) == "error: S40: not calibrated. Film longer."
    assert second.subjects == "S0; S1; S2; S3; S4 and 25 more"
    assert second.message == "too few views"
    assert second.evidence == "0 views; ..."


def test_a_group_of_different_messages_says_how_many_more_there_are():
    [group] = grouped([alert(message="2 views."), alert(message="3 views"), alert(message="4 views")])
    assert group.message == "2 views; 2 more of this kind"
    assert group.subjects == "S1_walk"


def test_views_of_a_recording_are_listed_together():
    subjects = ("S1, cam1", "S2, cam4", "S1, cam2", "S3")
    [group] = grouped([alert(subject=subject) for subject in subjects])
    assert group.subjects == "S1, cam1, cam2; S2, cam4; S3"


def test_severities_of_one_kind_are_not_mixed():
    groups = grouped([alert(severity="note"), alert(severity="error"), alert(severity="note", subject="S2")])
    assert [(group.severity, len(group.alerts)) for group in groups] == [("error", 1), ("note", 2)]


def test_groups_keep_the_order_of_their_first_alerts():
    groups = grouped([alert("b"), alert("a"), alert("b", subject="S2"), alert("c")])
    assert [group.alerts[0].kind for group in groups] == ["b", "a", "c"]


def test_the_file_can_be_read_back(tmp_path):
    alerts = [alert("no_rig", "error", message="Grüße", evidence="1 > 0"), alert()]
    write_alerts(tmp_path / "alerts.json", alerts)
    rows = json.loads((tmp_path / "alerts.json").read_text(encoding="utf-8"))
    assert [Alert(**row) for row in rows] == alerts
    assert count_alerts(alerts) == {"error": 1, "warning": 1, "note": 0}
