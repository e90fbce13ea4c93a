"""Charts as plotly's JSON."""

import csv
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pipeline.report.page.theme import COLOURS, FAINT, INK, JOINT_TITLES

FONT = {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK}

PART_COLOURS = (
    "#AA4499", "#DDCC77", "#CC6677", "#88CCEE", "#999933", "#44AA99", "#888888", "#332288", "#882255", "#117733",
)  # fmt: skip
MANY_COLUMNS = 40  # maps with more columns have no gaps between them
# Paul Tol's muted scheme, safe for the colour-blind.
GROUP_COLOURS = (
    "#CC6677", "#4477DD", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499", "#888888",
)  # fmt: skip
SEQUENTIAL = [[0, "#e9eef5"], [0.5, "#e8a33d"], [1, "#a11d1d"]]


def _figure(traces: list[Any], height: int = 340, **layout: Any) -> str:
    axis = {"gridcolor": FAINT, "zerolinecolor": FAINT, "automargin": True, "fixedrange": True}
    axis["exponentformat"] = "power"
    figure = go.Figure(traces)
    figure.update_layout(
        template=None, font=FONT, height=height, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 30, "b": 8}, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"font": {"family": FONT["family"]}},
    )  # fmt: skip
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(**layout)
    return str(figure.to_json())


def joint_bars(series: dict[str, tuple[str, np.ndarray]], unit: str) -> str:
    """Horizontal bars of a figure per joint; series are name -> (colour, values (joint,))."""
    traces = [
        go.Bar(
            y=JOINT_TITLES[1:], x=np.round(values[1:], 2).tolist(), name=name, orientation="h", marker_color=colour,
            hovertemplate="%{y}: %{x:.1f} " + unit,
        )
        for name, (colour, values) in series.items()
    ]  # fmt: skip
    return _figure(
        traces, height=120 + 22 * len(JOINT_TITLES), xaxis_title=unit, yaxis={"autorange": "reversed"}, bargap=0.35,
        showlegend=len(traces) > 1,
    )  # fmt: skip


def named_bars(values: dict[str, float], unit: str, colour: str = INK) -> str:
    """Horizontal bars of one figure per name."""
    bars = go.Bar(y=list(values), x=list(values.values()), orientation="h", marker_color=colour)
    return _figure([bars], height=90 + 30 * len(values), xaxis_title=unit, yaxis={"autorange": "reversed"}, bargap=0.4)


def stacked_bars(shares: dict[str, dict[str, float]], unit: str, first_colour: str) -> str:
    """Stacked horizontal bars: name of the bar -> name of the part -> its share; the first part has `first_colour`."""
    parts = list(dict.fromkeys(part for one in shares.values() for part in one))
    colours = (first_colour, *PART_COLOURS)
    traces = [
        go.Bar(
            y=list(shares), x=[round(one.get(part, 0.0), 2) for one in shares.values()], name=part, orientation="h",
            marker_color=colours[i % len(colours)], hovertemplate="%{y}, " + part + ": %{x:.1f} " + unit,
        )
        for i, part in enumerate(parts)
    ]  # fmt: skip
    layout = {"xaxis_title": unit, "yaxis": {"autorange": "reversed"}, "barmode": "stack", "bargap": 0.35}
    return _figure(traces, height=150 + 30 * len(shares), showlegend=True, **layout)


def curves(series: dict[str, tuple[str, np.ndarray]], x: np.ndarray, x_title: str, y_title: str) -> str:
    """Lines over a common x (n,); series are name -> (colour, values (n,))."""
    traces = [
        go.Scatter(x=x.tolist(), y=np.round(values, 3).tolist(), name=name, mode="lines", line_color=colour)
        for name, (colour, values) in series.items()
    ]
    return _figure(traces, xaxis_title=x_title, yaxis_title=y_title, yaxis_rangemode="tozero", showlegend=True)


