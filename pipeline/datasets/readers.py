"""The reader of each source of footage; adding one is one file and one line here."""

from collections.abc import Callable
from pathlib import Path

from pipeline.datasets.demo import read_demo
from pipeline.datasets.videos import read_videos
from pipeline.files import atomic_write
from pipeline.params.capture import CaptureParams

# A reader fills the folder `capture` with a manifest (and what belongs to it) from the folder `footage`.
READERS: dict[str, Callable[[CaptureParams, Path, Path], None]] = {
    "demo": read_demo,
    "videos": read_videos,
}


def read_footage(params: CaptureParams, footage: Path, capture: Path) -> None:
    """Read the footage named by `params.source` into the folder `capture`."""
    with atomic_write(capture) as aside:
        aside.mkdir()
        READERS[params.source](params, footage, aside)
