"""The number of processor cores that this process may use."""

import os


def n_cores() -> int:
    """The cores this process is bound to, where the system knows them; else all cores of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
