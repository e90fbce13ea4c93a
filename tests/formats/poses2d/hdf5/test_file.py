"""HDF5 files: without their package, and damaged."""

import sys

import h5py
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.hdf5.file import opened_h5


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1, 2, 3]
    return tmp_path / "a.h5"


def test_the_missing_package_is_named_with_its_install_command(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match=r"a\.h5 needs the package h5py.*pip install '\.\[h5\]'"), opened_h5(path):
        pass


def test_a_damaged_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="The file is damaged"), opened_h5(path):
        pass


def test_other_files_are_not_opened(tmp_path):
    (tmp_path / "a.h5").write_text("text")
    for path in (tmp_path / "a.h5", tmp_path, tmp_path / "missing.h5"):
        with opened_h5(path) as file:
            assert file is None
