"""Regions of frames that training crops are cut from: decoded once and kept in memory up to a limit."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from pipeline.learning.images.crops import Crop
from pipeline.learning.images.samples import Samples
from pipeline.video.packing import PackedFrames

# Resolution of a region over the resolution of a crop: crops are resampled twice, and a higher resolution keeps them
# sharp.
DENSITY = 1.25
# Memory for decoded regions. Regions beyond the limit are decoded every time they are needed.
CACHE_BYTES = 2**30


class CropCache:
    """A square region around the person of each sample, which contains all of the sample's training crops; thread-safe.

    `coverage` is the side of a region over the side of the sample's crop.
    """

    def __init__(self, samples: Samples, input_px: int, coverage: float) -> None:
        self._samples, self._input_px, self._coverage = samples, input_px, coverage
        self._region_px = round(coverage * DENSITY * input_px)
        self._packs = {file: PackedFrames(Path(file)) for file in np.unique(samples.files)}
        self._cached: dict[int, np.ndarray] = {}
        self._capacity = CACHE_BYTES // (3 * self._region_px**2)

    def cut(self, row: int, crop: Crop) -> UInt8[np.ndarray, "side side 3"]:
        """The pixels, `input_px` on a side, of a crop of a sample; beyond the region its border is repeated."""
        around, region = self._region_crop(row), self._region(row)
        scale = self._region_px / around.side_px
        center = around.to_unit(crop.center_px) * self._region_px - 0.5
        return Crop(center, crop.side_px * scale, crop.angle_rad, crop.mirrored).cut(region, self._input_px)

    def _region(self, row: int) -> np.ndarray:
        region = self._cached.get(row)
        if region is None:
            frame = self._packs[self._samples.files[row]][int(self._samples.frames[row])]
            region = self._region_crop(row).cut(frame, self._region_px)
            if len(self._cached) < self._capacity:
                self._cached[row] = region
        return region

    def _region_crop(self, row: int) -> Crop:
        crop = self._samples.crop(row)
        return Crop(crop.center_px, crop.side_px * self._coverage)
