"""Compare two experiments in Markdown (`epiline compare`)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dvc.api
import numpy as np
import pandas as pd
from dvc.exceptions import DvcException
from dvc.scm import SCMError

from pipeline import metrics
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.report.comparison.side_by_side import side_by_side
from pipeline.report.data.evaluate import SHOWN
from pipeline.report.data.measurements import WHOLE_POSE, read_measured

TABLE = "reports/breakdown.csv"
PARTS = {
    "labels": "Labels", "labels_known": "Labels, cameras given", "test": "Network, unseen people",
    "test_new_view": "Network, unseen people and view", "test_labels": "Network against labels", "detector": "Detector",
}  # fmt: skip
# The figure that tells where each part changed.
TELLING = {"detector": "error_box_percent"}
UNSURE = "?"  # the verdict where recordings are too few
SMALLEST = 0.005  # a smaller change is none: it would be printed as 0.00
DIMENSIONS = ("joint", "action", "subject", "view")
HIGHER_IS_BETTER = {"found_percent", "pckh50", "oks"} | {m.name for m in metrics.METRICS.values() if m.higher_is_better}


def compare_experiments(before: str, after: str) -> str:
    """Markdown that says what changed between two experiments: parameters, figures, joints, actions, subjects, views.

    Each is the name of an experiment, a git revision, "workspace", or a folder that holds a breakdown.csv.
    Raises UserError where one of them is none of these or they have nothing in common.
    """
    reported = comparison(_table_of(before), _table_of(after))
    return "\n".join([f"# From {before} to {after}", "", *_parameters(before, after), *reported])


def write_side_by_side(before: str, after: str, path: Path) -> None:
    """Write a page with poses of two experiments side by side."""
    page = side_by_side((before, after), (_revision(before), _revision(after)))
    with atomic_write(path) as aside:
        aside.write_text(page, encoding="utf-8")


def comparison(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    """The lines that say what changed between two tables of `measured`.

    Raises UserError where they have nothing in common.
    """
    parts = [part for part in PARTS if part in set(before["part"]) & set(after["part"])]
    if not parts:
        reported = " and ".join(", ".join(sorted(set(table["part"]))) or "nothing" for table in (before, after))
        raise UserError(f"the two have no part in common: {reported}", fix="Compare experiments on the same footage.")
    for part in parts:
        ours, theirs = (table[table["part"] == part] for table in (before, after))
        yield from (f"## {PARTS[part]}", "", *_recordings(ours, theirs))
        whole_a, whole_b = (table[(table["joint"] == WHOLE_POSE) & _shown(table, part)] for table in (ours, theirs))
        figures = changes(whole_a, whole_b, by=["metric", "protocol"])
        if (figures["change"].abs() < SMALLEST).all():
            yield from ("No figure changed.", "")
            continue
        names = figures["metric"].where(~_is_score(figures), figures["metric"] + ", " + figures["protocol"])
        yield from _lines("figure", names, figures)
        yield from _references(whole_a, whole_b)
        metric = TELLING.get(part, "n_mpjpe_mm")
        for dimension in DIMENSIONS:
            a, b = (_telling(table, metric, of_joints=dimension == "joint") for table in (ours, theirs))
            yield from _groups(dimension, metric, changes(a, b, by=[dimension, "metric"]))


def _shown(table: pd.DataFrame, part: str) -> pd.Series:
    """Which rows are of the figures that metrics.json holds too."""
    return _is_score(table) | ((table["protocol"] == "standard") & table["metric"].isin(SHOWN[part]))


def _is_score(table: pd.DataFrame) -> pd.Series:
    """Which rows are of the pose structure score."""
    return table["metric"].str.startswith("pss")


def _telling(table: pd.DataFrame, metric: str, *, of_joints: bool) -> pd.DataFrame:
    """The rows of one metric by the standard protocol, of joints or of whole poses."""
    chosen = (table["metric"] == metric) & (table["protocol"] == "standard")
    return table[chosen & ((table["joint"] != WHOLE_POSE) == of_joints)]


def changes(before: pd.DataFrame, after: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Figures of groups of rows before and after, on the recordings and views that both measured; largest change first.

    Columns: those of `by`, before, after, change, low and high (its interval), and verdict.
    """
    keys = ["recording", "view", "joint", "metric", "protocol"]
    both = before.merge(after.drop(columns=["part", "subject", "action"]), on=keys, suffixes=("_a", "_b"))
    for side in "ab":
        both[f"sum_{side}"] = both[f"count_{side}"] * both[f"mean_{side}"]
    columns = ["sum_a", "count_a", "sum_b", "count_b"]
    rows = []
    for key, group in both.groupby(by, sort=False):
        reported = dict(zip(by, key, strict=True))
        sum_a, count_a, sum_b, count_b = group.groupby("recording")[columns].sum().to_numpy(float).T
        old, new = sum_a.sum() / count_a.sum(), sum_b.sum() / count_b.sum()
        low, high = metrics.interval_of_change(sum_a, count_a, sum_b, count_b)
        rows.append((*key, old, new, new - old, low, high, _verdict(str(reported["metric"]), low, high)))
    found = pd.DataFrame(rows, columns=[*by, "before", "after", "change", "low", "high", "verdict"])
    return found.sort_values("change", key=abs, ascending=False, kind="stable")


