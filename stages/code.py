"""Write a digest of the code that each stage runs."""

from pathlib import Path

from pipeline.code.digest import write_digests
from pipeline.stage import run


def main(constraints: Path, digests: Path) -> None:
    write_digests(Path(), constraints, digests, but="code")


if __name__ == "__main__":
    run(main, measured=False)
