"""Spreads rendering over the processor's cores."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import cv2

from pipeline.cores import n_cores
from pipeline.progress import progress


def in_processes(
    function: Callable[..., Any], tasks: Sequence[tuple], what: str, unit: str, n_processes: int | None = None
) -> list[Any]:
    """Call `function(*task)` for every task, one process a core; results in the order of the tasks."""
    n_processes = min(n_processes or n_cores(), len(tasks))
    if n_processes <= 1:
        return [function(*task) for task in progress(tasks, what, unit=unit)]
    # The first task runs here: what it compiles, the others load from numba's cache. They are not forked: a fork of a
    # process whose libraries have started threads can wait for ever.
    first = function(*tasks[0])
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_start) as pool:
        futures = [pool.submit(function, *task) for task in tasks[1:]]
        for done in progress(as_completed(futures), what, total=len(futures), unit=unit):
            done.result()
        return [first, *(future.result() for future in futures)]


def _start() -> None:
    # One thread a process: there is one process a core.
    cv2.setNumThreads(1)
