"""Checks of array shapes in the public functions of geometry, metrics and learning.

Shapes are annotated with jaxtyping (`Float[np.ndarray, "*batch point view 2"]`). The tests check all annotations with
beartype. `check_shapes` also checks the arguments of a public function at run time, in a few microseconds, because the
compiled kernels behind it read and write without bounds checks.
"""

import functools
import inspect
import math
import types
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")
# The number of valid combinations of shapes that are remembered for each function.
REMEMBERED = 256


class _Shape(NamedTuple):
    """The dimensions that an annotation names: fixed ones before and after a variadic one, if there is one."""

    argument: str
    text: str
    before: tuple[str, ...]
    variadic: str | None  # the name of a variadic dimension; "" for "...", which has any size
    broadcasts: bool  # whether the variadic dimension may be broadcast to that of other arguments
    after: tuple[str, ...]


def check_shapes(*, no_inf: Sequence[str] = ()) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function compare the shapes of its arguments with their jaxtyping annotations on every call.

    A dimension of one name has one size in all arguments; `#view` may be 1 instead, and `*#batch` broadcasts to the
    `*batch` of another argument. Dtypes and arguments that are None are not checked. `no_inf` names the arguments in
    which an infinite value is an error. The function raises a ValueError that names both sides of a mismatch.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        name, shapes = function.__qualname__, _annotated(function)
        parameters = list(inspect.signature(function).parameters)
        # A positional argument is found by its position, a keyword argument by its name.
        places = [(parameters.index(shape.argument), shape.argument) for shape in shapes]
        if unknown := set(no_inf) - {shape.argument for shape in shapes}:
            raise TypeError(f"{name} has no annotated arguments {sorted(unknown)}.")

        finite = [argument in no_inf for _, argument in places]
        fitting: set[tuple[Any, ...]] = set()

        @functools.wraps(function)
        def door(*args: P.args, **kwargs: P.kwargs) -> T:
            n = len(args)
            values: list[Any] = [args[at] if at < n else kwargs.get(argument) for at, argument in places]
            found = tuple(
                [getattr(value, "shape", None if value is None else type(value).__name__) for value in values]
            )
            if found not in fitting:
                if wrong := _mismatch(shapes, found):
                    raise ValueError(f"{name}: {wrong}")
                if len(fitting) < REMEMBERED:
                    fitting.add(found)
            for value, refuses_inf, (_, argument) in zip(values, finite, places, strict=True):
                if refuses_inf and value is not None and _has_inf(value):
                    count = np.count_nonzero(np.isinf(value))
                    raise ValueError(f"{name}: {argument} has {count} infinite values; a missing value is NaN.")
            return function(*args, **kwargs)

        return door

    return decorate


def _has_inf(array: Any) -> bool:
    # If the sum is finite, all values are: the sum is quick to compute and decides for most arrays.
    return not math.isfinite(np.add.reduce(array, axis=None)) and bool(np.isinf(array).any())


def _annotated(function: Callable[..., Any]) -> list[_Shape]:
    """The shapes of the arguments whose annotation is jaxtyping's, or a union with one; broadcast ones last."""
    found = [
        _parsed(name, annotation.dim_str)
        for name, parameter in inspect.signature(function).parameters.items()
        for annotation in _members(parameter.annotation)
        if hasattr(annotation, "dim_str")
    ]
    return sorted(found, key=lambda shape: shape.broadcasts)


def _members(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _parsed(argument: str, text: str) -> _Shape:
    names = tuple(name.rpartition("=")[2] for name in text.split())  # "joint=17" is 17 with a name for the reader
    variadic = [i for i, name in enumerate(names) if name.startswith(("*", "..."))]
    if not variadic:
        return _Shape(argument, text, names, None, False, ())
    (at,) = variadic
    return _Shape(argument, text, names[:at], names[at].strip("*#."), "#" in names[at], names[at + 1 :])


def _mismatch(shapes: Sequence[_Shape], found: Sequence[tuple[int, ...] | str | None]) -> str:
    """The first mismatch, with both sides named; empty if all shapes fit (None: no array)."""
    sizes: dict[str, Any] = {}
    fitting: list[str] = []
    for shape, own in zip(shapes, found, strict=True):
        if own is None:
            continue
        what = own if isinstance(own, str) else f"of shape {tuple(own)}"
        if isinstance(own, str) or not _fits(shape, own, sizes):
            beside = " beside " + " and ".join(fitting) if fitting else ""
            return f"{shape.argument} is {what} but should be ({shape.text}){beside}."
        fitting.append(f"{shape.argument} {what}, which is ({shape.text})")
    return ""


def _fits(shape: _Shape, own: tuple[int, ...], sizes: dict[str, Any]) -> bool:
    """Whether a shape fits the annotation and the sizes known so far, and add its sizes to these."""
    first, last = len(shape.before), len(own) - len(shape.after)
    if last < first or (shape.variadic is None and last > first):
        return False
    for expected, size in zip((*shape.before, *shape.after), (*own[:first], *own[last:]), strict=True):
        if expected == "_" or (expected.startswith("#") and size == 1):
            continue
        if size != (int(expected) if expected.isdecimal() else sizes.setdefault(expected.lstrip("#"), size)):
            return False
    if not shape.variadic:
        return True
    batch = own[first:last]
    known = sizes.setdefault(f"*{shape.variadic}", batch)
    return bool(known == batch or (shape.broadcasts and _broadcasts(batch, known)))


def _broadcasts(own: tuple[int, ...], batch: tuple[int, ...]) -> bool:
    """Whether one shape can be stretched to another; leading sizes of 1 are allowed."""
    return all(size in (1, full) for size, full in zip(reversed(own), chain(reversed(batch), repeat(1)), strict=False))
