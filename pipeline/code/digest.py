"""A digest of the code that each stage runs, for DVC, which does not see imports.

The digest of a stage covers the modules that its script imports, directly or through others, without docstrings,
comments and layout; the templates and other data beside those modules; and the pinned versions of the libraries that
the modules import. The Python version is not part of it.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.code.imports import SourceTree, docstring
from pipeline.errors import UserError
from pipeline.files import atomic_write

# Distributions whose name differs from that of their module. Every other library is pinned by its import name.
DISTRIBUTIONS = {
    "cv2": "opencv-python", "sklearn": "scikit-learn", "PIL": "pillow", "ruamel": "ruamel.yaml",
    "vl_convert": "vl-convert-python",
}  # fmt: skip
HASH_DIGITS = 16
Digest = dict[str, dict[str, str]]  # modules, files, libraries: by name, the hash or the version


def write_digests(root: Path, constraints: Path, folder: Path, but: str) -> None:
    """Write `STAGE.json` into a folder for every script of `stages/` below `root` except `but`.

    Raises UserError if a library that a script's code imports is not pinned in the constraints.
    """
    source, pins = SourceTree(root), read_pins(constraints)
    with atomic_write(folder) as aside:
        aside.mkdir()
        for stage in sorted(name.partition(".")[2] for name in source.modules if name.startswith("stages.")):
            if stage != but:
                digest = code_digest(source, stage, pins)
                (aside / f"{stage}.json").write_text(json.dumps(digest, indent=1, sort_keys=True) + "\n")


def code_digest(source: SourceTree, stage: str, pins: dict[str, str]) -> Digest:
    """The hash of every module and data file, and the version of every library, that a stage's script may use."""
    modules = source.closure(f"stages.{stage}")
    files = sorted(source.data_files(modules))
    libraries = source.libraries(modules)
    return {
        "modules": {module: syntax_hash(source.syntax(module)) for module in sorted(modules)},
        "files": {path.relative_to(source.root).as_posix(): _hash(path.read_bytes()) for path in files},
        "libraries": {name: _pinned(name, module, pins) for name, module in sorted(libraries.items())},
    }


def syntax_hash(tree: ast.AST) -> str:
    """A hash of code that docstrings, comments, layout and the version of Python's parser do not change."""
    return _hash("\n".join(_tokens(tree)).encode())


def read_pins(constraints: Path) -> dict[str, str]:
    """The versions in a constraints file, by the distributions' normalised names."""
    lines = (line.partition("#")[0].strip() for line in constraints.read_text().splitlines())
    pinned = (line.partition("==") for line in lines if "==" in line)
    return {_normalised(name): version.partition(";")[0].strip() for name, _, version in pinned}


def _tokens(value: Any) -> Iterator[str]:
    """Node types and values of a syntax tree, in order. Absent fields are skipped: later Python versions add some."""
    if isinstance(value, ast.AST):
        yield f"({type(value).__name__}"
        for name, child in ast.iter_fields(value):
            if isinstance(child, list):
                child = [one for one in child if one is not docstring(value)]
            if child not in (None, []) and name not in ("kind", "type_comment"):
                yield name
                yield from _tokens(child)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for one in value:
            yield from _tokens(one)
        yield "]"
    else:
        yield f"{type(value).__name__} {value!r}"


def _pinned(library: str, module: str, pins: dict[str, str]) -> str:
    name = DISTRIBUTIONS.get(library, library)
    if _normalised(name) not in pins:
        fix = "Pin its version there; if the distribution has another name, add it to DISTRIBUTIONS."
        raise UserError(f"{name} is not in constraints.txt, but {module} imports {library}", fix=fix)
    return pins[_normalised(name)]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower().strip()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
