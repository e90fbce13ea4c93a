"""The comparison of two experiments, on tables whose changes are known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.report.comparison.compare import changes, compare_experiments, comparison
from pipeline.report.data.measurements import COLUMNS, WHOLE_POSE, write_table


def table(*, walk=0.0, wrist=0.0, part="test", recordings=8, reference="reference 1", pck=0.0):
    """Recordings of two actions; errors that differ from one to another, and shifts to be found."""
    rng = np.random.default_rng(1)
    rows = []
    for n in range(recordings):
        action, base = ("walk", "sit")[n % 2], rng.uniform(60, 90)
        shift = walk if action == "walk" else 0
        place = (part, f"S{n}-{action}", f"S{n}", action, "cam0")
        rows.append((*place, WHOLE_POSE, "n_mpjpe_mm", "standard", 100, base + shift))
        rows.append((*place, WHOLE_POSE, "pck150", "standard", 100, 80 + pck))
        rows.append((*place, WHOLE_POSE, "pss50", reference, 100, 50.0))
        errors = {"head": base, "l_wrist": base + wrist}
        rows += [(*place, joint, "n_mpjpe_mm", "standard", 100, error) for joint, error in errors.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compared(*tables):
    return "\n".join(comparison(*tables))


def test_the_action_and_the_joint_that_changed_are_listed():
    text = compared(table(), table(walk=-5, wrist=7))
    assert "| walk |" in text
    assert "No significant change (at most 0.00): sit." in text
    assert "| l_wrist |" in text
    assert "No significant change (at most 0.00): head." in text
    (walk,) = [line for line in text.splitlines() if line.startswith("| walk |")]
    assert walk.endswith("| -5.00 | -5.00 to -5.00 | better |")
    (wrist,) = [line for line in text.splitlines() if line.startswith("| l_wrist |")]
    assert wrist.endswith("| +7.00 | +7.00 to +7.00 | worse |")


def test_higher_is_better_where_it_is():
    verdicts = changes(table(), table(walk=3, pck=3), ["metric"]).set_index("metric")["verdict"]
    assert verdicts["n_mpjpe_mm"] == "worse"
    assert verdicts["pck150"] == "better"
    assert verdicts["pss50"] == "–"


def test_a_change_is_significant_although_recordings_differ_more():
    """The same recordings are compared, so that their difficulty does not count."""
    whole = (one[one["joint"] == WHOLE_POSE] for one in (table(), table(walk=2)))
    row = changes(*whole, ["metric"]).set_index("metric").loc["n_mpjpe_mm"]
    assert row["low"] > 0
    assert row["change"] == pytest.approx(1)


def test_a_change_of_few_recordings_has_no_verdict():
    text = compared(table(recordings=2), table(recordings=2, walk=30))
    assert "too few recordings | ? |" in text
    assert "better" not in text
    assert "worse" not in text


def test_only_what_both_measured_is_compared():
    text = compared(table(recordings=8), table(recordings=6))
    assert "Left out, because only before has them: 2 views of S6-walk, S7-sit." in text
    assert "No figure changed." in text


def test_scores_by_other_references_are_not_compared():
    text = compared(table(), table(walk=1, reference="reference 2"))
    assert "PSS by different references is not comparable (pss50 by reference 1; pss50 by reference 2)" in text
    assert "| pss50" not in text


def test_nothing_in_common():
    with pytest.raises(UserError, match="no part in common: test and labels"):
        compared(table(), table(part="labels"))


def test_two_folders(tmp_path):
    for name, walk in (("a", 0), ("b", 4)):
        (tmp_path / name).mkdir()
        write_table(tmp_path / name / "breakdown.csv", table(walk=walk))
    text = compare_experiments(str(tmp_path / "a"), str(tmp_path / "b"))
    assert text.startswith(f"# From {tmp_path / 'a'} to {tmp_path / 'b'}")
    assert "| walk |" in text


def test_a_name_that_is_nothing(tmp_path):
    with pytest.raises(UserError, match="nonsense is neither a folder nor an experiment"):
        compare_experiments("nonsense", str(tmp_path))
