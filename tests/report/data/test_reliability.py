"""Errors over stated deviations by tenths, on errors that are known in advance."""

import csv

import numpy as np
import pytest

from pipeline.report.data.reliability import (
    Reliability,
    aligned_errors,
    by_tenths,
    label_reliability,
    left_out_reliability,
    reliability_figures,
    write_reliability,
)
from pipeline.stores import LABELS, create_store
from tests.world.records import NOISE, label_record, labels_summary
from tests.world.results import measured


def test_true_deviations_have_ratios_of_one_and_halved_ones_of_two():
    rng = np.random.default_rng(0)
    stated = rng.uniform(5, 50, (4000, 5))
    found = np.abs(stated * rng.normal(size=stated.shape))
    true, halved = by_tenths(stated, found, "mm"), by_tenths(stated / 2, found, "mm")
    np.testing.assert_allclose(true.ratios, 1, atol=0.08)
    np.testing.assert_allclose(halved.ratios, 2 * true.ratios)
    assert true.overall == pytest.approx(1, abs=0.03)
    assert (np.diff(true.stated) > 0).all()


def test_missing_values_do_not_count_and_too_few_make_no_table():
    stated, found = np.arange(1.0, 31), np.arange(1.0, 31)
    found[::3] = np.nan
    np.testing.assert_allclose(by_tenths(stated, found, "mm").ratios, 1)
    assert by_tenths(stated[:9], found[:9], "mm") is None


def test_labels_are_aligned_before_they_are_compared(tmp_path):
    _, data = measured(tmp_path, labels={"scale": 1.3})
    found = label_reliability(data, data.select("train"))
    # All joints but one wrist are right but for the scale; 8 mm are stated for each in the labels' unit.
    np.testing.assert_allclose(found.stated, 8 / 1.3, rtol=0.01)
    assert found.overall == pytest.approx(17 / np.sqrt(17) / (8 / 1.3), rel=0.1)
    assert reliability_figures(data)["rms_over_sigma_max"] == pytest.approx(found.ratios.max())


def test_uncertain_labels_do_not_move_the_certain_ones():
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 400, (200, 4, 3))
    stated = np.tile([10.0, 10.0, 10.0, 300.0], (200, 1))
    labels = truth + stated[..., None] / np.sqrt(3) * rng.normal(size=truth.shape)
    labels[:, 3] += (0.0, 0.0, 250.0)  # an error that all uncertain labels share
    stated[0, 0] = np.nan
    deviations, errors = (x.reshape(200, 4) for x in aligned_errors(2 * labels + 50, 2 * stated, truth))
    np.testing.assert_allclose(deviations[1:, :3], 10, rtol=0.01)
    assert np.isnan(deviations[0, 0])
    assert np.sqrt((errors[:, :3] ** 2).mean()) == pytest.approx(10, rel=0.05)


def test_without_truth_there_are_no_figures(tmp_path):
    _, data = measured(tmp_path, truth=False)
    assert label_reliability(data, data.select("train")) is None
    assert reliability_figures(data) == {}


def test_left_out_views_of_all_recordings_count_by_their_number(tmp_path):
    for path, tables in ((tmp_path / "some.zarr", ((1.0, 300), (2.0, 100))), (tmp_path / "none.zarr", ())):
        with create_store(path, LABELS, labels_summary()) as store:
            for ratio, n in tables:
                noise = NOISE.model_copy(update={"n_left_out": n, "left_out_px": [(2.0, 2.0 * ratio)] * 10})
                record = label_record().model_copy(update={"noise": noise})
                store.create(f"r{n}", {"frame": 3, "view": 2}, record)
            store.create("two-views", {"frame": 3, "view": 2}, label_record())
            found = left_out_reliability(store)
        assert (found is None) == (not tables)
        if found is not None:
            np.testing.assert_allclose(found.ratios, np.sqrt((3 * 1 + 1 * 4) / 4))


def test_the_table_holds_the_tenths(tmp_path):
    write_reliability(tmp_path / "table.csv", Reliability(np.arange(1.0, 11), np.arange(2.0, 12), "mm"))
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [float(row["found"]) for row in rows] == list(range(2, 12))
    assert {row["unit"] for row in rows} == {"mm"}
    write_reliability(tmp_path / "none.csv", None)
    assert list(csv.DictReader((tmp_path / "none.csv").open())) == []
