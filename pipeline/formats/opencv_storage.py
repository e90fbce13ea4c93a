"""OpenCV's FileStorage: YAML or XML files of matrices and numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2


@contextmanager
def open_storage(path: Path) -> Iterator[cv2.FileStorage]:
    """A file that is open for reading. OpenCV raises cv2.error or SystemError for a file that it cannot parse."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    try:
        yield storage
    finally:
        storage.release()


def has_entry(path: Path, name: str) -> bool:
    """Whether a file can be read and has an entry of this name."""
    # OpenCV writes a message to the standard error about files of other programs, which are not its own YAML or XML.
    head = path.read_bytes()[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head.startswith((b"%YAML", b"<?xml", b"<opencv_storage")):
        return False
    try:
        with open_storage(path) as storage:
            return not storage.getNode(name).empty()
    except (cv2.error, SystemError):
        return False
