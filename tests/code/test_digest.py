"""A stage's digest changes with what the stage runs, and with nothing else."""

import json
import shutil
from importlib.metadata import packages_distributions
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from pipeline.code.digest import DISTRIBUTIONS, code_digest, read_pins, write_digests
from pipeline.code.imports import SourceTree
from pipeline.errors import UserError

ROOT = Path(__file__).parents[2]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if path.stem != "__init__")
ALL = {"lazy", "light", "registry"}


def digests(root):
    write_digests(root, root / "constraints.txt", root / "digests", but="code")
    return {path.stem: path.read_text() for path in (root / "digests").iterdir()}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("pipeline/base.py", "1 + np.pi", "2 + np.pi", {"light"}),
        ("pipeline/base.py", "# one", "# another comment", set()),
        ("pipeline/base.py", '"""Add."""', '"""Another docstring."""', set()),
        ("pipeline/base.py", "1 + np.pi", "(1 +\n            np.pi)", set()),
        ("pipeline/__init__.py", '"""The library."""\n', "A = 1\n", ALL),
        ("pipeline/unused.py", "...", "a = 1", set()),
        ("pipeline/room/inner.py", "return cv2", "return None", {"lazy"}),
        ("pipeline/room/page.html.j2", "<html>", "<html lang='en'>", {"lazy"}),
        ("pipeline/room/parts/style.css", "p", "q", {"lazy"}),
        ("pipeline/room/__pycache__/inner.pyc", "bytes", "others", set()),
        ("pipeline/plugins/other.py", "class Other:", "class Other:\n    n = 1", {"registry"}),
        ("stages/light.py", "f()", "f(), f()", {"light"}),
        ("constraints.txt", "numpy==2.4.6", "numpy==2.5.0", {"light"}),
        ("constraints.txt", "opencv-python==5.0.0.93", "opencv-python==5.0.1", {"lazy"}),
        ("constraints.txt", "heavy-lib==1.0", "heavy-lib==1.1", {"registry"}),
        ("constraints.txt", "# tested together", "# well tested", set()),
    ],
)
def test_exactly_the_right_digests_change(tree, file, old, new, changed):
    before = digests(tree)
    assert set(before) == ALL
    edit(tree / file, old, new)
    after = digests(tree)
    assert {stage for stage in ALL if after[stage] != before[stage]} == changed


def test_a_digest_says_which_module_changed(tree):
    before = json.loads(digests(tree)["lazy"])
    edit(tree / "pipeline/room/inner.py", "return cv2", "return None")
    after = json.loads(digests(tree)["lazy"])
    assert {name for name, value in after["modules"].items() if value != before["modules"][name]} == {
        "pipeline.room.inner"
    }


def test_a_library_that_is_not_pinned_is_named(tree):
    edit(tree / "constraints.txt", "opencv-python==5.0.0.93", "")
    with pytest.raises(
        UserError, match=r"opencv-python is not in constraints\.txt, but pipeline\.room\.inner imports cv2"
    ):
        digests(tree)


@pytest.mark.parametrize("stage", STAGES)
def test_the_modules_are_those_that_python_itself_would_look_for(stage):
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "stages" / f"{stage}.py"))
    found = {name for name in finder.modules if name.partition(".")[0] in ("pipeline", "stages")}
    source = SourceTree(ROOT)
    digest = code_digest(source, stage, read_pins(ROOT / "constraints.txt"))
    assert found <= set(digest["modules"])
    named_in_strings = set(digest["modules"]) - found - {"stages", f"stages.{stage}"}
    assert all(_is_named(source, module, digest["modules"]) for module in named_in_strings)


def _is_named(source, module, closure):
    """Whether a string in the closure names a module, or one that lies in it or imports it."""
    texts = "".join(source.path(name).read_text() for name in closure)
    return any(f'"{name}' in texts for name in closure if module in source.closure(name))


def test_every_module_and_template_of_the_project_counts(tmp_path):
    for name in ("pipeline", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    before = digests(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.suffix in (".py", ".j2"):
            path.write_text(path.read_text() + "\nCHANGED = 1\n")
    for stage, text in digests(tmp_path).items():
        old, new = json.loads(before[stage]), json.loads(text)
        for kind in ("modules", "files"):
            assert set(new[kind]) == set(old[kind])
            assert all(new[kind][name] != old[kind][name] for name in old[kind]), stage


def test_distributions_are_those_that_install_the_libraries():
    installed = packages_distributions()
    pins = read_pins(ROOT / "constraints.txt")
    source = SourceTree(ROOT)
    for library in source.libraries(source.modules):
        name = DISTRIBUTIONS.get(library, library)
        given = {one.lower().replace("_", "-") for one in installed.get(library, [name])}
        assert name.lower().replace("_", "-") in given
        assert name.lower().replace("_", "-") in pins or name.replace(".", "-") in pins
