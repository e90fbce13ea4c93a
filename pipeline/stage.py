"""Runs a stage: paths from the command line, user errors to one line, seconds and peak memory to a file."""

import errno
import inspect
import json
import logging
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import get_type_hints

import click

from pipeline.errors import UserError

COSTS = Path("reports/costs")


def run(main: Callable[..., None]) -> None:
    """Run `main` with the paths of the command line, one per parameter of `main`, in their order.

    A parameter that is no path is a word, by which the runs of one script differ. A `UserError` ends the process with
    one line and exit code 1. The stage's wall time and peak memory go to `reports/costs/STAGE.json`, or
    `STAGE_WORD.json`.
    """
    stage = Path(inspect.getfile(main)).stem
    parameters, hints = inspect.signature(main).parameters, get_type_hints(main)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    def callback(**told: str) -> None:
        words = {name: word for name, word in told.items() if hints.get(name, Path) is not Path}
        paths = {name: Path(path) for name, path in told.items() if name not in words}
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
            _write_costs(name, time.monotonic() - start)
    except UserError as error:
        _fail(name, str(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        _fail(name, f"{error.strerror} ({error.filename or Path.cwd()}). Free or unlock the disk and run again.")


def _fail(name: str, line: str) -> None:
    click.echo(f"{name}: {' '.join(line.split())}", err=True)
    sys.exit(1)


def _write_costs(name: str, seconds: float) -> None:
    peak_kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    COSTS.mkdir(parents=True, exist_ok=True)
    costs = {"seconds": round(seconds, 1), "peak_mib": round(peak_kib / 1024)}
    with whole(COSTS / f"{name}.json") as path:
        path.write_text(json.dumps(costs) + "\n")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or a folder to; it gets its final name only when all went well."""
    aside = path.with_name(path.name + ".partial")
    _remove(aside)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield aside
        _remove(path)
        aside.rename(path)
    except BaseException:
        _remove(aside)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
