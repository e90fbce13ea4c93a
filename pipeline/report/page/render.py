"""The page: sections rendered by a template into one self-contained file."""

import json
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from pipeline.report.page.blocks import Answer, Section, Verdict
from pipeline.report.page.theme import COLOURS, FAINT, INK, PAPER

TEMPLATES = Path(__file__).parent


def render(
    title: str, subtitle: str, answers: Sequence[Answer], sections: Sequence[Section], names: Sequence[str],
    verdict: Verdict | None = None,
) -> str:  # fmt: skip
    """The HTML of the report with a legend of the colours of `names`; sections without blocks are left out."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["embedded"] = _embedded
    return environment.get_template("page.html.j2").render(
        title=title, subtitle=subtitle, verdict=verdict, answers=answers, sections=[s for s in sections if s.blocks],
        plotly=Markup(get_plotlyjs()), colours=COLOURS, names=names, ink=INK, faint=FAINT, paper=PAPER,
    )  # fmt: skip


def _embedded(data: object) -> Markup:
    """JSON that is safe inside a script element; a string is taken as JSON already."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
