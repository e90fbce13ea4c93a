"""The stage `frames`: what is kept, and what happens to bad videos."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.capture import Capture, Recording, Rejected, View, read_capture
from pipeline.errors import UserError
from pipeline.stores import TRUTH, open_store
from pipeline.video.extraction import extract_frames
from pipeline.video.frame_times import read_times, write_times
from pipeline.video.packing import PackedFrames
from tests.video.videos import CAMERA, PARAMS, drop_frames, encode, hide_frames, level, params, write_truth, write_video


def recording(folder: Path, name: str = "S1_walk", lengths: tuple[int, ...] = (12, 12), **kwargs) -> Recording:
    views = []
    for i, n in enumerate(lengths):
        path = write_video(folder / "videos" / name / f"cam{i}.mp4", n, **kwargs)
        views.append(View.of(f"cam{i}", str(path), CAMERA, evaluation_only=i == 2))
    return Recording(
        name=name, subject="S1", action="walk", split="train", rig="r", fps=25, n_frames=max(lengths), views=views
    )


def capture(folder: Path, *recordings: Recording, rejected=()) -> Path:
    path = folder / "capture"
    path.mkdir()
    Capture(source="videos", recordings=list(recordings), rejected=list(rejected)).write(path)
    return path


def reds(path: Path) -> list[int]:
    return [int(image[5:-5, 5:-5, 0].mean().round()) for image in PackedFrames(path)]


def test_keeps_every_third_frame_of_every_view(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", params(every_n_frames=3))
    (kept,) = read_capture(tmp_path / "frames").recordings
    assert (kept.n_frames, kept.frame_numbers) == (4, [0, 3, 6, 9])
    assert kept.fps == pytest.approx(25 / 3)
    for view in kept.views:
        assert reds(Path(view.file)) == pytest.approx([level(i) for i in kept.frame_numbers], abs=4)


def test_images_are_rgb(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", PARAMS)
    image = PackedFrames(read_capture(tmp_path / "frames").recordings[0].views[0].file)[11]
    assert image.shape == (64, 96, 3)
    assert image.dtype == np.uint8
    assert image[32, 48, 0] > 100 > 30 > image[32, 48, 2]


def test_manifest_names_files_relative_to_itself(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", PARAMS)
    (tmp_path / "frames").rename(tmp_path / "moved")
    assert len(PackedFrames(read_capture(tmp_path / "moved").recordings[0].views[1].file)) == 12


def test_shrinks_the_longer_side_and_the_intrinsics_alike(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", params(max_side_px=48))
    view = read_capture(tmp_path / "frames").recordings[0].views[0]
    assert PackedFrames(view.file)[0].shape == (32, 48, 3)
    assert view.size_px == (48, 32)
    np.testing.assert_allclose(view.camera.K, CAMERA.resized((48, 32)).K)


def test_a_view_names_the_images_that_its_frames_were_made_from(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", params(max_side_px=48))
    source = read_capture(tmp_path / "frames").recordings[0].views[0].source
    assert (source.video_px, source.calibrated_px, source.n_frames, source.indices) == ((96, 64), (96, 64), 12, None)
    np.testing.assert_allclose(source.packed_from_calibrated, [[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]], atol=1e-9)


def test_evaluation_only_views_stay_so(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path, lengths=(3, 3, 3))), tmp_path / "frames", PARAMS)
    assert [v.evaluation_only for v in read_capture(tmp_path / "frames").recordings[0].views] == [False, False, True]


def test_truth_is_that_of_the_kept_frames_and_does_not_choose_them(tmp_path):
    source = capture(tmp_path, recording(tmp_path))
    joints = np.arange(9 * 17 * 3, dtype=float).reshape(9, 17, 3)
    write_truth(source, joints, np.arange(9) / 25)
    extract_frames(source, tmp_path / "frames", params(every_n_frames=4))
    (kept,) = read_capture(tmp_path / "frames").recordings
    assert kept.frame_numbers == [0, 4, 8]
    own = open_store(tmp_path / "frames" / "truth.zarr", TRUTH)["S1_walk"]
    np.testing.assert_array_equal(own.person("S1")["joints_world_mm"], joints[[0, 4, 8]])
    np.testing.assert_allclose(own["time_s"], [0, 4 / 25, 8 / 25])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: path.write_bytes(b"no video"), "cannot be read as a video"),
        # Without its end an mp4 has lost the table of its frames.
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "cannot be read as a video"),
    ],
)
def test_only_the_recording_of_a_bad_video_is_rejected(tmp_path, damage, reason):
    bad, good = recording(tmp_path, "S1_walk"), recording(tmp_path, "S2_sit")
    damage(Path(bad.views[1].file))
    extract_frames(capture(tmp_path, bad, good), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    assert [r.name for r in result.recordings] == ["S2_sit"]
    assert [r.recording for r in result.rejected] == ["S1_walk"]
    assert reason in result.rejected[0].reason
    assert "cam1.mp4" in result.rejected[0].reason
    assert not (tmp_path / "frames" / "S1_walk").exists()


def test_a_video_that_is_cut_off_is_used_with_an_alert(tmp_path):
    path = write_video(tmp_path / "cam0.avi", 200)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = recording(tmp_path, lengths=(100, 100))
    video.views[0].file = str(path)
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    assert 50 < result.recordings[0].n_frames <= 100
    alert = next(alert for alert in result.alerts if alert.kind == "damaged_video")
    assert (alert.severity, alert.subject) == ("note", "S1_walk, cam0")
    assert re.search(r"the file is cut off; the \d+ frames that are left", alert.message)


def test_frames_hidden_by_an_edit_list_are_no_doubt(tmp_path):
    """Clips that were trimmed without encoding them again still contain the frames before their start."""
    video = recording(tmp_path, lengths=(10, 14))
    hide_frames(Path(video.views[1].file), 4)
    extract_frames(capture(tmp_path, video), tmp_path / "frames", params(unequal_lengths="reject"))
    result = read_capture(tmp_path / "frames")
    assert (result.recordings[0].n_frames, result.alerts) == (10, [])
    shown = [reds(Path(view.file)) for view in result.recordings[0].views]
    assert shown[0] == pytest.approx([level(i) for i in range(10)], abs=4)
    assert shown[1] == pytest.approx([level(i) for i in range(4, 14)], abs=4)


def test_strict_stops_at_the_first_bad_recording(tmp_path):
    bad, good = recording(tmp_path, "S1_walk"), recording(tmp_path, "S2_sit")
    Path(bad.views[0].file).unlink()
    with pytest.raises(UserError, match=r"cam0.mp4 does not exist"):
        extract_frames(capture(tmp_path, bad, good), tmp_path / "frames", params(strict=True))
    assert not (tmp_path / "frames").exists()
    assert not (tmp_path / "frames.partial").exists()


def test_what_the_reader_rejected_stays_counted_and_is_an_error_if_strict(tmp_path):
    rejected = [Rejected(recording="S9_fall", reason="cam0.mp4 is damaged")]
    source = capture(tmp_path, recording(tmp_path), rejected=rejected)
    extract_frames(source, tmp_path / "frames", PARAMS)
    assert read_capture(tmp_path / "frames").rejected == rejected
    with pytest.raises(UserError, match="S9_fall"):
        extract_frames(source, tmp_path / "frames", params(strict=True))


def test_views_of_different_lengths_are_trimmed_with_an_alert_or_rejected(tmp_path):
    source = capture(tmp_path, recording(tmp_path, lengths=(12, 7)))
    with pytest.raises(UserError, match=r"cam0 12, cam1 7.*unequal_lengths=trim"):
        extract_frames(source, tmp_path / "frames", params(unequal_lengths="reject"))
    extract_frames(source, tmp_path / "frames", params(every_n_frames=2))
    result = read_capture(tmp_path / "frames")
    (kept,) = result.recordings
    assert kept.frame_numbers == [0, 2, 4, 6]
    for view in kept.views:
        assert reds(Path(view.file)) == pytest.approx([level(i) for i in kept.frame_numbers], abs=4)
    assert [(a.kind, a.severity, a.evidence) for a in result.alerts] == [("unequal_lengths", "note", "cam0 12, cam1 7")]


def test_lengths_that_differ_by_seconds_are_a_warning(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path, lengths=(5, 40))), tmp_path / "frames", PARAMS)
    (alert,) = read_capture(tmp_path / "frames").alerts
    assert (alert.kind, alert.severity) == ("unequal_lengths", "warning")
    assert "the first 5 moments are used, as if all videos started together" in alert.message


def test_result_does_not_depend_on_the_order_of_the_work(tmp_path):
    recordings = [recording(tmp_path, f"S{i}_walk", (4 + i, 4 + i)) for i in range(4)]
    source = capture(tmp_path, *recordings)
    for name in ("a", "b"):
        extract_frames(source, tmp_path / name, PARAMS)
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("a", "b")]
    assert manifests[0] == manifests[1]
    assert [r["n_frames"] for r in manifests[0]["recordings"]] == [4, 5, 6, 7]


def test_dropped_frames_are_named_and_their_moments_kept(tmp_path):
    video = recording(tmp_path, lengths=(10, 10))
    drop_frames(Path(video.views[0].file), {2: 1})
    drop_frames(Path(video.views[1].file), {7: 1})
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    (kept,) = result.recordings
    assert (kept.n_frames, kept.fps, kept.clock_fps) == (11, pytest.approx(25), pytest.approx(25))
    np.testing.assert_allclose(kept.moments_s, np.arange(11) / 25)
    # The first video shows level(i) at the clock's i, and from 3 on at i + 1; where it shows nothing, the last one.
    assert reds(Path(kept.views[0].file)) == pytest.approx([level(i) for i in (0, 1, 1, *range(2, 10))], abs=4)
    times_s = [read_times(view.times) * 25 for view in kept.views]
    nothing = np.nan
    np.testing.assert_allclose(times_s[0], [0, 1, nothing, *range(3, 11)], atol=1e-6)
    np.testing.assert_allclose(times_s[1], [*range(7), nothing, 8, 9, 10], atol=1e-6)
    np.testing.assert_array_equal(np.load(kept.views[0].source.indices), [0, 1, -1, *range(2, 10)])
    np.testing.assert_array_equal(np.load(kept.views[1].source.indices), [*range(7), -1, 7, 8, 9])
    assert [(alert.kind, alert.subject, alert.evidence) for alert in result.alerts] == [
        ("dropped_frames", "S1_walk, cam0", "by its time stamps 1 before frame 2"),
        ("dropped_frames", "S1_walk, cam1", "by its time stamps 1 before frame 7"),
    ]  # fmt: skip


def test_synchronous_views_have_no_times_of_their_own(tmp_path):
    extract_frames(capture(tmp_path, recording(tmp_path)), tmp_path / "frames", PARAMS)
    assert [view.times for view in read_capture(tmp_path / "frames").recordings[0].views] == [None, None]
    assert not list((tmp_path / "frames").rglob("*.times.npy"))


def test_moments_that_only_one_view_shows_are_left_out(tmp_path):
    video = recording(tmp_path, lengths=(30, 30))
    drop_frames(Path(video.views[0].file), {10: 6})
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    (kept,) = read_capture(tmp_path / "frames").recordings
    # Two frames 0.28 s apart say nothing about what is between them; at their own moments both views show something.
    assert kept.frame_numbers == [*range(10), *range(16, 30)]


def test_views_that_show_few_moments_together_are_rejected(tmp_path):
    video = recording(tmp_path, lengths=(30, 30))
    drop_frames(Path(video.views[0].file), {2: 20, 15: 20})
    source = capture(tmp_path, video)
    with pytest.raises(UserError, match=r"Two views show only 10 of 30 moments.*every_n_frames to 1"):
        extract_frames(source, tmp_path / "frames", PARAMS)


def test_different_frame_rates_meet_at_the_moments_of_the_slowest(tmp_path):
    video = recording(tmp_path, lengths=(12, 12))
    encode(Path(video.views[0].file), 20, fps=50)
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    (kept,) = result.recordings
    assert (kept.fps, kept.n_frames) == (25, 10)
    assert [a.evidence for a in result.alerts if a.kind == "unequal_lengths"] == ["cam0 10, cam1 12"]
    assert reds(Path(kept.views[0].file)) == pytest.approx([level(2 * i) for i in range(10)], abs=4)
    assert reds(Path(kept.views[1].file)) == pytest.approx([level(i) for i in range(10)], abs=4)
    assert [view.times for view in kept.views] == [None, None]
    assert ("different_rates", "cam0 50 fps, cam1 25 fps") in [(a.kind, a.evidence) for a in result.alerts]


def test_a_variable_rate_gives_each_frame_its_true_time(tmp_path):
    video = recording(tmp_path, lengths=(12, 12))
    times_ms = [0, 42, 83, 125, 167, 208, 250, 283, 317, 350, 383, 417]
    video.views[0].file = str(encode(tmp_path / "vfr.mkv", 12, times_ms=times_ms))
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    (kept,) = read_capture(tmp_path / "frames").recordings
    own = read_times(kept.views[0].times)
    shown = [(r - 20) / 10 for r in reds(Path(kept.views[0].file))]
    for i, (time_s, frame) in enumerate(zip(own, shown, strict=True)):
        if np.isfinite(time_s):
            assert frame == pytest.approx(times_ms.index(round(1000 * time_s)), abs=0.45)
            assert abs(time_s - kept.moments_s[i]) <= 0.021
    np.testing.assert_allclose(read_times(kept.views[1].times), kept.moments_s, atol=1e-6)


def test_frames_with_given_times_are_aligned_by_them(tmp_path):
    video = recording(tmp_path, lengths=(12, 12))
    source = capture(tmp_path, video)
    given = [np.arange(12) / 25, 0.09 + np.delete(np.arange(13), 4) / 25]  # the second starts later and lacks a frame
    for view, times_s in zip(video.views, given, strict=True):
        view.times = f"{view.name}.npy"
        write_times(source / view.times, 40 + times_s)
    Capture(source="videos", recordings=[video]).write(source)
    extract_frames(source, tmp_path / "frames", PARAMS)
    result = read_capture(tmp_path / "frames")
    (kept,) = result.recordings
    # The first frame of the second video is taken between the frames 2 and 3 of the first.
    assert kept.frame_numbers == list(range(8))
    np.testing.assert_allclose(read_times(kept.views[0].times), np.arange(8) / 25 - 0.01)
    assert reds(Path(kept.views[0].file)) == pytest.approx([level(2 + i) for i in range(8)], abs=4)
    assert reds(Path(kept.views[1].file)) == pytest.approx([level(i) for i in (0, 1, 2, 3, 3, 4, 5, 6)], abs=4)
    assert [(a.kind, a.subject) for a in result.alerts if a.kind == "dropped_frames"] == [
        ("dropped_frames", "S1_walk, cam1")
    ]
    # The mend of videos without times, to give them, does not apply.
    (alert,) = [a for a in result.alerts if a.kind == "unequal_lengths"]
    assert "the views end at different times" in alert.message
    assert (alert.severity, alert.mend) == ("note", "")


def test_views_of_different_sizes_are_each_fitted(tmp_path):
    video = recording(tmp_path, lengths=(5, 5))
    write_video(Path(video.views[1].file), 5, size=(48, 32))
    extract_frames(capture(tmp_path, video), tmp_path / "frames", PARAMS)
    views = read_capture(tmp_path / "frames").recordings[0].views
    assert [view.size_px for view in views] == [(96, 64), (48, 32)]
    np.testing.assert_allclose(views[1].camera.K, CAMERA.resized((48, 32)).K)
