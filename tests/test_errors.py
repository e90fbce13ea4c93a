"""The lines that users read: their own errors, the system's errors that they can mend, and wrong keys of files."""

import errno
import os

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import UserError, system_errors_for_user, wrong_keys


def test_a_sentence_ends_once():
    assert str(UserError("It is broken.", where="here", fix="Mend it.")) == "It is broken (here). Mend it."


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "Permission denied (a/b). Change the permissions, or choose another place."),
        (errno.ENOSPC, "No space left on device (a/b). Free space on the disk and run again."),
        (errno.ENOENT, "No such file or directory (a/b). Correct the path."),
        (errno.EISDIR, "Is a directory (a/b). Give the path of a file."),
    ],
)
def test_an_error_of_the_system_says_what_to_do(number, said):
    with pytest.raises(UserError) as raised, system_errors_for_user():
        raise OSError(number, os.strerror(number), "a/b")
    assert str(raised.value) == said


def test_other_errors_pass():
    with pytest.raises(BrokenPipeError), system_errors_for_user():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    with pytest.raises(OSError, match="a library's own"), system_errors_for_user():
        raise OSError("a library's own")


def test_wrong_keys_are_named_with_their_values():
    class Part(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        n: int

    class Whole(BaseModel):
        part: Part
        name: str

    with pytest.raises(ValidationError) as raised:
        Whole.model_validate({"part": {"n": "3", "m": 4}})
    said = wrong_keys(raised.value.errors())
    assert said == ("part.n = '3': input should be a valid integer; part.m is not known to this code; name is missing")
