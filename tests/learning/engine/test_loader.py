import threading
import time

import numpy as np
import pytest

from pipeline.learning.engine import loader
from pipeline.learning.engine.loader import BATCHES_AHEAD, batches, shuffled


def _sample(index: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    time.sleep(0.001 * (index % 3))
    return np.array(index), rng.normal(size=2)


def test_batches_come_in_order_and_depend_on_the_seed_alone(monkeypatch):
    orders = [np.array([3, 1]), np.array([2, 0]), np.array([1, 3])]
    first = list(batches(_sample, orders, (7,)))
    monkeypatch.setattr(loader, "THREADS", 1)
    again = list(batches(_sample, orders, (7,)))
    other = list(batches(_sample, orders, (8,)))
    np.testing.assert_array_equal([indices for indices, _ in first], orders)
    np.testing.assert_array_equal([r for _, r in first], [r for _, r in again])
    assert not np.array_equal([r for _, r in first], [r for _, r in other])
    # The same sample is changed differently each time.
    assert not np.array_equal(first[0][1][0], first[2][1][1])


def test_only_a_few_batches_are_ahead():
    made = []

    def sample(index, _):
        made.append(index)
        return (np.array(index),)

    stream = batches(sample, (np.array([i]) for i in range(100)), (0,))
    next(stream)
    time.sleep(0.05)
    assert len(made) <= BATCHES_AHEAD + 1
    stream.close()
    assert threading.active_count() < 20


def test_an_error_reaches_the_caller():
    def sample(index, _):
        raise OSError("broken frame")

    with pytest.raises(OSError, match="broken frame"):
        next(batches(sample, [np.array([0])], (0,)))


def test_all_indices_come_before_any_comes_again():
    drawn = np.concatenate(list(shuffled(np.arange(10, 17), 3, 7, (1,))))
    assert len(drawn) == 21
    for start in (0, 7, 14):
        assert sorted(drawn[start : start + 7]) == list(range(10, 17))
    assert not np.array_equal(drawn[:7], drawn[7:14])


def test_a_batch_may_be_larger_than_the_data():
    (batch,) = shuffled(np.arange(2), 5, 1, (0,))
    assert len(batch) == 5
    assert set(batch) == {0, 1}
