"""How many of the machine's processor cores are there for us."""

import os


def n_cores() -> int:
    """Cores this process may use: those it is bound to, where the system can say so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
