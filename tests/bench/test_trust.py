"""The bench for trust: its verdicts, its recipes, and simulated cases in which nothing may be wrong without a word."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bench.trust import files
from bench.trust.__main__ import main
from bench.trust.cases import Case, common_cases, in_modes, simulated_cases
from bench.trust.judge import Judge, summary
from bench.trust.real_sets import only
from bench.trust.runs import Outcome
from bench.trust.takes import recipes, scenes
from bench.trust.takes.detector import LANDMARKS, Noise, detect, points_of
from bench.trust.takes.take import read_take
from bench.trust.verdicts import Errors, errors_of, trimmed_alignment, verdict
from pipeline.alerts import Alert
from pipeline.skeleton import JOINTS, LIMB_JOINTS
from pipeline.video.decoding import VideoFrames, read_video_header
from tests.house.imports import ROOT

SECONDS = 2.0
ROOM = scenes.room(0, SECONDS)
WARNING = Alert(kind="late_camera", severity="warning", subject="S1", message="late")
RIGHT = Errors(
    labels_mm=10.0, labels_high_mm=30.0, labels_std_mm=15.0, labels_rms_ratio=1.0, share_off=0.01, valid=1.0,
    rig_deg=0.5, rig_std_deg=0.5, rig_worst_sigmas=1.5, center_mm=20.0, center_std_mm=20.0, scale=0.01, scale_std=0.05,
)  # fmt: skip


def outcome(*alerts: Alert, offset_mm: float = 0.0, std_mm: float = 10.0) -> Outcome:
    """An outcome whose labels are the truth of ROOM, with an offset along x in a third of the frames."""
    joints = ROOM.truth.joints_world_mm.copy()
    joints[: len(joints) // 3, :, 0] += offset_mm
    return Outcome(None, list(alerts), None, joints, np.full(joints.shape[:2], std_mm))


@pytest.mark.parametrize(
    ("change", "alerts", "usual", "expected"),
    [
        ({}, (), None, "right"),
        ({"labels_mm": 40.0}, (), Outcome(None, []), "stated"),
        ({"labels_mm": 40.0}, (WARNING,), Outcome(None, []), "covered"),
        ({"share_off": 0.3}, (WARNING,), None, "warned"),
        ({"share_off": 0.3}, (), None, "SILENT"),
        ({"share_off": 0.03}, (), None, "right"),
        ({"share_off": 0.03}, (), Outcome(None, []), "SILENT"),
        ({"share_off": 0.3}, (WARNING,), Outcome(None, [WARNING]), "SILENT"),
        ({"rig_deg": 1.5, "rig_worst_sigmas": 4.0}, (), None, "SILENT"),
        ({"center_mm": 50.0}, (), None, "SILENT"),
        ({"scale": 0.2}, (), None, "SILENT"),
        ({"scale": 0.2, "scale_std": 0.15}, (), None, "right"),
        ({"scale": 0.06, "scale_std": None}, (), None, "SILENT"),
    ],
)
def test_a_verdict_follows_from_errors_and_warnings(change, alerts, usual, expected):
    assert verdict(Outcome(None, list(alerts)), replace(RIGHT, **change), usual) == expected


def test_a_refusal_is_a_verdict_of_its_own():
    refused = Outcome("no rig", [])
    assert errors_of(refused, [], None, "similarity") is None
    assert verdict(refused, None, None) == "refused"


def test_a_stretch_of_wrong_frames_is_not_hidden_by_the_median():
    errors = errors_of(outcome(offset_mm=100.0), [ROOM.truth.joints_world_mm], None, "none")
    assert errors.labels_mm < 1e-3
    assert errors.share_off == pytest.approx(1 / 3, abs=0.03)
    covered = errors_of(outcome(offset_mm=100.0, std_mm=60.0), [ROOM.truth.joints_world_mm], None, "none")
    assert covered.share_off == 0


def test_the_alignment_is_that_of_most_points():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(100, 3))
    target = 2 * points[:, [1, 2, 0]] + 5
    target[:20] += 10
    moved, factor = trimmed_alignment(points, target, scale=True)
    assert factor == pytest.approx(2)
    assert np.allclose(moved[20:], target[20:])


def test_a_take_is_read_as_it_was_written(tmp_path):
    ROOM.write(tmp_path)
    found = read_take(tmp_path)
    assert found.recording.name == ROOM.recording.name
    assert all(np.allclose(found.arrays[name], values, atol=1e-3) for name, values in ROOM.arrays.items())


def test_the_detectors_errors_are_as_large_as_real_ones_and_last():
    joints, cameras = ROOM.truth.joints_world_mm, ROOM.truth.cameras
    found = detect(joints, cameras, Noise(), np.random.default_rng(1))
    exact = np.stack([camera.project(points_of(joints)) for camera in cameras], 1)
    size = (exact.max(2) - exact.min(2))[..., 1]
    error = (found.px - exact) / size[:, :, None, None]
    assert 0.01 < np.median(np.linalg.norm(error, axis=-1)) < 0.02
    far = np.linalg.norm(error, axis=-1) > 0.1
    assert 0.003 < far.mean() < 0.03
    kept = np.where(far[..., None], 0, error)
    correlation = (kept[1:] * kept[:-1]).mean() / (kept**2).mean()
    assert 0.75 < correlation < 0.98
    assert np.abs(kept.mean(0)).mean() > 0.003


def test_landmarks_have_another_side():
    mirror = recipes.landmark_mirror(ROOM)
    assert sorted(mirror) == list(range(len(LANDMARKS)))
    assert np.array_equal(mirror[mirror], np.arange(len(mirror)))
    assert [JOINTS[LIMB_JOINTS[i]][2:] for i in mirror[:12]] == [JOINTS[j][2:] for j in LIMB_JOINTS]
    assert np.array_equal(recipes.MEDIAPIPE_MIRROR[recipes.MEDIAPIPE_MIRROR], np.arange(33))


def test_recipes_do_what_they_say():
    late = recipes.late(ROOM, [2], 0.2)
    assert np.array_equal(late.take.arrays["joints_px"][:, 2], ROOM.arrays["joints_px"][late.rows - 5, 2])
    assert np.array_equal(late.take.arrays["joints_px"][:, 0], ROOM.arrays["joints_px"][late.rows, 0])
    assert np.array_equal(late.take.truth.joints_world_mm, ROOM.truth.joints_world_mm[late.rows])
    dropped = recipes.dropped(ROOM).take
    assert dropped.recording.n_frames == ROOM.recording.n_frames - 4
    halves = recipes.other_size(ROOM, 2.0).take.recording.views[0].camera
    assert halves.K[0, 2] == pytest.approx(2 * ROOM.recording.views[0].camera.K[0, 2])
    turned = recipes.turned(ROOM, 1, 3.0).take.recording.views[1].camera
    assert np.allclose(turned.center_world_mm, ROOM.recording.views[1].camera.center_world_mm)
    once = recipes.limb_seen_once(ROOM, 3).take.arrays["confidence"][:, :, JOINTS.index("l_knee")]
    assert (once[3] > 0).all()
    assert not once[[0, 1, 2, 4]].any()
    head = only(ROOM, "head").arrays["confidence"]
    assert (head[..., JOINTS.index("head")] > 0).all()
    assert not head[..., JOINTS.index("l_wrist")].any()


def test_guesses_outside_the_image_are_wrong_and_those_inside_are_kept():
    cut = recipes.cut_below(ROOM, 0.5).take
    height = np.array([view.size_px[1] for view in cut.recording.views])[None, :, None]
    outside = ROOM.arrays["joints_px"][..., 1] > height - 1
    same = (cut.arrays["joints_px"] == ROOM.arrays["joints_px"]).all(-1)
    assert outside.any()
    assert np.array_equal(same, ~outside)


def test_every_case_of_the_page_is_run():
    page = (ROOT / "docs/trust.md").read_text()
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    run = {case.number for case in [*common_cases(), *simulated_cases(0, SECONDS)]} - {0}
    assert run | {case.number for case in files.CASES} - {0} == listed


# A few cases of every kind that are quick: more are run by the bench itself.
CASES: list[Case] = [
    *in_modes("rig known", 0, "as filmed"),
    *in_modes("known", 1, "one of four late by 0.2 s", partial(recipes.late, views=[2], seconds=0.2)),
    *in_modes("known", 3, "intrinsics of images twice as large", recipes.other_size),
    *in_modes("known", 4, "board squares as metres", partial(recipes.other_unit, factor=12.5)),
    *in_modes("known", 5, "two videos exchanged", partial(recipes.exchanged, order=[0, 1, 3, 2])),
    *in_modes("known", 7, "another person", partial(recipes.mirrored_person, views=[0, 1])),
    *in_modes("known", 9, "sides swapped", partial(recipes.swapped_sides, view=0), views=(0, 1)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}, {case.calibrate['mode']}")
def test_nothing_is_wrong_without_a_word(case):
    judged = Judge({"room": ROOM}).judge(case)
    assert judged.verdict not in ("SILENT", "warned"), str(judged)
    if not case.number:
        assert not judged.outcome.warnings


def test_frames_are_known_by_the_numbers_in_their_images(tmp_path):
    video = files.Video(2, np.array([0, 1, 5, 6, 200]))
    files.write_video(tmp_path / "v.mp4", video, (320, 180), 25.0, shift=3)
    header = read_video_header(tmp_path / "v.mp4")
    frames = VideoFrames(tmp_path / "v.mp4", header, header.clock.numbers, 1)
    assert [files._number(image) for image in frames] == [(row, 2) for row in video.rows]
    assert np.allclose(header.clock.times_s, 0.04 * video.rows)


def test_copies_of_a_video_are_refused():
    again = next(case for case in files.CASES if case.copy_again)
    assert files.FileJudge(0, 1.5).judge(again).verdict == "refused"


def test_figures_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bench.trust.__main__.common_cases", lambda: CASES[:1])
    monkeypatch.setattr("bench.trust.__main__.simulated_cases", lambda seed, seconds: [])
    monkeypatch.setattr("bench.trust.__main__.QUICK_S", 1.5)
    monkeypatch.setattr(files, "CASES", files.CASES[:1])
    found = main(None, tmp_path, None, quick=True, target=tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == found
    assert found["cases"] == 2
    assert found["silent_cases"] == 0
    assert found["false_alarms"] == 0
    assert 0.5 < found["label_rms_over_sigma_max"] < 2
    assert "as filmed" in capsys.readouterr().out
    assert summary([])["cases"] == 0
