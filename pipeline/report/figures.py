"""The charts, as plotly's JSON."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pipeline.report.look import COLOURS, FAINT, INK, JOINT_TITLES

FONT = {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK}


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


def curves(series: dict[str, tuple[str, np.ndarray]], x: np.ndarray, x_title: str, y_title: str) -> str:
    """Lines over common x; series are name -> (colour, values)."""
    traces = [
        go.Scatter(x=x.tolist(), y=np.round(values, 3).tolist(), name=name, mode="lines", line_color=colour)
        for name, (colour, values) in series.items()
    ]
    return _figure(traces, xaxis_title=x_title, yaxis_title=y_title, yaxis_rangemode="tozero", showlegend=True)


def histogram(series: dict[str, tuple[str, np.ndarray]], unit: str, n_bins: int = 40) -> str:
    """Share of poses per bin of error, cut off at the largest 99th percentile; the last bin holds the rest."""
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


def heat_map(values: np.ndarray, rows: list[str], unit: str) -> str:
    """A figure per row (recording or view) and joint, (row, joint)."""
    shown = [[None if np.isnan(x) else round(float(x), 1) for x in row[1:]] for row in values]
    trace = go.Heatmap(
        z=shown, x=JOINT_TITLES[1:], y=rows, colorscale=[[0, "#f2f5f9"], [0.5, "#e8a33d"], [1, "#a11d1d"]],
        xgap=2, ygap=2, colorbar={"title": {"text": unit, "side": "right"}, "thickness": 10, "outlinewidth": 0},
        hovertemplate="%{y}, %{x}: %{z:.1f} " + unit + "<extra></extra>",
    )  # fmt: skip
    return _figure([trace], height=150 + 26 * len(rows), xaxis={"tickangle": -60}, yaxis={"autorange": "reversed"})


def spread_bars(groups: dict[str, np.ndarray], unit: str, colour: str) -> str:
    """Quartiles and 5th to 95th percentile of a figure per name, without the single values."""
    known = {name: values[np.isfinite(values)] for name, values in groups.items()}
    known = {name: values for name, values in known.items() if len(values)}
    low, q1, median, q3, high = np.round([np.percentile(v, (5, 25, 50, 75, 95)) for v in known.values()], 2).T.tolist()
    trace = go.Box(
        y=list(known), q1=q1, median=median, q3=q3, lowerfence=low, upperfence=high, orientation="h",
        marker_color=colour, line_color=colour,
    )  # fmt: skip
    layout = {"xaxis_title": unit, "yaxis": {"autorange": "reversed"}, "xaxis_rangemode": "tozero"}
    return _figure([trace], height=90 + 34 * len(known), **layout)


def training_curve(path: Path) -> list[tuple[str, str]]:
    """One chart per column of a curve's CSV over its first column: (column, chart)."""
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    values = np.array([[float(x or "nan") for x in row] for row in rows]).reshape(len(rows), len(header))
    return [
        (name, _figure(
            [go.Scatter(x=values[:, 0].tolist(), y=values[:, c].tolist(), mode="lines+markers", marker_size=4,
                        line_color=COLOURS["prediction"])],
            height=240, xaxis_title=header[0], yaxis_title=name.replace("_", " "),
        ))
        for c, name in enumerate(header)
        if c > 0 and np.isfinite(values[:, c]).any()
    ]  # fmt: skip
