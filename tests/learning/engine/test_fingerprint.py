from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.learning.engine.fingerprint import code_fingerprint, fingerprint


@dataclass
class Pair:
    a: np.ndarray
    b: torch.Tensor


def _pair() -> Pair:
    return Pair(np.array([1.0, np.nan, 3.0]), torch.arange(3))


def test_equal_values_have_equal_fingerprints():
    """NaN included, whatever the order of keys and the memory layout."""
    assert fingerprint(_pair(), {"x": 1, "y": [2, "z"]}) == fingerprint(_pair(), {"y": [2, "z"], "x": 1})
    values = np.arange(6.0).reshape(2, 3)
    assert fingerprint(values) == fingerprint(np.asfortranarray(values))


@pytest.mark.parametrize(
    "other",
    [
        Pair(np.array([1.0, np.nan, 3.1]), torch.arange(3)),
        Pair(np.array([[1.0, np.nan, 3.0]]), torch.arange(3)),
        Pair(np.array([1.0, np.nan, 3.0], np.float32), torch.arange(3)),
        Pair(np.array([1.0, np.nan, 3.0]), torch.arange(3).flip(0)),
    ],
)
def test_other_values_have_another_fingerprint(other):
    assert fingerprint(_pair()) != fingerprint(other)


def test_the_boundaries_of_sequences_count():
    assert fingerprint([1, 2], [3]) != fingerprint([1], [2, 3])


def test_code_is_that_of_the_modules_and_their_imports():
    losses = code_fingerprint("pipeline.learning.lifting.losses")
    assert losses == code_fingerprint("pipeline.learning.lifting.losses", "tests.learning.engine.test_fingerprint")
    assert losses != code_fingerprint("pipeline.learning.lifting.task")
