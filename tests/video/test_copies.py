"""Views that show the same images."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.video.copies import check_no_copies
from pipeline.video.packing import PackedFrames, pack_frames


def scene(seed: int, n: int = 20) -> list[np.ndarray]:
    """Images (90, 160, 3) of a room with a patch that moves."""
    rng = np.random.default_rng(seed)
    room = np.repeat(np.repeat(rng.integers(0, 256, (9, 16, 3)), 10, 0), 10, 1).astype(np.uint8)
    images = []
    for i in range(n):
        image = room.copy()
        image[20:60, 4 * i : 4 * i + 20] = 200
        images.append(image)
    return images


def packed(path, images, jpeg_quality=95) -> PackedFrames:
    pack_frames(path, images, jpeg_quality)
    return PackedFrames(path)


@pytest.mark.parametrize("quality", [60, 95])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_copy_that_was_encoded_again_is_refused(tmp_path, mirrored, quality):
    images = scene(1)
    copy = [np.ascontiguousarray(image[:, ::-1]) if mirrored else image for image in images]
    views = {
        "cam1": packed(tmp_path / "a.jpegs", images),
        "cam2": packed(tmp_path / "b.jpegs", scene(2)),
        "cam3": packed(tmp_path / "c.jpegs", copy, quality),
    }
    what = "cam1 and cam3 show " + ("mirror images of the same" if mirrored else "the same images")
    with pytest.raises(UserError, match=what):
        check_no_copies(views, "S1_walk")


def test_neighbouring_cameras_are_no_copies(tmp_path):
    shifted = [np.roll(image, 8, axis=1) for image in scene(1)]
    check_no_copies(
        {"cam1": packed(tmp_path / "a.jpegs", scene(1)), "cam2": packed(tmp_path / "b.jpegs", shifted)}, "S1_walk"
    )


def test_images_that_show_nothing_cannot_be_compared(tmp_path):
    dark = [np.full((90, 160, 3), 5, np.uint8)] * 4
    check_no_copies({"cam1": packed(tmp_path / "a.jpegs", dark), "cam2": packed(tmp_path / "b.jpegs", dark)}, "S1_walk")
