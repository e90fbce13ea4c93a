import numpy as np
import pytest
import torch

from pipeline.learning.engine.device import as_input, choose_device, generator_states, set_generator_states


def test_images_are_normalised_and_channels_come_first():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    pixels = as_input(images, choose_device()).cpu()
    assert pixels.shape == (2, 3, 8, 8)
    np.testing.assert_allclose(pixels[1, 2, 3, 4], (images[1, 3, 4, 2] / 255 - 0.45) / 0.25, rtol=1e-5)


def test_dropout_continues_where_it_was():
    drop = torch.nn.Dropout(0.5)
    states = generator_states()
    first = drop(torch.ones(50))
    assert not torch.equal(first, drop(torch.ones(50)))
    set_generator_states(states)
    assert torch.equal(first, drop(torch.ones(50)))


class FakeCuda:
    """A GPU's generator whose state is one number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = torch.tensor([7], dtype=torch.uint8)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: self.state.clone())
        monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state: setattr(self, "state", state))


def test_the_gpus_generator_is_restored_too(monkeypatch):
    gpu = FakeCuda(monkeypatch)
    states = generator_states()
    gpu.state = torch.tensor([8], dtype=torch.uint8)
    set_generator_states(states)
    assert gpu.state.tolist() == [7]
