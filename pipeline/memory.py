"""Peak memory of a process together with all the processes it starts."""

import resource
import sys
import threading
import time
from types import TracebackType
from typing import Self

import psutil

INTERVAL_S = 0.5
# A process younger than this is not counted: until a new process starts its own program, it shares all memory of its
# parent, whose memory would be counted twice.
MIN_AGE_S = 0.25


class PeakMemory:
    """Samples, while its block runs, the summed memory of this process and of all its descendants.

    Memory is resident memory; pages shared by several processes are counted once for each process. The memory of other
    hosts of a cluster is not measured, and peaks of a child that are shorter than `INTERVAL_S` may be missed.
    """

    def __init__(self) -> None:
        self._peak_bytes = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watcher.join()

    @property
    def mib(self) -> int:
        """The peak so far, in MiB; at least the peak of this process, which the system records without gaps."""
        return round(max(self._peak_bytes, own_peak_bytes()) / 2**20)

    def _watch(self) -> None:
        while True:
            self._peak_bytes = max(self._peak_bytes, tree_bytes())
            if self._ended.wait(INTERVAL_S):
                return


def tree_bytes() -> int:
    """Resident memory of this process and of its descendants older than `MIN_AGE_S`, now."""
    this = psutil.Process()
    return _resident_bytes(this) + sum(map(_old_enough_bytes, this.children(recursive=True)))


def own_peak_bytes() -> int:
    """The peak resident memory of this process, without its descendants."""
    unit_bytes = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes, Linux in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes


def _old_enough_bytes(process: psutil.Process) -> int:
    try:
        is_new = time.time() - process.create_time() < MIN_AGE_S
    except psutil.Error:  # the process has ended, or access to it is denied
        return 0
    return 0 if is_new else _resident_bytes(process)


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # the process has ended, or access to it is denied
        return 0
