"""The alert that names several people, and what makes it."""

import numpy as np

from pipeline.geometry.triangulation.person.several_people import SeveralPeople
from pipeline.labels.labelling.person import several_people_alert
from tests.world.capture import walkers


def test_the_alert_names_views_share_distance_and_mend(tmp_path):
    recording = walkers(tmp_path).capture.recordings[0]
    found = SeveralPeople(0.42, np.array([0.0, 0.4, 0.05, 0.0]), 730.0)
    alert = several_people_alert(recording, found)
    assert (alert.kind, alert.severity, alert.subject) == ("several_people", "warning", recording.name)
    assert "42%" in alert.evidence
    assert "0.7 m" in alert.evidence
    assert alert.evidence.endswith("c1 40%, c2 5%")
    assert "not made yet" in alert.mend
