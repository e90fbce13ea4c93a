"""Files and folders that are either complete or do not exist, and placeholders for results that were not made."""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.alerts import Alert

ABSENT = "absent.json"
UNTRAINED = b"No network was trained.\n"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or a folder to; renamed to `path` if the block succeeds.

    Raises IsADirectoryError where a file would replace a folder.
    """
    aside = path.with_name(path.name + ".partial")
    _remove(aside)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield aside
        if path.is_dir() and not aside.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        _remove(path)
        aside.rename(path)
    except BaseException:
        _remove(aside)
        raise


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder that is removed at the end; the remains of a killed run are removed first."""
    _remove(path)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_placeholder(folder: Path, reason: str, alerts: Sequence[Alert] = ()) -> None:
    """Write, in place of a folder with a result, a folder that holds only the reason why there is no result.

    Alerts are for reasons that the person who runs the pipeline did not choose.
    """
    with atomic_write(folder) as aside:
        aside.mkdir()
        content = {"reason": reason, "alerts": [alert.model_dump(mode="json") for alert in alerts]}
        (aside / ABSENT).write_text(json.dumps(content) + "\n")


def placeholder_reason(folder: Path) -> str | None:
    """The reason that `write_placeholder` wrote; None if the folder holds a result."""
    path = folder / ABSENT
    return str(json.loads(path.read_text())["reason"]) if path.exists() else None


def placeholder_alerts(folder: Path) -> list[Alert]:
    """The alerts that `write_placeholder` wrote; none if the folder holds a result."""
    path = folder / ABSENT
    return [Alert(**one) for one in json.loads(path.read_text())["alerts"]] if path.exists() else []


def write_untrained(path: Path) -> None:
    """Write, in place of a checkpoint that nothing needs or nothing could train, a text that says so."""
    with atomic_write(path) as aside:
        aside.write_bytes(UNTRAINED)


def is_untrained(path: Path) -> bool:
    """Whether a file is one that `write_untrained` wrote."""
    with path.open("rb") as file:
        return file.read(len(UNTRAINED)) == UNTRAINED
