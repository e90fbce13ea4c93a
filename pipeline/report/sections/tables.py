"""Tables of figures, shared by the sections."""

from pipeline.report.data.evaluate import Figures
from pipeline.report.data.measurements import Intervals
from pipeline.report.page.blocks import Table, number

FIGURE_TITLES = {
    "mpjpe_mm": "MPJPE, mm", "n_mpjpe_mm": "N-MPJPE, mm", "pa_mpjpe_mm": "PA-MPJPE, mm", "pck150": "PCK@150 mm, %",
    "n_pck150": "N-PCK@150 mm, %", "auc": "AUC, %", "coverage": "coverage, %", "bone_mm": "bone length error, mm",
    "velocity_mm_s": "velocity error, mm/s", "reprojection_px": "reprojection error, raw detections, px",
    "reprojection_used_px": "reprojection error, detections used, px",
}  # fmt: skip


def is_score(figure: str) -> bool:
    """Whether a figure is a pose structure score."""
    return figure.startswith("pss")


def scores(figures: Figures, parts: list[str]) -> dict[str, str]:
    """The pose structure scores that any of the parts has, in the order of k: figure -> title."""
    found = {key for part in parts for key in figures.get(part, {}) if is_score(key)}
    return {key: f"PSS@{key[3:]}" for key in sorted(found, key=lambda key: int(key[3:]))}


def figures_table(title: str, columns: dict[str, str], figures: Figures, intervals: Intervals, note: str) -> Table:
    """Figures of some parts side by side, each with its interval; columns are part -> title."""
    titles = {**FIGURE_TITLES, **{key: f"{name}, %" for key, name in scores(figures, list(columns)).items()}}
    rows = [
        (name, *(_with_interval(figures[part].get(key), intervals.get((part, key))) for part in columns))
        for key, name in titles.items()
        if any(key in figures[part] for part in columns)
    ]
    return Table(title, ("", *columns.values()), rows, note)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return number(value)
    return f"{number(value)} ({number(interval[0])}–{number(interval[1])})"
