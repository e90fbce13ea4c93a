"""Compiled kernels: the cache on disk follows the code of all modules that a kernel takes something from."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import compiled
from pipeline.geometry.triangulation import robust_kernel
from pipeline.synthetic.render import kernels as renderer

KERNEL = '''"""Kernels."""

from pipeline.numbers import TWO


def double(x):
    """Twice x."""
    return TWO * x
'''
OTHER = "from pipeline.deep import DEEP\n\nTWO = DEEP\n"


@pytest.fixture
def tree(tmp_path):
    """A package with a kernel, a module that it imports and one that it does not import."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").touch()
    for name, text in (("kernels", KERNEL), ("numbers", OTHER), ("deep", "DEEP = 2\n"), ("apart", "APART = 1\n")):
        (tmp_path / "pipeline" / f"{name}.py").write_text(text)
    return tmp_path


def digest(tree, edited=None, old="", new=""):
    """The digest of the kernel's code after an edit, by a process that has not read the files before."""
    copy = tree / f"copy-{edited}-{abs(hash(new))}"
    shutil.copytree(tree / "pipeline", copy / "pipeline")
    if edited:
        file = copy / "pipeline" / f"{edited}.py"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    return compiled.closure_digest("pipeline.kernels", copy)


@pytest.mark.parametrize(
    ("edited", "old", "new"),
    [
        ("kernels", '"""Twice x."""', '"""Two times x."""'),
        ("kernels", "\n\n\n", "\n\n# A remark.\n\n"),
        ("numbers", "TWO = DEEP", "TWO = DEEP  # from below"),
        ("apart", "APART = 1", "APART = 2"),
    ],
)
def test_edits_that_change_no_code_keep_the_cache(tree, edited, old, new):
    assert digest(tree, edited, old, new) == digest(tree)


@pytest.mark.parametrize(
    ("edited", "old", "new"),
    [("kernels", "TWO * x", "x * TWO"), ("numbers", "TWO = DEEP", "TWO = 3"), ("deep", "2", "5")],
)
def test_edits_of_code_that_a_kernel_uses_leave_the_cache(tree, edited, old, new):
    assert digest(tree, edited, old, new) != digest(tree)


@pytest.mark.parametrize("module", [robust_kernel, renderer])
def test_kernels_of_geometry_and_renderer_are_cached_by_what_they_are_made_of(module):
    kernel = next(value for value in vars(module).values() if hasattr(value, "py_func"))
    expected = compiled.closure_digest(kernel.py_func.__module__, compiled.ROOT)
    assert f"kernels-{expected}" in Path(kernel.stats.cache_path).parts


def test_a_package_that_cannot_be_written_to_is_no_hindrance(tmp_path):
    (tmp_path / "file").touch()
    assert (
        compiled.first_writable(tmp_path / "file" / "cache", tmp_path / "new" / "cache") == tmp_path / "new" / "cache"
    )
    assert compiled.first_writable(tmp_path / "file" / "cache") is None


def test_without_any_cache_kernels_work(monkeypatch):
    monkeypatch.setattr(compiled, "_cache_folder", lambda: None)
    assert compiled.compiled(lambda x: 1 / x)(0.0) == np.inf


def test_nan_keeps_its_meaning():
    def is_nan(x):
        return x != x

    assert compiled.compiled(is_nan)(np.nan)
    assert compiled.compiled_fastmath(is_nan).targetoptions["fastmath"] is True
