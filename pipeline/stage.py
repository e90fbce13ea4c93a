"""Runs a stage: reads paths from the command line, prints user errors, writes time and peak memory to a file."""

import inspect
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import get_type_hints

import click

from pipeline.errors import UserError, system_errors_for_user
from pipeline.files import atomic_write
from pipeline.memory import PeakMemory

RESOURCES = Path("reports/resources")


def run(main: Callable[..., None], *, measured: bool = True) -> None:
    """Run `main` with the paths of the command line, one per parameter of `main`, in their order.

    A parameter that is not a path is a word that distinguishes the runs of one script, such as the source of `refine`.
    A `UserError` ends the process with one line and exit code 1. If `measured`, the stage's wall time and the peak
    memory of it and of the processes it starts go to `reports/resources/STAGE.json`, or `STAGE_WORD.json`.
    """
    stage = Path(inspect.getfile(main)).stem
    parameters, hints = inspect.signature(main).parameters, get_type_hints(main)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    def callback(**given: str) -> None:
        words = {name: word for name, word in given.items() if hints.get(name, Path) is not Path}
        paths = {name: Path(path) for name, path in given.items() if name not in words}
        name = "_".join([stage, *words.values()])
        _guarded(name, main, {**paths, **words}, measured=measured)

    command = click.Command(
        stage,
        callback=callback,
        params=[click.Argument([parameter]) for parameter in parameters],
        help=inspect.getdoc(sys.modules[main.__module__]),
    )
    command()


def _guarded(name: str, main: Callable[..., None], given: Mapping[str, Path | str], *, measured: bool) -> None:
    try:
        with system_errors_for_user(), _resources_written(RESOURCES / f"{name}.json") if measured else nullcontext():
            main(**given)
    except UserError as error:
        click.echo(f"{name}: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


@contextmanager
def _resources_written(path: Path) -> Iterator[None]:
    """Write the time and peak memory of the block if it succeeds; with torchrun, only the first process writes."""
    start = time.monotonic()
    with PeakMemory() as memory:
        yield
    if os.environ.get("RANK", "0") == "0":
        resources = {"seconds": round(time.monotonic() - start, 1), "peak_mib": memory.mib}
        with atomic_write(path) as aside:
            aside.write_text(json.dumps(resources) + "\n")
