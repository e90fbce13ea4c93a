"""The size of people: adults, children, and units."""

import numpy as np
import pytest

from pipeline.geometry.body.scale import UNKNOWN, Scale
from pipeline.geometry.verification.given_size import judge_size


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, "usual"), (1.1, "usual"), (1 / 1.1, "usual"), (1.3, "unusual"), (1 / 1.3, "unusual"), (2.2, "impossible")],
)
def test_verdicts(factor, verdict):
    size = judge_size(Scale(factor, 0.06))
    assert (size.verdict, size.unit) == (verdict, None)
    assert size.ratio == pytest.approx(1 / factor)


@pytest.mark.parametrize(
    ("factor", "unit"),
    [(0.001, "millimetres"), (0.0101, "centimetres"), (0.0245, "inches"), (1070.0, "metres"), (10.5, "centimetres")],
)
def test_units(factor, unit):
    assert judge_size(Scale(factor, 0.06)).unit.startswith(unit)


def test_board_squares_have_no_common_unit():
    size = judge_size(Scale(0.08, 0.06))
    assert (size.verdict, size.unit) == ("impossible", None)


def test_an_uncertain_size_is_not_judged():
    assert judge_size(Scale(1.3, 0.2)).verdict == "usual"
    assert judge_size(UNKNOWN) is None
    assert np.isfinite(judge_size(Scale(80.0, 0.3)).ratio)
