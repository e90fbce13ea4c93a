import pytest

from pipeline.learning.engine.curves import curve_file


def test_rows_are_written_in_the_order_of_the_columns(tmp_path):
    with curve_file(tmp_path / "curve.csv", ("epoch", "loss")) as curve:
        curve.add(loss=0.123456789, epoch=1)
    assert (tmp_path / "curve.csv").read_text().splitlines() == ["epoch,loss", "1,0.123457"]


def test_a_curve_that_ends_with_an_error_is_not_there(tmp_path):
    with pytest.raises(KeyError), curve_file(tmp_path / "curve.csv", ("epoch", "loss")) as curve:
        curve.add(epoch=1)
    assert not (tmp_path / "curve.csv").exists()
