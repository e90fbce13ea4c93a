"""Headers and frames of videos, whole and damaged: what counts is what the files hold."""

import av
import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.video.decoding import VideoFrames, read_video_header
from tests.video.videos import SIZE, drop_frames, encode, hide_frames, level, rotate, write_video


def frames_of(path, every_n_frames: int) -> VideoFrames:
    header = read_video_header(path)
    return VideoFrames(path, header, header.clock.numbers, every_n_frames)


def reds(path, every_n_frames: int = 1) -> list[int]:
    """The mean red of each decoded image."""
    images = frames_of(path, every_n_frames)
    return [int(image[10:-10, 10:-10, 2].mean().round()) for image in images]


def test_header(tmp_path):
    header = read_video_header(write_video(tmp_path / "a.mp4", 7))
    assert (header.size_px, header.clock.fps, header.clock.n_frames, header.is_cut_off) == (SIZE, 25, 7, False)


def test_every_third_frame_in_bgr(tmp_path):
    path = write_video(tmp_path / "a.mp4", 8)
    video = frames_of(path, 3)
    images = list(video)
    assert list(video.indices) == [0, 3, 6]
    assert [image[..., 2].mean() for image in images] == pytest.approx([level(i) for i in (0, 3, 6)], abs=4)
    assert images[-1][..., 0].max() < 30


def test_every_third_frame_by_the_clock_after_dropped_frames(tmp_path):
    path = drop_frames(write_video(tmp_path / "a.mp4", 12), {2: 2, 7: 1})
    assert read_video_header(path).clock.numbers.tolist() == [0, 1, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14]
    # The clock's 3 was dropped: the frame after it, 4, stands for it; 9 was dropped as well.
    assert reds(path, 3) == pytest.approx([level(i) for i in (0, 2, 4, 7, 9)], abs=4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fragmented.mp4", {"container": {"movflags": "frag_keyframe+empty_moov"}}),
        ("ten_bit.mp4", {"codec": "libx265", "pix_fmt": "yuv420p10le", "options": {"x265-params": "log-level=none"}}),
        ("sound_is_longer.mkv", {"audio_s": 3.0}),
        ("sound_is_longer.mp4", {"audio_s": 3.0}),
        ("odd_size.mkv", {"codec": "ffv1", "pix_fmt": "bgr0", "size": (97, 65)}),
        ("odd_size.mp4", {"pix_fmt": "yuv444p", "size": (97, 65)}),
        ("no_duration.webm", {"codec": "libvpx-vp9"}),
        ("out_of_order.avi", {"codec": "mpeg4", "options": {"bf": "2", "b": "4M"}}),
        ("no_header.ts", {}),
        ("film.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
        ("interlaced.mp4", {"options": {"x264-params": "interlaced=1"}}),
    ],
)
def test_files_of_every_kind_are_decoded_whole(tmp_path, name, options):
    path = encode(tmp_path / name, **options)
    header = read_video_header(path)
    assert header.size_px == options.get("size", SIZE)
    assert header.clock.numbers.tolist() == list(range(12))
    assert header.clock.fps == pytest.approx(25, rel=2e-3)
    assert reds(path) == pytest.approx([level(i) for i in range(12)], abs=4)


def test_gray_images_have_three_equal_channels(tmp_path):
    path = encode(tmp_path / "a.mkv", 3, codec="ffv1", pix_fmt="gray10le")
    for image in frames_of(path, 1):
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert np.ptp(image, axis=-1).max() == 0


def test_frames_that_an_edit_list_hides_are_not_decoded(tmp_path):
    path = hide_frames(write_video(tmp_path / "a.mp4", 12), 5)
    assert read_video_header(path).clock.n_frames == 7
    assert reds(path) == pytest.approx([level(i) for i in range(5, 12)], abs=4)


def test_rotation_flags_are_followed(tmp_path):
    path = write_video(tmp_path / "a.mp4", 2)
    upright = next(iter(frames_of(path, 1)))
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:20, :30] = 255  # top left
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, SIZE)
    writer.write(image)
    writer.release()
    header = read_video_header(rotate(path))
    turned = next(iter(frames_of(path, 1)))
    assert header.size_px == SIZE[::-1]
    assert turned.shape == (SIZE[0], SIZE[1], 3) != upright.shape
    assert turned[:25, -15:].mean() > 240  # top right
    assert turned[40:].mean() < 10


def test_a_comb_of_fields_is_removed(tmp_path):
    """A bar that moves between the two fields of a frame: rows of one field show it elsewhere than the others."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"x264-params": "interlaced=1:qp=5"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for i in range(6):
            image = np.zeros((96, 128, 3), np.uint8)
            image[0::2, 10 + 12 * i : 30 + 12 * i] = 255
            image[1::2, 16 + 12 * i : 36 + 12 * i] = 255
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    images = [image[20:-20].astype(float) for image in frames_of(path, 1)]
    assert len(images) == 6
    comb = [np.abs(image[1:-1] - (image[:-2] + image[2:]) / 2).mean() for image in images]
    assert max(comb) < 4  # it is 24 without a filter


def test_a_file_that_is_cut_off_is_used_up_to_there(tmp_path):
    path = write_video(tmp_path / "a.avi", 200)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    header, n = read_video_header(path), len(reds(path))
    assert header.is_cut_off
    assert 50 < n < 150
    assert header.clock.n_frames - 1 <= n <= header.clock.n_frames


def test_damaged_packets_are_counted_and_the_rest_is_decoded(tmp_path):
    path = encode(tmp_path / "a.mp4", 24, options={"g": "6"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat")
    data[start + 1000 : start + 1100] = bytes(100)
    path.write_bytes(data)
    video = frames_of(path, 1)
    n = len(list(video))
    assert video.n_damaged > 0
    assert 12 <= n < 24
    assert list(video.indices) == sorted(set(video.indices))
    assert video.indices[-1] == 23


def test_variable_frame_rates_give_true_times(tmp_path):
    times_ms = [0, 33, 67, 100, 150, 200, 250, 290, 330, 363]
    clock = read_video_header(encode(tmp_path / "a.mkv", 10, times_ms=times_ms)).clock
    np.testing.assert_allclose(clock.times_s - clock.times_s[0], np.array(times_ms) / 1000, atol=1e-3)


def test_images_that_change_their_size_are_refused(tmp_path):
    small, large = encode(tmp_path / "a.ts", 5), encode(tmp_path / "b.ts", 5, size=(128, 96))
    small.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(UserError, match=r"images of different sizes: 96x64 and 128x96\. Convert"):
        reds(small)


def test_a_missing_or_damaged_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"a.mp4 does not exist"):
        read_video_header(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match=r"a.mp4 \(8 bytes\) cannot be read as a video"):
        read_video_header(tmp_path / "a.mp4")


def test_a_file_of_sound_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        sound = file.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        file.mux(sound.encode(silence))
        file.mux(sound.encode())
    with pytest.raises(UserError, match="cannot be read as a video"):
        read_video_header(tmp_path / "a.mp4")
