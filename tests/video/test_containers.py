"""Files that are shorter than their containers say."""

import pytest

from pipeline.video.containers import is_cut_off
from tests.video.videos import encode, hide_frames, write_video


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.avi"])
def test_a_file_without_its_end(tmp_path, name):
    path = write_video(tmp_path / name, 20)
    assert not is_cut_off(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert is_cut_off(path)


def test_hidden_frames_and_fragments_are_no_missing_end(tmp_path):
    assert not is_cut_off(hide_frames(write_video(tmp_path / "a.mp4", 12), 5))
    assert not is_cut_off(encode(tmp_path / "b.mp4", container={"movflags": "frag_keyframe+empty_moov"}))


@pytest.mark.parametrize(("size", "cut"), [(24, False), (25, True), (0, False)])
def test_a_last_box_with_a_large_size_or_none(tmp_path, size, cut):
    path, large = tmp_path / "a.mp4", (1).to_bytes(4, "big") + b"mdat" + size.to_bytes(8, "big") + bytes(8)
    path.write_bytes(b"\0\0\0\x08free" + (large if size else bytes(4) + b"mdat" + bytes(9)))
    assert is_cut_off(path) == cut


def test_other_files_do_not_tell(tmp_path):
    path = encode(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes()[:-100])
    assert not is_cut_off(path)