def histogram(series: dict[str, tuple[str, np.ndarray]], unit: str, n_bins: int = 40) -> str:
    """Share of poses per bin of error; the last bin holds the errors above the largest 99th percentile.

    Series are name -> (colour, errors (pose,)).
    """
    known = {name: (colour, values[np.isfinite(values)]) for name, (colour, values) in series.items()}
    known = {name: one for name, one in known.items() if len(one[1])}
    top = max((float(np.percentile(values, 99)) for _, values in known.values()), default=1.0) or 1.0
    edges = np.linspace(0, top, n_bins + 1)
    traces = []
    for name, (colour, values) in known.items():
        counts = np.histogram(np.minimum(values, top), edges)[0]
        share = np.round(100 * counts / len(values), 2)
        traces.append(
            go.Bar(x=((edges[1:] + edges[:-1]) / 2).round(2).tolist(), y=share.tolist(), name=name,
                   marker_color=colour, opacity=0.65, hovertemplate="%{x:.0f} " + unit + ": %{y:.1f} %")
        )  # fmt: skip
    titles = {"xaxis_title": f"error of a pose, {unit}", "yaxis_title": "% of poses"}
    return _figure(traces, 340, barmode="overlay", bargap=0.02, showlegend=len(traces) > 1, **titles)


def joint_map(values: np.ndarray, rows: list[str], unit: str, least_top: float = 0.0) -> str:
    """A figure per row (recording or view) and joint, (row, joint); the colour scale ends at `least_top` or above."""
    return heat_map(values[:, 1:], rows, JOINT_TITLES[1:], unit, least_top)


def heat_map(
    values: np.ndarray, rows: list[str], columns: list[str], unit: str, least_top: float = 0.0,
    most_top: float = np.inf,
) -> str:  # fmt: skip
    """A figure per row and column; the colour scale ends at `least_top` or above, and at `most_top` or below."""
    shown = [[None if np.isnan(x) else round(float(x), 1) for x in row] for row in values]
    return _map(shown, rows, unit, least_top, "%{y}, %{x}", 190, x=columns, xaxis={"tickangle": -60}, most_top=most_top)


def time_map(series: dict[str, np.ndarray], n_bins: int, unit: str, least_top: float = 0.0) -> str:
    """A figure over the time of each recording; series are name -> values (frame,), each averaged in `n_bins` bins."""
    rows = []
    for values in series.values():
        edges = np.linspace(0, len(values), n_bins + 1).astype(int)
        parts = [values[a : max(b, a + 1)] for a, b in pairwise(edges)]
        rows.append([round(float(np.nanmean(p)), 2) if np.isfinite(p).any() else None for p in parts])
    x = np.round(100 * (np.arange(n_bins) + 0.5) / n_bins, 1).tolist()
    return _map(rows, list(series), unit, least_top, "%{y}, at %{x:.0f} % of its length", 110, x=x,
                xaxis={"title": "% of the recording's length"})  # fmt: skip


def _map(
    values: list[list[float | None]], rows: list[str], unit: str, least_top: float, hover: str, height: int,
    *, x: list[Any], xaxis: dict[str, Any], most_top: float = np.inf,
) -> str:  # fmt: skip
    top = min(most_top, max([least_top, *(value for row in values for value in row if value is not None)]))
    trace = go.Heatmap(
        z=values, x=x, y=rows, zmin=0, zmax=top, colorscale=SEQUENTIAL, hoverongaps=False,
        xgap=2 if len(x) < MANY_COLUMNS else 0, ygap=2, colorbar={"thickness": 10, "outlinewidth": 0},
        hovertemplate=hover + ": %{z:.1f} " + unit + "<extra></extra>",
    )  # fmt: skip
    axes = {"xaxis": xaxis, "yaxis": {"autorange": "reversed", "showgrid": False}}
    return _figure([trace], height=height + 26 * len(rows), **axes)


def stated_and_found(stated: np.ndarray, found: np.ndarray, unit: str, colour: str) -> str:
    """Errors found over standard deviations stated, of groups (n,), and the line on which both are equal."""
    ends = [float(min(stated)), float(max(stated))]
    hover = "stated %{x:.3g} " + unit + ", found %{y:.3g} " + unit
    traces = [
        go.Scatter(x=stated.round(3).tolist(), y=found.round(3).tolist(), mode="lines+markers", line_color=colour,
                   name="found", hovertemplate=hover + "<extra></extra>"),
        go.Scatter(x=ends, y=ends, mode="lines", line={"color": INK, "dash": "dash"}, name="found = stated"),
        go.Scatter(x=ends, y=[2 * end for end in ends], mode="lines", line={"color": INK, "dash": "dot", "width": 1},
                   name="found = 2 × stated"),
    ]  # fmt: skip
    x, y = f"stated standard deviation, {unit}", f"root mean square found, {unit}"
    return _figure(traces, xaxis_title=x, yaxis_title=y, xaxis_type="log", yaxis_type="log")


