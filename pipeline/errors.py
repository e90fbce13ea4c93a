"""The exception for errors that the person who runs the pipeline can fix."""

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
        super().__init__(f"{what}{place}.{advice}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are pickled between processes; the copy is built from the parts, not from the printed line.
        return _rebuild, (self.what, self.where, self.fix)


def _rebuild(what: str, where: str, fix: str) -> UserError:
    return UserError(what, where=where, fix=fix)
