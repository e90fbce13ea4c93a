"""Tables beside the footage, as people and programs write CSV files."""

import csv
from collections.abc import Iterator
from pathlib import Path

UTF16 = (b"\xff\xfe", b"\xfe\xff")  # the byte order marks that Excel writes for "Unicode text"
SEPARATORS = ";\t,"  # where a comma separates decimals, programs write a semicolon or a tab between columns


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file below its header: the number of the line, and the entries by column, without spaces.

    The text may be UTF-8, UTF-16 or Latin-1.
    """
    lines = _text(path).splitlines()
    separator = next((one for one in SEPARATORS if lines and one in lines[0]), ",")
    for line, entries in enumerate(csv.DictReader(lines, delimiter=separator, skipinitialspace=True), start=2):
        yield line, {str(key).strip(): str(value).strip() for key, value in entries.items()}


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(UTF16):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
