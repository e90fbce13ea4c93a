"""The readers of footage by the names that `capture.source` may take."""

import importlib
from collections.abc import Callable
from pathlib import Path

from pipeline.files import atomic_write
from pipeline.params.capture import CaptureParams

# Reads the folder of the footage and writes the manifest and its files into the folder of the capture.
Reader = Callable[[CaptureParams, Path, Path], None]

# MODULE:FUNCTION, imported when it is chosen. Adding a source is one module and one line here, and its name among the
# choices of CaptureParams.
READERS = {
    "demo": "pipeline.datasets.demo:read_demo",
    "videos": "pipeline.datasets.videos:read_videos",
}


def read_footage(params: CaptureParams, footage: Path, capture: Path) -> None:
    """Read the footage named by `params.source` into the folder `capture`.

    Raises UserError if the footage cannot be used; the folder `capture` is then not created.
    """
    module, _, name = READERS[params.source].partition(":")
    read: Reader = getattr(importlib.import_module(module), name)
    with atomic_write(capture) as aside:
        aside.mkdir()
        read(params, footage, aside)
