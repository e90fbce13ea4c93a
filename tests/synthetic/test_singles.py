"""Single images: centred, labelled, reproducible, and of people who are not in the demo."""

import numpy as np

from pipeline.datasets import demo
from pipeline.params.capture import DemoParams
from pipeline.synthetic.singles import draw_singles, make_person


def test_the_person_is_centred_and_fills_two_thirds():
    singles = draw_singles(1, 0, 30, 96)
    low, high = singles.joints_px.min(1), singles.joints_px.max(1)
    np.testing.assert_allclose(0.5 * (low + high), 0.5 * (96 - 1), atol=0.01)
    np.testing.assert_allclose((high - low).max(1) * 1.1, 96 / 1.5, atol=0.01)
    assert singles.images.shape == (30, 96, 96, 3)
    assert singles.images.dtype == np.uint8
    assert singles.joints_px.dtype == np.float32


def test_another_seed_gives_other_people():
    a, b = (draw_singles(seed, 0, 6, 64) for seed in (1, 2))
    assert np.abs(a.joints_px - b.joints_px).max() > 1
    first, second = (draw_singles(1, batch, 6, 64) for batch in (0, 1))
    assert np.abs(first.joints_px - second.joints_px).max() > 1


def test_objects_hide_some_joints_but_few():
    visible = np.concatenate([draw_singles(3, batch, 60, 48).visible for batch in range(3)])
    assert 0.85 < visible.mean() < 0.999


def test_nobody_in_the_capture_is_in_the_single_images():
    pictured = [make_person(7, batch, start) for batch in range(120) for start in range(0, 100, 6)]
    heights = np.array([p.build.height for p in pictured])
    shirts = np.array([p.look.shirt for p in pictured])
    params = DemoParams(subjects=8, seconds=0.8, fps=25.0, size_px=96, seed=7)
    for person in (demo.make_person(params, f"S{i + 1}") for i in range(8)):
        assert np.abs(heights - person.build.height).min() > 0
        assert np.abs(shirts - person.look.shirt).max(-1).min() > 0
