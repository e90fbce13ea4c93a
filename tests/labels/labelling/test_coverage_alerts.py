"""Alerts about recordings with few labels."""

import numpy as np

from pipeline.geometry.triangulation.labelling import Status
from pipeline.labels.labelling.coverage_alerts import MENDS, coverage_alerts


def counts(**numbers):
    values = np.zeros(len(Status), int)
    for name, n in numbers.items():
        values[Status[name]] = n
    return values


def test_a_recording_with_most_labels_is_not_named():
    assert not coverage_alerts({"S1": counts(VALID=90, LEAP=10), "S2": counts(VALID=5)})


def test_few_labels_are_a_note_and_very_few_a_warning_with_the_most_frequent_reasons():
    few, very_few = coverage_alerts({
        "S1": counts(VALID=70, TOO_FEW_VIEWS=20, LEAP=10),
        "S2": counts(VALID=20, VIEWS_DISAGREE=50, LEAP=10, UNDETERMINED=15, OTHER_PERSON=5),
    })  # fmt: skip
    assert (few.severity, few.subject, few.evidence) == ("note", "S1", "20 % too few views, 10 % leap")
    assert (very_few.severity, very_few.evidence) == ("warning", "50 % views disagree, 15 % undetermined, 10 % leap")
    assert very_few.mend == MENDS[Status.VIEWS_DISAGREE]


def test_a_recording_without_any_label_is_a_warning():
    [alert] = coverage_alerts({"S1": counts(NO_RIG=17)})
    assert alert.severity == "warning"
    assert "only 0 %" in alert.message


def test_undecided_sides_are_named():
    assert not coverage_alerts({"S1": counts(VALID=995, AMBIGUOUS_SIDES=5)})
    [some] = coverage_alerts({"S1": counts(VALID=95, AMBIGUOUS_SIDES=5)})
    assert (some.kind, some.severity, some.evidence) == ("undecided_sides", "note", "5 % of the joints")
    [many] = coverage_alerts({"S1": counts(VALID=85, AMBIGUOUS_SIDES=15)})
    assert (many.severity, many.mend) == ("warning", MENDS[Status.AMBIGUOUS_SIDES])
