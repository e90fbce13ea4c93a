"""The import graph of a source tree, read from the source without importing it."""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from pipeline.errors import UserError

PACKAGES = ("pipeline", "stages")
IMPORT_FUNCTIONS = ("import_module", "__import__")  # called with the name of a module


class SourceTree:
    """The modules of `pipeline` and `stages` below a folder, and what each of them imports.

    Imports inside functions count; those under `if TYPE_CHECKING` do not, as they never run. A string that is the
    dotted name of a module of the project (or of something in it: `package.module:Name`, `package.module.Name`) counts
    as an import of that module, so that registries which load their entries lazily are followed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._syntax: dict[str, ast.Module] = {}
        self._imports: dict[str, frozenset[str]] = {}

    @cached_property
    def modules(self) -> frozenset[str]:
        """Dotted names of all modules of the project."""
        files = [path for package in PACKAGES for path in (self.root / package).rglob("*.py")]
        names = [".".join(path.relative_to(self.root).with_suffix("").parts) for path in files]
        return frozenset(name.removesuffix(".__init__") for name in names)

    def path(self, module: str) -> Path:
        """The file of a module."""
        path = self.root.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def syntax(self, module: str) -> ast.Module:
        """The syntax tree of a module. Raises UserError if the file is not valid Python."""
        if module not in self._syntax:
            path = self.path(module)
            try:
                self._syntax[module] = ast.parse(path.read_text(encoding="utf-8"))
            except SyntaxError as error:
                where = f"{path.relative_to(self.root)}, line {error.lineno}"
                raise UserError(
                    f"not valid Python: {error.msg}", where=where, fix="Correct it and run again."
                ) from None
        return self._syntax[module]

    def imports(self, module: str) -> frozenset[str]:
        """Dotted names of every module, of the project or of a library, that a module imports.

        Raises UserError for a relative import and for a module of the project that does not exist.
        """
        if module not in self._imports:
            found: set[str] = set()
            for node in _running(self.syntax(module)):
                found.update(self._imported(module, node))
            missing = sorted(name for name in found if _top(name) in PACKAGES and name not in self.modules)
            if missing:
                raise UserError(f"{module} imports {missing[0]}, which does not exist", fix="Correct the import.")
            self._imports[module] = frozenset(found)
        return self._imports[module]

    def project_imports(self, module: str) -> set[str]:
        """The project's modules that a module imports, and the packages around them, whose `__init__` runs as well."""
        own = {name for name in self.imports(module) if name in self.modules}
        return own.union(*map(_parents, own))

    def closure(self, module: str) -> set[str]:
        """All modules of the project that may run when a module is run, itself included."""
        seen: set[str] = set()
        waiting = {module, *_parents(module)}
        while waiting:
            seen |= waiting
            waiting = set().union(*map(self.project_imports, waiting)) - seen
        return seen

    def libraries(self, modules: Iterable[str]) -> dict[str, str]:
        """The libraries that modules import, by their import names, with one module that imports each."""
        found: dict[str, str] = {}
        for module in sorted(modules):
            for name in sorted(self.imports(module)):
                if _top(name) not in PACKAGES and _top(name) not in sys.stdlib_module_names:
                    found.setdefault(_top(name), module)
        return found

    def data_files(self, modules: Iterable[str]) -> set[Path]:
        """The templates and other data of the packages that modules lie in; except code, hidden files and caches."""
        folders = {self.path(module).parent for module in modules} - {self.root}
        return {path for folder in folders for path in _data(folder)}

    def _imported(self, module: str, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                where = f"{module}, line {node.lineno}"
                raise UserError("relative import", where=where, fix="Write the module's whole name.")
            yield node.module
            yield from {f"{node.module}.{alias.name}" for alias in node.names} & self.modules
        elif isinstance(node, ast.Call) and _imports_by_name(node):
            yield node.args[0].value  # type: ignore[attr-defined]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from self._named(node.value)

    def _named(self, text: str) -> Iterator[str]:
        """The module of the project that a string names, if it names one."""
        name = text.replace(":", ".")
        if _top(name) in PACKAGES and "." in name:
            yield from ({name, name.rpartition(".")[0]} & self.modules) - set(PACKAGES)


def docstring(node: ast.AST) -> ast.stmt | None:
    """The statement that is the docstring of a module, class or function."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            return first
    return None


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes that may run: docstrings and blocks for type checkers are left out."""
    yield node
    for_type_checkers = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    children: Iterable[ast.AST] = node.orelse if for_type_checkers else ast.iter_child_nodes(node)  # type: ignore[attr-defined]
    for child in children:
        if child is not docstring(node):
            yield from _running(child)


def _imports_by_name(call: ast.Call) -> bool:
    """Whether a call imports a module whose name is written out, as `importlib.import_module("mediapipe")` does."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    given = call.args[0] if call.args else None
    return called in IMPORT_FUNCTIONS and isinstance(given, ast.Constant) and isinstance(given.value, str)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _parents(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:n]) for n in range(1, len(parts))}


def _data(folder: Path) -> Iterator[Path]:
    """The data files of a package: those in it, and those in folders below it that are not packages."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__" or path.suffix in (".py", ".pyc", ".partial"):
            continue
        if path.is_file():
            yield path
        elif not (path / "__init__.py").exists():
            yield from _data(path)
