"""The page template of `dvc plots`, with the Vega libraries included, so that the page needs no network.

`make` writes the template after the installation, with `epiline dev plots-template .dvc/plots.html` (extra `plots`).
"""

from pathlib import Path

import vl_convert

from pipeline.files import atomic_write

VEGA_LITE = "5.20"  # DVC's templates are of Vega-Lite 5
GLOBALS = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"


def write_page(path: Path) -> None:
    """Write the page, in which DVC replaces `{plot_divs}` by its plots."""
    bundle = vl_convert.javascript_bundle(GLOBALS, vl_version=VEGA_LITE)
    if "{plot_divs}" in bundle or "</script" in bundle:
        raise ValueError("The libraries would break the page they are put into.")
    with atomic_write(path) as aside:
        aside.write_text(
            f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>DVC plots</title>\n<script>{bundle}</script>\n"
            "<style>body { font-family: sans-serif } table { border-spacing: 15px }</style></head>\n"
            "<body>{plot_divs}</body></html>\n"
        )