def _verdict(metric: str, low: float, high: float) -> str:
    if not np.isfinite(low):
        return UNSURE
    if low <= 0 <= high:
        return "–"
    higher_is_better = metric in HIGHER_IS_BETTER or metric.startswith("pss")
    return "better" if (low > 0) == higher_is_better else "worse"


def _lines(head: str, names: Iterable[str], rows: pd.DataFrame) -> Iterator[str]:
    """A Markdown table of changes, a row for each."""
    yield from (f"| {head} | before | after | change | 95 % interval | |", "|---|---|---|---|---|---|")
    for name, row in zip(names, rows.itertuples(), strict=True):
        interval = "too few recordings" if row.verdict == UNSURE else f"{row.low:+.2f} to {row.high:+.2f}"
        yield f"| {name} | {row.before:.2f} | {row.after:.2f} | {row.change:+.2f} | {interval} | {row.verdict} |"
    yield ""


def _groups(dimension: str, metric: str, rows: pd.DataFrame) -> Iterator[str]:
    """The groups that changed for sure, or of which nothing can be sure; the others by name."""
    if len(rows) < 2:
        return
    yield from (f"### By {dimension} ({metric})", "")
    small = rows["change"].abs() < SMALLEST
    rest = rows[small | (rows["verdict"] == "–")]
    reported = rows.drop(rest.index)
    if len(reported):
        yield from _lines(dimension, reported[dimension], reported)
    if len(rest):
        yield from (f"No sure change (at most {rest['change'].abs().max():.2f}): {', '.join(rest[dimension])}.", "")


def _recordings(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    """What only one of the two measured, and is therefore left out."""
    sides = [set(zip(table["recording"], table["view"], strict=True)) for table in (before, after)]
    for name, only in (("before", sides[0] - sides[1]), ("after", sides[1] - sides[0])):
        if only:
            reported = ", ".join(sorted({recording for recording, _ in only}))
            yield from (f"Left out, as only {name} has them: {len(only)} views of {reported}.", "")


def _references(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    scores = [table[_is_score(table)] for table in (before, after)]
    named = [set(zip(table["metric"], table["protocol"], strict=True)) for table in scores]
    if named[0] != named[1]:
        reported = "; ".join(", ".join(f"{m} by {p}" for m, p in sorted(one)) or "none" for one in named)
        yield from (f"PSS by different references is not comparable ({reported}): see references/pss/README.md.", "")


def _parameters(before: str, after: str) -> Iterator[str]:
    """The parameters that differ, where both are revisions."""
    if any(Path(name).is_dir() for name in (before, after)):
        return
    old, new = (_flat(dvc.api.params_show("params.yaml", rev=_revision(name))) for name in (before, after))
    differ = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if differ:
        yield from ("| parameter | before | after |", "|---|---|---|")
        yield from (f"| {key} | {old.get(key)} | {new.get(key)} |" for key in differ)
        yield ""


def _flat(params: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in params.items():
        found |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


def _table_of(name: str) -> pd.DataFrame:
    if Path(name).is_dir():
        return read_measured(Path(name) / Path(TABLE).name)
    if name == "workspace":
        return read_measured(Path(TABLE))
    try:
        with dvc.api.open(TABLE, rev=name) as file:
            return read_measured(file)
    except (DvcException, SCMError, FileNotFoundError) as error:
        what = f"{name} is neither a folder nor an experiment or revision with {TABLE}: {error}"
        raise UserError(what, fix="dvc exp show lists experiments; dvc repro makes the table.") from None


def _revision(name: str) -> str | None:
    return None if name == "workspace" else name
