"""The unit of length, inferred from how far the cameras stand apart."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.formats.length_unit import check_unit, infer_unit
from tests.formats.cameras import rig


def spread(span_mm, n=3):
    """Cameras in a row whose first and last are `span_mm` apart."""
    return {
        name: replace(camera, R_cam_from_world=np.eye(3), t_cam_from_world_mm=np.array([span_mm * v / (n - 1), 0, 0]))
        for v, (name, camera) in enumerate(rig(n).items())
    }


def span_mm(cameras):
    centers = [camera.center_world_mm for camera in cameras.values()]
    return np.linalg.norm(centers[-1] - centers[0])


@pytest.mark.parametrize("true_mm", [300, 2_000, 8_000, 25_000])
@pytest.mark.parametrize(("unit_mm", "word"), [(1000, "metres"), (1, "millimetres")])
def test_metres_and_millimetres_are_told_apart(true_mm, unit_mm, word):
    numbers = true_mm / unit_mm  # as in the file; the reader takes them for metres
    found = infer_unit(spread(1000 * numbers), "c.toml")
    assert span_mm(found.cameras) == pytest.approx(true_mm)
    assert found.alerts == ()
    assert f"length; {word}:" in found.inferred[0]


@pytest.mark.parametrize(
    ("numbers", "unit_mm", "word"),
    [(0.06, 1000, " metres"), (60.0, 1000, " metres"), (120.0, 1, "millimetres"), (1e6, 1, "millimetres")],
    ids=["stereo camera", "squares of a board", "stereo camera in mm", "too far"],
)
def test_other_numbers_are_a_note(numbers, unit_mm, word):
    found = infer_unit(spread(1000 * numbers), "c.toml")
    assert span_mm(found.cameras) == pytest.approx(unit_mm * numbers)
    [alert] = found.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("unknown_unit", "note", "c.toml")
    assert f"{word} are assumed, though the cameras are up to" in alert.message


def test_numbers_without_any_unit_are_a_note():
    found = infer_unit(spread(4000), "cameras.txt", has_scale=False)
    assert span_mm(found.cameras) == pytest.approx(4000)
    assert found.inferred == ()
    assert "arbitrary; metres are assumed: the cameras are up to 4 m apart" in found.alerts[0].message


def test_nothing_is_inferred_from_cameras_without_extrinsics():
    cameras = {name: camera.with_extrinsics(None, None) for name, camera in rig(3).items()}
    found = infer_unit(cameras, "c.toml")
    assert (found.inferred, found.alerts) == ((), ())
    unknown = {name: camera.with_extrinsics(np.eye(3), np.full(3, np.nan)) for name, camera in rig(3).items()}
    assert infer_unit(unknown, "c.toml").inferred == ()


def test_a_stated_unit_is_kept_and_checked():
    assert check_unit(spread(50), "c.toml").alerts == ()
    found = check_unit(spread(4e6), "c.toml")
    assert span_mm(found.cameras) == pytest.approx(4e6)
    assert "the cameras are up to 4e+03 m apart" in found.alerts[0].message
