"""Compares two experiments in Markdown (`epiline compare`)."""

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
from pipeline.report.data.measurements import WHOLE_POSE, read_table
from pipeline.report.data.parts import PARTS

TABLE = "reports/breakdown.csv"
# Part -> the metric by which its groups are compared; for other parts it is N-MPJPE.
GROUP_METRIC = {"detector": "error_box_percent"}
UNSURE = "?"  # the verdict if there are too few recordings
UNCHANGED = "–"
SMALLEST = 0.005  # smaller changes are ignored, because they are printed as 0.00
DIMENSIONS = ("joint", "action", "subject", "view")
HIGHER_IS_BETTER = {"found_percent", "pckh50", "oks"} | {m.name for m in metrics.METRICS.values() if m.higher_is_better}


def compare_experiments(before: str, after: str) -> str:
    """A Markdown summary of the changes between two experiments: parameters, figures, joints, actions, subjects, views.

    Each is the name of an experiment, a git revision, "workspace", or a folder that holds a breakdown.csv.
    Raises UserError if one of them is none of these, or if the two have no part in common.
    """
    lines = comparison(_table_of(before), _table_of(after))
    return "\n".join([f"# From {before} to {after}", "", *_parameters(before, after), *lines])


def write_side_by_side(before: str, after: str, path: Path) -> None:
    """Write a page with poses of two experiments side by side."""
    page = side_by_side((before, after), (_revision(before), _revision(after)))
    with atomic_write(path) as aside:
        aside.write_text(page, encoding="utf-8")


