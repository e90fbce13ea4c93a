"""Shapes are checked at the doors: what fits passes, what does not is refused with both sides named."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from jaxtyping import Float, Shaped

from pipeline.shapes import check_shapes


@check_shapes(no_inf=("points",))
def door(
    points: Float[np.ndarray, "*batch point view 2"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    sigma: Float[np.ndarray, "*batch point view"] | None = None,
    *,
    free: Shaped[np.ndarray, "... _ corner=4"] | None = None,
    where: Float[np.ndarray, "#view"] | None = None,
    groups: Sequence[Float[np.ndarray, " point"]] = (),
) -> str:
    """What comes through."""
    return "through"


def zeros(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("points", "R", "others"),
    [
        ((17, 4, 2), (4, 3, 3), {}),
        ((5, 17, 4, 2), (4, 3, 3), {}),
        ((5, 17, 4, 2), (1, 4, 3, 3), {"sigma": zeros(5, 17, 4)}),
        ((5, 17, 4, 2), (5, 4, 3, 3), {"free": zeros(9, 9, 1, 4)}),
        ((17, 4, 2), (1, 4, 3, 3), {"sigma": None, "free": zeros(7, 4)}),
        ((2, 5, 17, 4, 2), (5, 4, 3, 3), {"where": zeros(1)}),
        ((17, 4, 2), (4, 3, 3), {"where": zeros(4), "groups": [zeros(17)]}),
    ],
)
def test_what_fits_passes(points, R, others):
    assert door(zeros(*points), zeros(*R), **others) == "through"
    assert door(R=zeros(*R), points=zeros(*points), **others) == "through"


@pytest.mark.parametrize(
    ("points", "R", "others", "wrong", "beside"),
    [
        ((17, 4, 2), (3, 3, 3), {}, r"R is of shape \(3, 3, 3\)", r"points of shape \(17, 4, 2\)"),
        ((17, 4, 3), (4, 3, 3), {}, r"points is of shape \(17, 4, 3\)", r"\*batch point view 2"),
        ((4, 2), (4, 3, 3), {}, r"points is of shape \(4, 2\)", r"\*batch point view 2"),
        ((5, 17, 4, 2), (6, 4, 3, 3), {}, r"R is of shape \(6, 4, 3, 3\)", r"points of shape \(5, 17, 4, 2\)"),
        ((17, 4, 2), (5, 4, 3, 3), {}, r"R is of shape \(5, 4, 3, 3\)", r"points of shape \(17, 4, 2\)"),
        ((5, 17, 4, 2), (4, 3, 3), {"sigma": zeros(17, 4)}, r"sigma is of shape \(17, 4\)", r"points of shape \(5, 17"),
        ((17, 4, 2), (4, 3, 3), {"free": zeros(4)}, r"free is of shape \(4,\)", r"\.\.\. _ corner=4"),
        ((17, 4, 2), (4, 3, 3), {"where": zeros(3)}, r"where is of shape \(3,\)", r"points of shape \(17, 4, 2\)"),
        ((17, 4, 2), (4, 3, 3), {"sigma": "none"}, r"sigma is str", r"\*batch point view"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides_named(points, R, others, wrong, beside):
    with pytest.raises(ValueError, match=f"door: {wrong}.*{beside}"):
        door(zeros(*points), zeros(*R), **others)


def test_infinite_values_are_refused_where_they_mean_nothing():
    points = zeros(17, 4, 2)
    points[0] = np.nan
    assert door(points, np.full((4, 3, 3), np.inf)) == "through"
    points[3, 2, 1], points[4, 2, 0] = np.inf, -np.inf
    with pytest.raises(ValueError, match="door: points has 2 infinite values"):
        door(points, zeros(4, 3, 3))


def test_tensors_have_shapes_too():
    @check_shapes()
    def both(a: Float[torch.Tensor, "batch 3"], b: Float[torch.Tensor, " batch"]) -> None:
        """Of one batch."""

    both(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(ValueError, match=r"both: b is of shape \(4,\) .* beside a of shape \(2, 3\)"):
        both(torch.zeros(2, 3), torch.zeros(4))


def test_an_argument_that_is_not_there_cannot_be_named():
    with pytest.raises(TypeError, match="no annotated arguments"):
        check_shapes(no_inf=("rays",))(lambda points: points)
