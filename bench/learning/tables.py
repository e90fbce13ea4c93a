"""Writes the tables of docs/results.md between the markers that name their data; other text is not changed."""

import re
from pathlib import Path

TITLES = {
    "mpjpe_mm": "MPJPE", "n_mpjpe_mm": "N-MPJPE", "pa_mpjpe_mm": "PA-MPJPE",
    "new_view_mpjpe_mm": "new views: MPJPE", "new_view_n_mpjpe_mm": "N", "new_view_pa_mpjpe_mm": "PA",
}  # fmt: skip


def write_tables(page: Path, results: dict[str, dict], commands: dict[str, dict[str, str]]) -> None:
    """Replace the tables of a page, which lie between `<!-- table: DATA -->` and `<!-- end -->`.

    If there are commands for the data, each row ends with the command that reproduces it.
    """
    if not page.exists():
        return
    text = page.read_text()
    for data, figures in results.items():
        filled = table(figures, commands.get(data, {}))
        marked = rf"(<!-- table: {re.escape(data)} -->\n).*?(<!-- end -->)"
        text = re.sub(marked, lambda m, filled=filled: m[1] + filled + m[2], text, flags=re.DOTALL)
    page.write_text(text)


def table(figures: dict[str, dict[str, dict[str, float]]], commands: dict[str, str]) -> str:
    """A row for every method: mean ± standard deviation over several seeds, and its command if there is one."""
    keys = list(dict.fromkeys(key for found in figures.values() for key in found))
    titles = ["", *(TITLES.get(key, key) for key in keys), "seeds", *(["command"] if commands else [])]
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    for name in [name for name in commands if name in figures] or list(figures):
        found = figures[name]
        cells = [_cell(found[key]) if key in found else "" for key in keys]
        cells.append(str(max(one["seeds"] for one in found.values())))
        if commands:
            cells.append(f"`{commands[name]}`")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _cell(figure: dict[str, float]) -> str:
    spread = f" ± {figure['std']:.1f}" if figure["seeds"] > 1 else ""
    return f"{figure['mean']:.1f}{spread}"
