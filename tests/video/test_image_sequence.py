"""Folders of images as videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.video.image_sequence import image_files
from pipeline.video.sources import open_frames, read_header
from tests.video.videos import SIZE, level


def write_images(folder: Path, names: list[str], size: tuple[int, int] = SIZE) -> Path:
    """Image i is uniformly red at level(i)."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((size[1], size[0], 3), (0, 0, level(i)), np.uint8))
    return folder


def reds(folder: Path, every_n_frames: int = 1) -> list[int]:
    header = read_header(folder)
    return [int(image[5, 5, 2]) for image in open_frames(folder, header, header.clock.numbers, every_n_frames)]


@pytest.mark.parametrize("ending", ["png", "jpg", "JPEG", "bmp", "tiff"])
def test_images_are_frames_in_the_order_of_their_numbers(tmp_path, ending):
    folder = write_images(tmp_path / "cam1", [f"take2_{i}.{ending}" for i in range(12)])
    (folder / "notes.txt").write_text("no image")
    (folder / "._take2_3.png").write_bytes(b"left by a Mac")
    header = read_header(folder)
    assert (header.size_px, header.clock.fps) == (SIZE, 0)
    assert header.clock.numbers.tolist() == list(range(12))
    assert reds(folder) == pytest.approx([level(i) for i in range(12)], abs=2)


def test_numbers_that_are_left_out_are_dropped_frames(tmp_path):
    folder = write_images(tmp_path, [f"{i:06}.png" for i in (10, 15, 20, 40, 45, 50, 55)])
    assert read_header(folder).clock.numbers.tolist() == [0, 1, 2, 6, 7, 8, 9]
    assert reds(folder, 3) == [level(0), level(3), level(6)]


@pytest.mark.parametrize("names", [["a.png", "b.png", "c.png"], ["1.png", "8.png", "10.png", "31.png"]])
def test_names_without_regular_numbers_are_taken_in_order(tmp_path, names):
    folder = write_images(tmp_path, names)
    assert read_header(folder).clock.numbers.tolist() == list(range(len(names)))
    assert [path.name for path in image_files(folder)] == names


def test_gray_images_and_deep_ones_become_colour_images_of_eight_bits(tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), np.full((64, 96), 300 * 256 // 2, np.uint16))
    header = read_header(tmp_path)
    (image,) = open_frames(tmp_path, header, header.clock.numbers, 1)
    assert (image.shape, image.dtype) == ((64, 96, 3), np.uint8)
    assert (image == 150).all()


def test_an_image_that_cannot_be_read_is_left_out(tmp_path):
    folder = write_images(tmp_path, [f"{i}.png" for i in range(5)])
    (folder / "2.png").write_bytes(b"no image")
    header = read_header(folder)
    frames = open_frames(folder, header, header.clock.numbers, 1)
    assert len(list(frames)) == 4
    assert (frames.n_damaged, list(frames.indices)) == (1, [0, 1, 3, 4])


def test_folders_that_cannot_be_used_are_refused(tmp_path):
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="holds no image that can be read"):
        read_header(tmp_path)
    write_images(tmp_path, ["0.png"])
    write_images(tmp_path, ["1.png"], (128, 96))
    with pytest.raises(UserError, match="images of different sizes: 96x64 and 128x96"):
        reds(tmp_path)
