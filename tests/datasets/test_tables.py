"""CSV files in the forms in which people and programs write them."""

import pytest

from pipeline.datasets.tables import read_table


@pytest.mark.parametrize("separator", [",", ", ", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_separators(tmp_path, encoding, separator):
    path = tmp_path / "a.csv"
    path.write_bytes(f"subject{separator}value \r\nJörg{separator}1\r\n".encode(encoding))
    assert list(read_table(path)) == [(2, {"subject": "Jörg", "value": "1"})]


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "a.csv").write_text("")
    assert list(read_table(tmp_path / "a.csv")) == []
