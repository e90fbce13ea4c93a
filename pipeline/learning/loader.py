"""Batches made by threads ahead of the training step; what a batch holds does not depend on the threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

# One sample: its arrays, made from its index and its own random generator.
MakeSample = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]
THREADS = 2
BATCHES_AHEAD = 4


def batches(
    make_sample: MakeSample, orders: Iterable[np.ndarray], seed: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield one batch of stacked arrays for every array of indices, in order.

    Every sample's generator follows from the seed, the batch's number and its place in it. At most
    `BATCHES_AHEAD` batches are held in memory.
    """

    def make(number: int, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        rngs = (np.random.default_rng((*seed, number, place)) for place in range(len(indices)))
        samples = [make_sample(int(i), rng) for i, rng in zip(indices, rngs, strict=True)]
        return tuple(np.stack(arrays) for arrays in zip(*samples, strict=True))

    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future] = deque()
        for number, indices in enumerate(orders):
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
