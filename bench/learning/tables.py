"""The tables of docs/results.md: written between the markers that name their data, the text around them left alone."""

import re
from pathlib import Path

TITLES = {
    "mpjpe_mm": "MPJPE", "n_mpjpe_mm": "N-MPJPE", "pa_mpjpe_mm": "PA-MPJPE",
    "new_view_mpjpe_mm": "new views: MPJPE", "new_view_n_mpjpe_mm": "N", "new_view_pa_mpjpe_mm": "PA",
}  # fmt: skip


def write_tables(page: Path, results: dict[str, dict]) -> None:
    """Fill in the tables of a page: what stands between `<!-- table: DATA -->` and `<!-- end -->`."""
    if not page.exists():
        return
    text = page.read_text()
    for data, figures in results.items():
        marked = rf"(<!-- table: {re.escape(data)} -->\n).*?(<!-- end -->)"
        text = re.sub(marked, lambda m, f=figures: m[1] + table(f) + m[2], text, flags=re.DOTALL)
    page.write_text(text)


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    """A row for every method: mean ± standard deviation over its seeds, where it has several."""
    keys = list(dict.fromkeys(key for found in figures.values() for key in found))
    lines = [
        "| | " + " | ".join(TITLES.get(key, key) for key in keys) + " | seeds |",
        "|---|" + "---|" * (len(keys) + 1),
    ]
    for name, found in figures.items():
        cells = [_cell(found[key]) if key in found else "" for key in keys]
        seeds = max(one["seeds"] for one in found.values())
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {seeds} |")
    return "\n".join(lines) + "\n"


def _cell(figure: dict[str, float]) -> str:
    spread = f" ± {figure['std']:.1f}" if figure["seeds"] > 1 else ""
    return f"{figure['mean']:.1f}{spread}"
