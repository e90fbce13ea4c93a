"""The number of processor cores that this process may use."""

import os


def n_cores() -> int:
    """The number of cores this process is bound to, or of all cores if the system does not provide it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
