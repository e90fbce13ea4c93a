"""The detector's training images: centred, labelled, reproducible."""

import numpy as np
import pytest

from pipeline.datasets.rendered import render_singles, side_px
from pipeline.params.pretrain import PretrainParams
from pipeline.synthetic import processes
from pipeline.synthetic.singles import draw_singles


def make_params(images: int = 24, seed: int = 2) -> PretrainParams:
    return PretrainParams(images=images, input_px=64, width=16, steps=1, batch_size=4, lr=1e-3, seed=seed)


def test_the_person_is_centred_and_fills_two_thirds():
    singles = draw_singles(1, 0, 30, 96)
    low, high = singles.joints_px.min(1), singles.joints_px.max(1)
    np.testing.assert_allclose(0.5 * (low + high), 0.5 * (96 - 1), atol=0.01)
    np.testing.assert_allclose((high - low).max(1) * 1.1, 96 / 1.5, atol=0.01)
    assert singles.images.shape == (30, 96, 96, 3)
    assert singles.images.dtype == np.uint8
    assert singles.joints_px.dtype == np.float32


def test_the_number_of_processes_changes_nothing(monkeypatch):
    params = make_params(images=130)
    pictures = []
    for cores in (1, 2):
        monkeypatch.setattr(processes, "n_cores", lambda cores=cores: cores)
        pictures.append(render_singles(params))
    assert len(pictures[0]) == 130
    for name in ("images", "joints_px", "visible"):
        np.testing.assert_array_equal(getattr(pictures[0], name), getattr(pictures[1], name))


def test_another_seed_gives_other_people():
    a, b = (draw_singles(seed, 0, 6, 64) for seed in (1, 2))
    assert np.abs(a.joints_px - b.joints_px).max() > 1
    first, second = (draw_singles(1, batch, 6, 64) for batch in (0, 1))
    assert np.abs(first.joints_px - second.joints_px).max() > 1


def test_objects_hide_some_joints_but_few():
    visible = np.concatenate([draw_singles(3, batch, 60, 48).visible for batch in range(3)])
    assert 0.85 < visible.mean() < 0.999


@pytest.mark.parametrize(("input_px", "side"), [(64, 96), (96, 144), (128, 192)])
def test_the_side_leaves_room_for_augmentation(input_px, side):
    assert side_px(make_params().model_copy(update={"input_px": input_px})) == side
