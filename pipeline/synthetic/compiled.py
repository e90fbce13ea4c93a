"""How the renderer's inner loops are compiled."""

import numba

# Kept on disk, so that only the first run on a machine compiles; divisions by zero give infinity, as in numpy.
compiled = numba.njit(cache=True, fastmath=True, error_model="numpy")
