"""Parallel rendering in one process per CPU core."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import cv2

from pipeline.cores import n_cores
from pipeline.progress import progress


def run_in_processes(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], what: str, unit: str, n_processes: int | None = None
) -> list[Any]:
    """Call `function(*task)` for every task, in one process per core; return the results in the order of the tasks.

    `what` and `unit` name the work in the progress display. `function` and the tasks must be picklable.
    """
    n_processes = min(n_processes or n_cores(), len(tasks))
    if n_processes <= 1:
        return [function(*task) for task in progress(tasks, what, unit=unit)]
    # The first task runs in this process and fills numba's cache, from which the others load the compiled kernels.
    # Workers are spawned, not forked: forking a process that has running threads can deadlock.
    first = function(*tasks[0])
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_start) as pool:
        futures = [pool.submit(function, *task) for task in tasks[1:]]
        for done in progress(as_completed(futures), what, total=len(futures), unit=unit):
            done.result()
        return [first, *(future.result() for future in futures)]


def _start() -> None:
    # There is one process per core, so OpenCV gets one thread.
    cv2.setNumThreads(1)