def comparison(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    """The Markdown lines of the changes between two tables of `measure_capture`.

    Raises UserError if the tables have no part in common.
    """
    parts = [part for part in PARTS if part in set(before["part"]) & set(after["part"])]
    if not parts:
        both = " and ".join(", ".join(sorted(set(table["part"]))) or "nothing" for table in (before, after))
        raise UserError(f"the two have no part in common: {both}", fix="Compare experiments on the same footage.")
    for part in parts:
        yield from _part(part, *(table[table["part"] == part] for table in (before, after)))


def _part(part: str, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    yield from (f"## {PARTS[part].title}", "", *_recordings(before, after))
    old, new = (table[(table["joint"] == WHOLE_POSE) & _is_shown(table, part)] for table in (before, after))
    figures = changes(old, new, by=["metric", "protocol"])
    if (figures["change"].abs() < SMALLEST).all():
        yield from ("No figure changed.", "")
        return
    names = figures["metric"].where(~_is_score(figures), figures["metric"] + ", " + figures["protocol"])
    yield from _lines("figure", names, figures)
    yield from _references(old, new)
    metric = GROUP_METRIC.get(part, "n_mpjpe_mm")
    for dimension in DIMENSIONS:
        old, new = (_rows_of(table, metric, of_joints=dimension == "joint") for table in (before, after))
        yield from _groups(dimension, metric, changes(old, new, by=[dimension, "metric"]))


def _is_shown(table: pd.DataFrame, part: str) -> pd.Series:
    """Whether each row belongs to a figure of metrics.json."""
    return _is_score(table) | ((table["protocol"] == "standard") & table["metric"].isin(PARTS[part].figures))


def _is_score(table: pd.DataFrame) -> pd.Series:
    """Whether each row belongs to the pose structure score."""
    return table["metric"].str.startswith("pss")


def _rows_of(table: pd.DataFrame, metric: str, *, of_joints: bool) -> pd.DataFrame:
    """The rows of one metric in the standard protocol, for joints or for whole poses."""
    chosen = (table["metric"] == metric) & (table["protocol"] == "standard")
    return table[chosen & ((table["joint"] != WHOLE_POSE) == of_joints)]


def changes(before: pd.DataFrame, after: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Figures of groups of rows in both tables, over common recordings and views; the largest change first.

    Columns: those of `by`, before, after, change, low and high (its 95 % interval), and verdict.
    """
    keys = ["recording", "view", "joint", "metric", "protocol"]
    both = before.merge(after.drop(columns=["part", "subject", "action"]), on=keys, suffixes=("_a", "_b"))
    for side in "ab":
        both[f"sum_{side}"] = both[f"count_{side}"] * both[f"mean_{side}"]
    columns = ["sum_a", "count_a", "sum_b", "count_b"]
    rows = []
    for key, group in both.groupby(by, sort=False):
        metric = str(dict(zip(by, key, strict=True))["metric"])
        sum_a, count_a, sum_b, count_b = group.groupby("recording")[columns].sum().to_numpy(float).T
        old, new = sum_a.sum() / count_a.sum(), sum_b.sum() / count_b.sum()
        low, high = metrics.interval_of_change(sum_a, count_a, sum_b, count_b)
        rows.append((*key, old, new, new - old, low, high, _verdict(metric, low, high)))
    found = pd.DataFrame(rows, columns=[*by, "before", "after", "change", "low", "high", "verdict"])
    return found.sort_values("change", key=abs, ascending=False, kind="stable")


def _verdict(metric: str, low: float, high: float) -> str:
    if not np.isfinite(low):
        return UNSURE
    if low <= 0 <= high:
        return UNCHANGED
    higher_is_better = metric in HIGHER_IS_BETTER or metric.startswith("pss")
    return "better" if (low > 0) == higher_is_better else "worse"


def _lines(head: str, names: Iterable[str], rows: pd.DataFrame) -> Iterator[str]:
    """A Markdown table with one row per change."""
    yield from (f"| {head} | before | after | change | 95 % interval | |", "|---|---|---|---|---|---|")
    for name, row in zip(names, rows.itertuples(), strict=True):
        interval = "too few recordings" if row.verdict == UNSURE else f"{row.low:+.2f} to {row.high:+.2f}"
        yield f"| {name} | {row.before:.2f} | {row.after:.2f} | {row.change:+.2f} | {interval} | {row.verdict} |"
    yield ""


def _groups(dimension: str, metric: str, rows: pd.DataFrame) -> Iterator[str]:
    """A table of the groups with a significant change or too few recordings, and the names of the other groups."""
    if len(rows) < 2:
        return
    yield from (f"### By {dimension} ({metric})", "")
    rest = rows[(rows["change"].abs() < SMALLEST) | (rows["verdict"] == UNCHANGED)]
    listed = rows.drop(rest.index)
    if len(listed):
        yield from _lines(dimension, listed[dimension], listed)
    if len(rest):
        largest, names = rest["change"].abs().max(), ", ".join(rest[dimension])
        yield from (f"No significant change (at most {largest:.2f}): {names}.", "")


def _recordings(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    """The recordings that are left out because only one of the two tables has them."""
    sides = [set(zip(table["recording"], table["view"], strict=True)) for table in (before, after)]
    for name, only in (("before", sides[0] - sides[1]), ("after", sides[1] - sides[0])):
        if only:
            names = ", ".join(sorted({recording for recording, _ in only}))
            yield from (f"Left out, because only {name} has them: {len(only)} views of {names}.", "")


def _references(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    scores = [table[_is_score(table)] for table in (before, after)]
    sides = [set(zip(table["metric"], table["protocol"], strict=True)) for table in scores]
    if sides[0] != sides[1]:
        both = "; ".join(", ".join(f"{m} by {p}" for m, p in sorted(side)) or "none" for side in sides)
        yield from (f"PSS by different references is not comparable ({both}): see references/README.md.", "")


def _parameters(before: str, after: str) -> Iterator[str]:
    """The parameters that differ, if both experiments are revisions."""
    if any(Path(name).is_dir() for name in (before, after)):
        return
    old, new = (_flat(dvc.api.params_show("params.yaml", rev=_revision(name))) for name in (before, after))
    differ = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if differ:
        yield from ("| parameter | before | after |", "|---|---|---|")
        yield from (f"| {key} | {old.get(key)} | {new.get(key)} |" for key in differ)
        yield ""


def _flat(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in params.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _table_of(name: str) -> pd.DataFrame:
    if Path(name).is_dir():
        return read_table(Path(name) / Path(TABLE).name)
    if name == "workspace":
        return read_table(Path(TABLE))
    try:
        with dvc.api.open(TABLE, rev=name) as file:
            return read_table(file)
    except (DvcException, SCMError, FileNotFoundError) as error:
        what = f"{name} is neither a folder nor an experiment or revision with {TABLE}: {error}"
        raise UserError(what, fix="dvc exp show lists experiments; dvc repro makes the table.") from None


def _revision(name: str) -> str | None:
    return None if name == "workspace" else name
