"""How inner loops are compiled: one policy for all kernels of the package."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

# NaN keeps its meaning, which rules the other liberties of floating-point optimisation out.
_FAST = {"contract", "nsz", "arcp"}
# Kernels take in functions of other files, of which numba does not see that they changed: their cache is that of all
# sources of the package.
_HERE = Path(__file__).parent
_SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_HERE.rglob("*.py")))).hexdigest()[:16]
_NUMBA: Any = numba.config
_CACHE = Path(_NUMBA.CACHE_DIR or _HERE / "__pycache__") / f"kernels-{_SOURCES}"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call on a machine; divisions by zero give infinity, as in numpy."""
    usual, _NUMBA.CACHE_DIR = _NUMBA.CACHE_DIR, str(_CACHE)
    try:
        return numba.njit(cache=True, error_model="numpy", fastmath=_FAST)(function)
    finally:
        _NUMBA.CACHE_DIR = usual


# For functions too long for the compiler to inline by itself: a call keeps a loop from becoming vector instructions.
inlined = numba.njit(inline="always", error_model="numpy", fastmath=_FAST)
