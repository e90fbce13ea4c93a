"""Tasks run here, on local processes or on a cluster, with the same results in the same order."""

import errno
import os

import pytest

from pipeline.errors import UserError
from pipeline.labels.workers import run_tasks


def square(x):
    return x * x


def die(x):
    os._exit(1)


def full_disk(x):
    raise OSError(errno.ENOSPC, "No space left on device", "labels.zarr")


def fail(x):
    raise UserError(f"{x} is bad", where="here", fix="Mend it.")


@pytest.mark.parametrize("n", ["0", "2"])
def test_results_come_in_the_order_of_the_tasks(monkeypatch, n):
    monkeypatch.setenv("EPILINE_WORKERS", n)
    assert run_tasks(square, [(x,) for x in range(5)], "squares") == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("n", ["0", "2"])
def test_an_error_of_a_task_is_the_users_error(monkeypatch, n):
    monkeypatch.setenv("EPILINE_WORKERS", n)
    with pytest.raises(UserError, match=r"^1 is bad \(here\)\. Mend it\.$"):
        run_tasks(fail, [(1,), (1,)], "failing")


@pytest.mark.parametrize("n", ["0", "2"])
def test_a_full_disk_is_known_as_such_to_the_stage(monkeypatch, n):
    monkeypatch.setenv("EPILINE_WORKERS", n)
    with pytest.raises(OSError, match=r"No space left on device: 'labels.zarr'") as error:
        run_tasks(full_disk, [(1,), (1,)], "writing")
    assert error.value.errno == errno.ENOSPC


def test_a_task_that_kills_its_workers(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "2")
    with pytest.raises(UserError, match="A task killed 4 workers"):
        run_tasks(die, [(1,), (2,)], "dying")


@pytest.mark.timeout(60)
def test_an_empty_address_is_none(monkeypatch):
    """A cluster of no local workers would wait for ever."""
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "")
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    assert run_tasks(square, [(2,), (3,)], "squares") == [4, 9]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "localhost"])
def test_dead_cluster(monkeypatch, address):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
    monkeypatch.setattr("pipeline.labels.workers.SECONDS_TO_CONNECT", 1)
    with pytest.raises(UserError, match=f"No Dask scheduler answers at {address}"):
        run_tasks(square, [(1,)], "squares")


@pytest.mark.parametrize("given", ["many", "-1", "²"])
def test_workers_must_be_a_number(monkeypatch, given):
    monkeypatch.setenv("EPILINE_WORKERS", given)
    with pytest.raises(UserError, match=f"EPILINE_WORKERS = '{given}'"):
        run_tasks(square, [(1,)], "squares")
