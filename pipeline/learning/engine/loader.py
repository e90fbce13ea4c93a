"""Batches made by threads ahead of the training step; what a batch holds does not depend on the threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from pipeline.cores import n_cores

# One sample: its arrays, made from its index and its own random generator.
MakeSample = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]
# Decoding and cutting leave Python's lock, so threads are enough.
THREADS = n_cores()
BATCHES_AHEAD = 2 * THREADS


def batches(
    make_sample: MakeSample, orders: Iterable[np.ndarray], seed: tuple[int, ...],
    *, first: int = 0, part: tuple[int, int] = (0, 1),
) -> Iterator[tuple[np.ndarray, ...]]:  # fmt: skip
    """Yield one batch of stacked arrays for every array of indices, in order.

    Every sample's generator follows from the seed, the batch's number, counted from `first`, and its place in it.
    Of every batch, `part` (i, n) makes the i-th, (i + n)-th, ... sample. At most `BATCHES_AHEAD` batches are held
    in memory.
    """

    def make(number: int, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        places = range(part[0], len(indices), part[1])
        samples = [make_sample(int(indices[i]), np.random.default_rng((*seed, number, i))) for i in places]
        return tuple(np.stack(arrays) for arrays in zip(*samples, strict=True))

    cv2.setNumThreads(1)  # the samples are many and small: threads within one cost more than they bring
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[Any]] = deque()
        for number, indices in enumerate(orders, start=first):
            waiting.append(pool.submit(make, number, indices))
            if len(waiting) >= BATCHES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def shuffled(indices: np.ndarray, batch_size: int, n_batches: int, seed: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield `n_batches` arrays of indices: all of them in random order, then all again in another."""
    rng = np.random.default_rng(seed)
    left = np.empty(0, int)
    for _ in range(n_batches):
        while len(left) < batch_size:
            left = np.concatenate([left, rng.permutation(indices)])
        yield left[:batch_size]
        left = left[batch_size:]
