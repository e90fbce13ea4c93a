"""Cameras that turned are warned of."""

from pipeline.report.sections.rig import moved


def test_the_cameras_that_turned_furthest_are_named():
    still = {"mode": "rig"}
    turned = {"mode": "window", "moved_deg": 4.2}
    assert moved({}) == moved({"a": still}) == moved({"a": {"mode": "adjust", "moved_deg": 0.4}}) == ""
    assert "4.20° during b" in moved({"a": still, "b": turned})
    assert "second half of c, d" in moved({"c": {"mode": "rig", "moved_deg": 1.5, "pool": ["c", "d"]}})
    words = moved({"a": {"mode": "adjust", "moved_deg": 7.0}, "b": turned})
    assert "people of a, a camera turned by 7" in words
    assert "extrinsics given" in words
