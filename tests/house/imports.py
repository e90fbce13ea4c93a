"""Who imports whom: the project's imports as they stand in its source.

Run as a program it writes every stage's import closure into the `deps` of dvc.yaml: python -m tests.house.imports
"""

import ast
import sys
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DVC_YAML = ROOT / "dvc.yaml"
ROOMS = ("pipeline", "stages")


def modules() -> list[str]:
    """Dotted names of all modules of the project."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files)


def path_of(module: str) -> Path:
    """The file of a module."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that a module imports anywhere in its source, type-checking blocks aside."""
    found: set[str] = set()
    for node in _nodes(ast.parse(path_of(module).read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(_imported_from(module, node))
    return frozenset(found)


def _nodes(tree: ast.AST) -> list[ast.AST]:
    nodes = [tree]
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            nodes += _nodes(child)
    return nodes


def _imported_from(module: str, node: ast.ImportFrom) -> set[str]:
    if node.level:
        raise ValueError(f"{module} imports relatively (line {node.lineno}); write the whole name.")
    package = node.module or ""
    submodules = {f"{package}.{alias.name}" for alias in node.names} & _all_modules()
    # `from package import submodule` runs the package's __init__ as well.
    return {package} | submodules


@cache
def _all_modules() -> frozenset[str]:
    return frozenset(modules())


def project_imports(module: str) -> set[str]:
    """The project's own modules that a module imports, each with the packages it lies in."""
    own = {name for name in imports(module) if name in _all_modules()}
    return own | {parent for name in own for parent in _parents(name)}


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def closure(module: str) -> set[str]:
    """All modules of the project that run when a module is imported, itself included."""
    seen: set[str] = set()
    waiting = {module, *_parents(module)}
    while waiting:
        seen |= waiting
        waiting = {name for one in waiting for name in project_imports(one)} - seen
    return seen


def code_deps(stage: str) -> list[str]:
    """The files a stage's `deps` must list: its import closure and what lies beside those modules, empty ones aside."""
    files = {path_of(module) for module in closure(f"stages.{stage}")}
    files |= {beside for path in files for beside in path.parent.glob("*.j2")}
    return sorted(path.relative_to(ROOT).as_posix() for path in files if path.read_text().strip())


def is_code(dep: str) -> bool:
    """Whether a dependency of dvc.yaml is a file of the project's code."""
    return dep.startswith(tuple(f"{room}/" for room in ROOMS))


def write_deps() -> None:
    """Write every stage's import closure into dvc.yaml."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    graph = yaml.load(DVC_YAML)
    for name, stage in graph["stages"].items():
        reported = stage.get("do", stage)
        data = [dep for dep in reported["deps"] if not is_code(dep)]
        reported["deps"] = data + code_deps(name)
    yaml.dump(graph, DVC_YAML)


if __name__ == "__main__":
    sys.exit(write_deps())
