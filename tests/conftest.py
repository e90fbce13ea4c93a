"""What holds for all tests: beartype checks the annotations of geometry, metrics and learning, shapes included."""

from pathlib import Path

from jaxtyping import install_import_hook

from tests import typechecker

ROOT = Path(__file__).parents[1]


def checked_modules() -> list[str]:
    """The modules whose functions are checked: not those that hold compiled kernels, which numba has to see bare."""
    paths = [path for room in ("geometry", "metrics", "learning") for path in (ROOT / "pipeline" / room).rglob("*.py")]
    # A package would stand for all modules in it.
    paths = [path for path in paths if path.stem != "__init__" and "from pipeline.compiled" not in path.read_text()]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(paths)]


install_import_hook(checked_modules(), f"{typechecker.__name__}.check_types")
