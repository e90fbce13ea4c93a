"""The exception for errors that the person who runs the pipeline can fix."""

import errno
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class UserError(Exception):
    """An error that the user can fix: what is wrong (with the value), where, and what to do; printed as one line.

    >>> print(UserError("No video found", where="footage/S1_walk", fix="Add one per camera."))
    No video found (footage/S1_walk). Add one per camera.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        place = f" ({where})" if where else ""
        advice = f" {fix}" if fix else ""
        super().__init__(f"{what.rstrip('.')}{place}.{advice}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are pickled between processes; the copy is built from the parts, not from the printed line.
        return _rebuild, (self.what, self.where, self.fix)


def _rebuild(what: str, where: str, fix: str) -> UserError:
    return UserError(what, where=where, fix=fix)


def wrong_keys(errors: Iterable[Mapping[str, Any]]) -> str:
    """What is wrong with the keys of values that were read: the errors of a pydantic `ValidationError`, in words."""
    said = {"missing": "is missing", "extra_forbidden": "is not known to this code"}
    found = []
    for one in errors:
        key, value = ".".join(map(str, one["loc"])), f"= {reprlib.repr(one['input'])}: {one['msg'].lower()}"
        found.append(f"{key} {said.get(one['type'], value)}")
    return "; ".join(found)


# The errors of the operating system that the user can mend, and how.
ADVICE = {
    errno.ENOSPC: "Free space on the disk and run again.",
    errno.EDQUOT: "Free space on the disk and run again.",
    errno.EACCES: "Change the permissions, or choose another place.",
    errno.EPERM: "Change the permissions, or choose another place.",
    errno.EROFS: "Choose a place that can be written to.",
    errno.ENOENT: "Correct the path.",
    errno.ENOTDIR: "Correct the path.",
    errno.EISDIR: "Give the path of a file.",
    errno.EEXIST: "Choose another name, or delete what is there.",
}


@contextmanager
def system_errors_for_user() -> Iterator[None]:
    """Raise errors of the disk and of paths as UserError; other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        if error.errno not in ADVICE:
            raise
        where = str(error.filename or Path.cwd())
        raise UserError(error.strerror or str(error), where=where, fix=ADVICE[error.errno]) from error
