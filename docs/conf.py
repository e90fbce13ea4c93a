"""Configuration of the documentation site: Markdown pages and the API reference. Build it with `make docs`."""

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "Epiline"
copyright = "the authors of Epiline"
# The source directory is the root of the repository, so that links work both on the site and in the repository.
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**", "references/**/README.md"]
exclude_patterns = [
    ".*", "build", "bench", "bench_runs", "data", "docs/api/modules.rst", "footage", "models", "pipeline", "reports",
    "stages", "tests",
]  # fmt: skip
suppress_warnings = ["config.cache", "myst.header"]

extensions = ["myst_parser", "sphinx.ext.apidoc", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]

# One page per package, written to docs/api before each build.
apidoc_modules = [
    {
        "path": "../pipeline",
        "destination": "docs/api",
        "separate_modules": False,
        "module_first": True,
        "exclude_patterns": ["**/*kernel*.py"],
        "automodule_options": {"members", "undoc-members"},
    }
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
# A single backtick marks code in docstrings, as in Markdown.
default_role = "code"

CONTENTS = """
```{toctree}
:hidden:
docs/data
docs/design
docs/footage
docs/geometry
docs/metrics
docs/poses2d
docs/results
docs/trust
references/pss/README
references/occluders/README
references/poses2d/README
API reference <docs/api/pipeline>
CONTRIBUTING
CHANGELOG
```
"""

html_theme = "furo"
html_title = "Epiline"
html_copy_source = False
html_show_sphinx = False


def escape_markup(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape reStructuredText's special characters in docstrings, which are plain text with backticks."""
    in_doctest = False
    for i, line in enumerate(lines):
        in_doctest = line.lstrip().startswith(">>>") or (in_doctest and bool(line.strip()))
        if not in_doctest:
            parts = line.split("`")
            parts[::2] = [re.sub(r"([*|]|_(?=\W|$))", r"\\\1", part) for part in parts[::2]]
            lines[i] = "`".join(parts)


def skip_foreign(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Leave out what a module imports from other libraries."""
    return True if not (getattr(obj, "__module__", None) or "pipeline").startswith("pipeline") else None


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the site's table of contents to the README."""
    if page == root_doc:
        source[0] += CONTENTS


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Make the README the page that a browser opens first."""
    if exception is None and app.builder.name == "html":
        shutil.copy(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Connect the hooks of this file."""
    app.connect("autodoc-process-docstring", escape_markup)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("source-read", add_contents)
    app.connect("build-finished", write_index)