def reliability(
    stated: np.ndarray, error: np.ndarray, n_bins: int, stated_title: str, error_title: str, colour: str
) -> str:
    """Median, quartiles and root mean square of an error, in groups of equal size by a stated quantity; (n,) each."""
    known = np.isfinite(stated) & np.isfinite(error)
    parts = np.array_split(np.argsort(stated[known], kind="stable"), n_bins)
    parts = [part for part in parts if len(part)]
    x = np.round([float(np.median(stated[known][part])) for part in parts], 3).tolist()
    low, middle, high = np.round([np.percentile(error[known][part], (25, 50, 75)) for part in parts], 2).T.tolist()
    rms = np.round([float(np.sqrt(np.mean(error[known][part] ** 2))) for part in parts], 2).tolist()
    band = go.Scatter(x=x + x[::-1], y=high + low[::-1], fill="toself", mode="lines", line_width=0, fillcolor=colour,
                      opacity=0.2, name="quartiles", hoverinfo="skip")  # fmt: skip
    median = go.Scatter(x=x, y=middle, mode="lines+markers", line_color=colour, name="median")
    square = go.Scatter(x=x, y=rms, mode="lines", line={"color": colour, "dash": "dot"}, name="root mean square")
    traces = [band, median, square]
    return _figure(traces, xaxis_title=stated_title, yaxis_title=error_title, yaxis_rangemode="tozero")


def coloured_map(points: np.ndarray, groups: np.ndarray, names: list[str]) -> str:
    """Points (point, 2) without axes, coloured by group (point,), with their names on hover."""
    traces = [
        go.Scatter(
            x=np.round(points[groups == g, 0], 2).tolist(), y=np.round(points[groups == g, 1], 2).tolist(),
            text=[names[i] for i in np.flatnonzero(groups == g)], mode="markers", name=f"{g + 1}",
            marker={"size": 6, "color": GROUP_COLOURS[g % len(GROUP_COLOURS)]}, hovertemplate="%{text}<extra></extra>",
        )
        for g in range(groups.max() + 1)
    ]  # fmt: skip
    hidden = {"visible": False}
    return _figure(traces, height=460, xaxis=hidden, yaxis={**hidden, "scaleanchor": "x"})


def spread_bars(groups: dict[str, np.ndarray], unit: str, colour: str) -> str:
    """Quartiles, and 5th to 95th percentile, of the values (n,) of each name."""
    known = {name: values[np.isfinite(values)] for name, values in groups.items()}
    known = {name: values for name, values in known.items() if len(values)}
    low, q1, median, q3, high = np.round([np.percentile(v, (5, 25, 50, 75, 95)) for v in known.values()], 2).T.tolist()
    trace = go.Box(
        y=list(known), q1=q1, median=median, q3=q3, lowerfence=low, upperfence=high, orientation="h",
        marker_color=colour, line_color=colour,
    )  # fmt: skip
    layout = {"xaxis_title": unit, "yaxis": {"autorange": "reversed"}, "xaxis_rangemode": "tozero"}
    return _figure([trace], height=90 + 34 * len(known), **layout)


def training_curve(path: Path, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """One chart per column of a CSV over its first column, except the columns of `without`: (column, chart)."""
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    values = np.array([[float(x or "nan") for x in row] for row in rows]).reshape(len(rows), len(header))
    return [
        (name, _figure(
            [go.Scatter(x=values[:, 0].tolist(), y=values[:, c].tolist(), mode="lines+markers", marker_size=4,
                        line_color=COLOURS["prediction"])],
            height=240, xaxis_title=header[0],
        ))
        for c, name in enumerate(header)
        if c > 0 and name not in without and np.isfinite(values[:, c]).any()
    ]  # fmt: skip
