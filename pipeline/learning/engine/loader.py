"""Batches made by threads ahead of the training step; their content does not depend on the number of threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from pipeline.cores import n_cores

# Makes the arrays of one sample from the sample's index and random generator.
MakeSample = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]
# Decoding and cropping release Python's global lock, so threads run in parallel.
THREADS = n_cores()
BATCHES_AHEAD = 2 * THREADS


def batches(
    make_sample: MakeSample, orders: Iterable[np.ndarray], seed: tuple[int, ...],
    *, first: int = 0, shard: tuple[int, int] = (0, 1),
) -> Iterator[tuple[np.ndarray, ...]]:  # fmt: skip
    """Yield one batch of stacked arrays for every array of indices, in order.

    A sample's generator is seeded with the seed, the batch's number, counted from `first`, and the sample's position
    in the batch. `shard` is (rank, world size): only the samples at positions rank, rank + world size, ... are made.
    At most `BATCHES_AHEAD` batches are held in memory.
    """

    def make(number: int, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        positions = range(shard[0], len(indices), shard[1])
        samples = [make_sample(int(indices[i]), np.random.default_rng((*seed, number, i))) for i in positions]
        return tuple(np.stack(arrays) for arrays in zip(*samples, strict=True))

    cv2.setNumThreads(1)  # samples are small, so more threads per sample would be slower
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[tuple[np.ndarray, ...]]] = deque()
        for number, indices in enumerate(orders, start=first):
            waiting.append(pool.submit(make, number, indices))
            if len(waiting) >= BATCHES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def shuffled(indices: np.ndarray, batch_size: int, n_batches: int, seed: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield `n_batches` arrays of indices: all indices in random order, then all again in another order, and so on."""
    rng = np.random.default_rng(seed)
    remaining = np.empty(0, int)
    for _ in range(n_batches):
        while len(remaining) < batch_size:
            remaining = np.concatenate([remaining, rng.permutation(indices)])
        yield remaining[:batch_size]
        remaining = remaining[batch_size:]
