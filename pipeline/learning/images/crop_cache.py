"""The pictures of people that training crops are cut from: decoded once, kept in memory while they fit."""

from pathlib import Path

import numpy as np

from pipeline.learning.images.crops import Crop
from pipeline.learning.images.samples import Samples
from pipeline.video.packing import PackedFrames

# Pixels of a patch for each pixel of a crop of the same size: crops are cut twice, and the first cut should not show.
DENSITY = 1.25
# Memory for decoded patches. What does not fit is decoded again whenever it is wanted.
CACHE_BYTES = 2**30


class CropCache:
    """A square patch around the person of each sample, wide enough for all crops of them; may be shared by threads.

    `reach` is the side of a patch over the side of the upright crop of the person's box.
    """

    def __init__(self, samples: Samples, input_px: int, reach: float) -> None:
        self._samples, self._input_px, self._reach = samples, input_px, reach
        self._patch_px = round(reach * DENSITY * input_px)
        self._packs = {file: PackedFrames(Path(file)) for file in np.unique(samples.files)}
        self._kept: dict[int, np.ndarray] = {}
        self._room = CACHE_BYTES // (3 * self._patch_px**2)

    def cut(self, row: int, crop: Crop) -> np.ndarray:
        """The pixels (input_px, input_px, 3) of a crop of a person; beyond the patch its border is repeated."""
        wide, patch = self._wide(row), self._patch(row)
        scale = self._patch_px / wide.side_px
        center = wide.to_unit(crop.center_px) * self._patch_px - 0.5
        return Crop(center, crop.side_px * scale, crop.angle_rad, crop.mirrored).cut(patch, self._input_px)

    def _patch(self, row: int) -> np.ndarray:
        patch = self._kept.get(row)
        if patch is None:
            frame = self._packs[self._samples.files[row]][int(self._samples.frames[row])]
            patch = self._wide(row).cut(frame, self._patch_px)
            if len(self._kept) < self._room:
                self._kept[row] = patch
        return patch

    def _wide(self, row: int) -> Crop:
        crop = self._samples.crop(row)
        return Crop(crop.center_px, crop.side_px * self._reach)
