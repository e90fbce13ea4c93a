"""Runs tasks in parallel: on the Dask cluster at DASK_SCHEDULER_ADDRESS, or on processes of this machine.

EPILINE_WORKERS sets the number of local processes (0: everything runs in this process). Neither changes any result.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dask.distributed import Client, KilledWorker, LocalCluster, as_completed
from threadpoolctl import threadpool_limits

from pipeline.cores import n_cores
from pipeline.errors import UserError
from pipeline.progress import progress

SECONDS_TO_CONNECT = 10
# Dask kills workers that are slow to stop, which is harmless; its warnings about it are silenced.
logging.getLogger("distributed.nanny").setLevel(logging.ERROR)


def run_tasks(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], what: str, unit: str = "task"
) -> list[Any]:
    """Call `function(*task)` for every task, one thread each, with progress; the results have the order of the tasks.

    Raises UserError if the cluster cannot be reached or a task kills its workers.
    """
    n_workers = min(_n_workers(), len(tasks))
    if n_workers <= 1 and not _address():
        return [_on_one_thread(function, task) for task in progress(tasks, what, unit=unit)]
    with _client(n_workers) as client:
        futures = [client.submit(_on_one_thread, function, task, pure=False) for task in tasks]
        try:
            for done in progress(as_completed(futures), what, total=len(futures), unit=unit):
                done.result()
        except KilledWorker as error:
            fix = "It may have run out of memory: use fewer workers (EPILINE_WORKERS)."
            raise UserError(f"A task killed {error.allowed_failures + 1} workers", where=what, fix=fix) from None
        return [future.result() for future in futures]


def _address() -> str:
    """The address of the cluster to use; empty: none. A variable set to the empty string counts as not set."""
    return os.environ.get("DASK_SCHEDULER_ADDRESS", "").strip()


def _n_workers() -> int:
    given = os.environ.get("EPILINE_WORKERS")
    if given is None:
        return n_cores()
    if not given.isdecimal():
        raise UserError(f"EPILINE_WORKERS = {given!r} is not a number", fix="Give a number of processes, 0 for none.")
    return int(given)


def _on_one_thread(function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
    with threadpool_limits(1):
        return function(*task)


@contextmanager
def _client(n_workers: int) -> Iterator[Client]:
    address = _address()
    if address:
        try:
            client = Client(address, timeout=SECONDS_TO_CONNECT)
        except (OSError, ValueError):  # the latter for an address that is not one, such as a host without a port
            fix = "Start it, or unset DASK_SCHEDULER_ADDRESS to use this machine."
            raise UserError(f"No Dask scheduler answers at {address}", fix=fix) from None
        with client:
            yield client
        return
    # No dashboard: it would need a port, and warn if another run uses the port.
    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, scheduler_kwargs={"dashboard": False})
    with local, Client(local) as client:
        yield client
