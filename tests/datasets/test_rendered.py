"""The detector's training images: independent of the number of processes, with room for augmentation."""

import numpy as np
import pytest

from pipeline.datasets.rendered import render_singles, side_px
from pipeline.params.pretrain import PretrainParams
from pipeline.synthetic import processes


def make_params(images: int = 24, seed: int = 2) -> PretrainParams:
    return PretrainParams(
        images=images, input_px=64, width=16, steps=1, batch_size=4, lr=1e-3, warm_up=0.05, weight_decay=0.01,
        clip_grad_norm=5.0, seed=seed,
    )  # fmt: skip


def test_the_number_of_processes_changes_nothing(monkeypatch):
    params = make_params(images=130)
    pictures = []
    for cores in (1, 2):
        monkeypatch.setattr(processes, "n_cores", lambda cores=cores: cores)
        pictures.append(render_singles(params))
    assert len(pictures[0]) == 130
    for name in ("images", "joints_px", "visible"):
        np.testing.assert_array_equal(getattr(pictures[0], name), getattr(pictures[1], name))


@pytest.mark.parametrize(("input_px", "side"), [(64, 96), (96, 144), (128, 192)])
def test_the_side_leaves_room_for_augmentation(input_px, side):
    assert side_px(make_params().model_copy(update={"input_px": input_px})) == side
