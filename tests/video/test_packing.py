"""Packed frames: random access, slices, pickling, trimming."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.video.packing import PackedFrames, keep_frames, pack_frames
from tests.video.videos import level


def pack(folder: Path) -> PackedFrames:
    path = folder / "cam0.jpegs"
    pack_frames(path, (np.full((8, 10, 3), level(i), np.uint8) for i in range(6)), 95)
    return PackedFrames(path)


def test_packed_frames_are_a_sequence(tmp_path):
    frames = pack(tmp_path)
    values = [int(image[0, 0, 0]) for image in frames]
    assert values == [level(i) for i in range(6)]
    assert frames[-1][0, 0, 0] == level(5)
    assert [image[0, 0, 0] for image in frames[1:5:2]] == [level(1), level(3)]
    with pytest.raises(IndexError):
        frames[6]


def test_packed_frames_can_be_pickled_and_shared_by_threads(tmp_path):
    frames = pack(tmp_path)
    again = pickle.loads(pickle.dumps(frames))
    assert len(pickle.dumps(frames)) < 1000
    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(lambda i: int(again[i % 6][0, 0, 0]), range(60)))
    assert values == [level(i % 6) for i in range(60)]


def test_trimmed_frames_are_the_first_ones(tmp_path):
    before = (pack(tmp_path), (tmp_path / "cam0.jpegs").stat().st_size)
    keep_frames(tmp_path / "cam0.jpegs", [0, 1])
    after = PackedFrames(tmp_path / "cam0.jpegs")
    assert [image[0, 0, 0] for image in after] == [level(0), level(1)]
    assert (tmp_path / "cam0.jpegs").stat().st_size < before[1]


def test_frames_in_the_middle_can_be_left_out(tmp_path):
    pack(tmp_path)
    keep_frames(tmp_path / "cam0.jpegs", [0, 2, 5])
    assert [image[0, 0, 0] for image in PackedFrames(tmp_path / "cam0.jpegs")] == [level(0), level(2), level(5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cam0.index.npy", "cam0.jpegs"]
