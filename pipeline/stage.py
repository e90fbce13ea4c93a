"""Runs a stage: paths from the command line, user errors to one line, seconds and peak memory to a file."""

import errno
import inspect
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_type_hints

import click

from pipeline.errors import UserError
from pipeline.files import atomic_write

RESOURCES = Path("reports/resources")


def run(main: Callable[..., None]) -> None:
    """Run `main` with the paths of the command line, one per parameter of `main`, in their order.

    A parameter that is no path is a word, by which the runs of one script differ. A `UserError` ends the process with
    one line and exit code 1. The stage's wall time and peak memory go to `reports/resources/STAGE.json`, or
    `STAGE_WORD.json`.
    """
    stage = Path(inspect.getfile(main)).stem
    parameters, hints = inspect.signature(main).parameters, get_type_hints(main)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    def callback(**reported: str) -> None:
        words = {name: word for name, word in reported.items() if hints.get(name, Path) is not Path}
        paths = {name: Path(path) for name, path in reported.items() if name not in words}
        _guarded("_".join([stage, *words.values()]), main, {**paths, **words})

    command = click.Command(
        stage,
        callback=callback,
        params=[click.Argument([parameter]) for parameter in parameters],
        help=inspect.getdoc(sys.modules[main.__module__]),
    )
    command()


def _guarded(name: str, main: Callable[..., None], given: Mapping[str, Path | str]) -> None:
    start = time.monotonic()
    try:
        main(**given)
        if os.environ.get("RANK", "0") == "0":  # of the processes of torchrun, one speaks for all
            _write_resources(name, time.monotonic() - start)
    except UserError as error:
        _fail(name, str(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        _fail(name, f"{error.strerror} ({error.filename or Path.cwd()}). Free or unlock the disk and run again.")


def _fail(name: str, line: str) -> None:
    click.echo(f"{name}: {' '.join(line.split())}", err=True)
    sys.exit(1)


def _write_resources(name: str, seconds: float) -> None:
    peak_kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    RESOURCES.mkdir(parents=True, exist_ok=True)
    resources = {"seconds": round(seconds, 1), "peak_mib": round(peak_kib / 1024)}
    with atomic_write(RESOURCES / f"{name}.json") as path:
        path.write_text(json.dumps(resources) + "\n")
