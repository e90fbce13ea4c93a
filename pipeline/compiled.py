"""How inner loops are compiled: one policy for all kernels of the package.

Machine code is kept on disk, so that only the first run on a machine compiles. Numba notices an edit of a kernel's own
file but not of the functions and constants that the kernel takes from other modules. So each kernel's cache folder is
named after the code of all modules that its module imports, docstrings and comments left out.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from pipeline.code.digest import syntax_hash
from pipeline.code.imports import SourceTree

ROOT = Path(__file__).parents[1]
F = TypeVar("F", bound=Callable[..., Any])
_NUMBA: Any = numba.config
# The fast-math optimisations that treat NaN and infinity correctly.
_WITH_NAN = {"contract", "nsz", "arcp"}


def compiled(function: F) -> F:
    """Compile a function on its first call on a machine; a division by zero gives infinity, as in numpy."""
    return _compile(function, fastmath=_WITH_NAN)


def compiled_fastmath(function: F) -> F:
    """As `compiled`, with all fast-math optimisations: the result of NaN or infinite values is undefined."""
    return _compile(function, fastmath=True)


# For functions that the compiler does not inline by itself: a function call in a loop prevents its vectorisation.
inlined = numba.njit(inline="always", error_model="numpy", fastmath=_WITH_NAN)


def _compile(function: F, *, fastmath: bool | set[str]) -> F:
    folder = _cache_folder()
    usual = _NUMBA.CACHE_DIR
    if folder is not None:
        _NUMBA.CACHE_DIR = str(folder / f"kernels-{closure_digest(function.__module__, ROOT)}")
    try:
        return cast(F, numba.njit(cache=folder is not None, error_model="numpy", fastmath=fastmath)(function))
    finally:
        _NUMBA.CACHE_DIR = usual


@functools.cache
def _cache_folder() -> Path | None:
    """Where machine code is kept: NUMBA_CACHE_DIR, else beside this module, else in the user's cache folder."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "epiline"
    given = [Path(_NUMBA.CACHE_DIR)] if _NUMBA.CACHE_DIR else []
    return first_writable(*given, Path(__file__).parent / "__pycache__", user)


def first_writable(*folders: Path) -> Path | None:
    """The first folder that files can be written to, created if it does not exist; None if there is none."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return None


@functools.cache
def closure_digest(module: str, root: Path) -> str:
    """A digest of the code of a module and of all modules below `root` that it imports, directly or indirectly.

    Docstrings, comments and layout do not change the digest.
    """
    source = _source(root)
    codes = (f"{name} {syntax_hash(source.syntax(name))}" for name in sorted(source.closure(module)))
    return hashlib.sha256("\n".join(codes).encode()).hexdigest()[:16]


@functools.cache
def _source(root: Path) -> SourceTree:
    return SourceTree(root)
