"""Which keys of a section apply."""

import pytest

from pipeline.params.base import Section, effective_values


class Inner(Section):
    a: int
    b: int

    def unused(self) -> set[str]:
        return {"b"} if self.a == 0 else set()


class Outer(Section):
    kind: str
    inner: Inner


def test_keys_without_effect_are_left_out_at_every_depth():
    assert effective_values(Outer(kind="x", inner=Inner(a=0, b=1))) == {"kind": "x", "inner": {"a": 0}}
    assert effective_values(Outer(kind="x", inner=Inner(a=1, b=1))) == {"kind": "x", "inner": {"a": 1, "b": 1}}


def test_a_key_that_was_left_out_cannot_be_read():
    section = Inner.model_construct(a=0)
    with pytest.raises(AttributeError, match=r"Inner\.b is read, but its `unused` says that it never is"):
        _ = section.b
    with pytest.raises(AttributeError, match="no attribute 'c'"):
        _ = section.c
