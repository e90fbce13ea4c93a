"""Procedural noise stays in its range and is continuous."""

import numpy as np
import pytest

from pipeline.synthetic.render.paint import lattice, noise


def test_noise_interpolates_the_lattice():
    for i, j in ((0, 0), (3, -2), (-7, 5)):
        assert noise(float(i), float(j)) == pytest.approx(lattice(i, j))
    values = np.array([noise(x, 0.3) for x in np.linspace(0, 9, 2000)])
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.std() > 0.1
    assert np.abs(np.diff(values)).max() < 0.02
