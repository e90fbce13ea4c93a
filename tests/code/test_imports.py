"""The import graph follows all that may run, and nothing else."""

import pytest

from pipeline.code.imports import SourceTree
from pipeline.errors import UserError


def test_a_closure_has_packages_and_imports_inside_functions(tree):
    found = SourceTree(tree).closure("stages.lazy")
    assert found == {"stages", "stages.lazy", "pipeline", "pipeline.room", "pipeline.room.inner"}


def test_blocks_for_type_checkers_do_not_run(tree):
    source = SourceTree(tree)
    assert source.closure("stages.light") == {"stages", "stages.light", "pipeline", "pipeline.base"}
    assert source.libraries(["pipeline.base"]) == {"numpy": "pipeline.base"}


def test_names_in_strings_are_followed_and_names_in_docstrings_are_not(tree):
    found = SourceTree(tree).closure("stages.registry")
    assert "pipeline.plugins.other" in found
    assert "pipeline.unused" not in found


def test_a_library_imported_by_its_name_counts(tree):
    assert SourceTree(tree).libraries(["pipeline.plugins.other"]) == {"heavy_lib": "pipeline.plugins.other"}


def test_data_files_lie_beside_the_modules(tree):
    source = SourceTree(tree)
    files = {path.relative_to(tree).as_posix() for path in source.data_files(source.closure("stages.lazy"))}
    assert files == {"pipeline/room/page.html.j2", "pipeline/room/parts/style.css"}
    assert source.data_files(source.closure("stages.light")) == set()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("from . import base", "relative import"),
        ("import pipeline.gone", "pipeline.base imports pipeline.gone"),
        ("def", "not valid Python"),
    ],
)
def test_what_cannot_be_followed_is_an_error(tree, line, what):
    (tree / "pipeline/base.py").write_text(f"{line}\n")
    with pytest.raises(UserError, match=what):
        SourceTree(tree).closure("stages.light")
