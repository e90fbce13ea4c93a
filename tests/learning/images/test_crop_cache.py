import numpy as np
import pytest

from pipeline.learning.images import crop_cache
from pipeline.learning.images.augment import Jitter, jitter_crop
from pipeline.learning.images.crop_cache import CropCache
from tests.world.frames import ArrayFrames


@pytest.fixture
def samples(world, params):
    return world.samples(params)


def _frame(samples, row):
    return np.load(samples.files[row])[samples.frames[row]]


def test_a_crop_of_a_region_is_the_crop_of_the_frame(samples):
    """Wherever chance puts it, also beyond the frame's border; cut twice it is a little softer."""
    jitter, rng = Jitter(), np.random.default_rng(0)
    cut_from = CropCache(samples, 64, jitter.coverage)
    off = []
    for row in range(len(samples)):
        crop = jitter_crop(samples.crop(row), jitter, rng)
        off.append(np.abs(cut_from.cut(row, crop).astype(float) - crop.cut(_frame(samples, row), 64)))
        moved = crop.cut(np.roll(_frame(samples, row), 3, 1), 64)
        assert off[-1].mean() < 0.5 * np.abs(moved - crop.cut(_frame(samples, row), 64).astype(float)).mean()
    assert np.mean(off) < 4


def test_the_coverage_is_as_large_as_the_crops_need(samples):
    """Corners of ten thousand crops: all within, and some near the edge."""
    jitter, rng, base = Jitter(), np.random.default_rng(1), samples.crop(0)
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    at = np.stack([jitter_crop(base, jitter, rng).to_image(corners) for _ in range(10000)])
    off = np.abs(at - base.center_px).max() / base.side_px
    assert 0.85 * jitter.coverage / 2 < off <= jitter.coverage / 2


def test_what_fits_is_decoded_once(samples, monkeypatch):
    read = []
    monkeypatch.setattr(ArrayFrames, "__getitem__", lambda self, i: read.append(i) or self._images[i])
    one = 3 * round(Jitter().coverage * crop_cache.DENSITY * 64) ** 2
    monkeypatch.setattr(crop_cache, "CACHE_BYTES", 2 * one)
    cut_from = CropCache(samples, 64, Jitter().coverage)
    for _ in range(3):
        for row in range(3):
            cut_from.cut(row, samples.crop(row))
    assert len(read) == 3 + 1 + 1  # two are kept, the third is decoded each time
