"""Headers and frames of videos, whole and damaged."""

import pytest

from pipeline.errors import UserError
from pipeline.video.decoding import VideoFrames, VideoHeader, read_header
from tests.video.videos import SIZE, level, write_video


def test_header(tmp_path):
    header = read_header(write_video(tmp_path / "a.mp4", 7))
    assert (header.size_px, header.fps, header.n_frames) == (SIZE, 25, 7)


def test_every_third_frame_in_bgr(tmp_path):
    video = VideoFrames(write_video(tmp_path / "a.mp4", 8), 3)
    images = list(video)
    assert video.n_decoded == 8
    assert [int(image[20:40, 20:70, 2].mean().round()) for image in images] == pytest.approx(
        [level(0), level(3), level(6)], abs=4
    )
    assert images[-1][..., 0].max() < 30


@pytest.mark.parametrize(
    ("announced", "is_complete"),
    [(8, True), (10, True), (11, False), (0, True)],
    ids=["equal", "rounded", "cut", "unknown"],
)
def test_fewer_frames_than_announced_are_refused(tmp_path, announced, is_complete):
    video = VideoFrames(write_video(tmp_path / "a.mp4", 8), 1)
    assert sum(1 for _ in video) == 8
    if is_complete:
        video.check_complete(VideoHeader(SIZE, 25, announced))
    else:
        with pytest.raises(UserError, match=f"ends after 8 of {announced} announced frames"):
            video.check_complete(VideoHeader(SIZE, 25, announced))


def test_a_video_without_frames_is_refused(tmp_path):
    with pytest.raises(UserError, match="ends after 0 of 0 announced frames"):
        VideoFrames(tmp_path / "a.mp4", 1).check_complete(VideoHeader(SIZE, 25, 0))


def test_a_missing_or_damaged_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"a.mp4 does not exist"):
        read_header(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match=r"a.mp4 \(8 bytes\) cannot be read as a video"):
        next(iter(VideoFrames(tmp_path / "a.mp4", 1)))
