"""Progress of long loops: a bar on a terminal, a line every few seconds in a log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
log = logging.getLogger("epiline")
SECONDS_BETWEEN_LINES = 10.0


def progress(items: Iterable[T], what: str, *, total: int | None = None, unit: str = "item") -> Iterator[T]:
    """Yield the items while showing how many are done, the rate and the time left.

    `total` is needed only if the items have no length and the remaining time shall be shown.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, total=total, unit=unit, leave=False)
        return
    start = last_line = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last_line >= SECONDS_BETWEEN_LINES:
            last_line = now
            log.info(_line(what, done, total, unit, now - start))
    log.info("%s: %d %ss in %.1f s", what, done, unit, time.monotonic() - start)


def _line(what: str, done: int, total: int | None, unit: str, elapsed_s: float) -> str:
    rate = done / max(elapsed_s, 1e-9)
    of_total = f"/{total}" if total else ""
    left = f", {(total - done) / rate:.0f} s left" if total else ""
    return f"{what}: {done}{of_total} {unit}s, {rate:.1f} {unit}s/s{left}"
