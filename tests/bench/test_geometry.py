"""The bench runs from end to end without its optional peers and writes every figure that needs none."""

import json
import re

import numpy as np
import pytest

from bench.geometry import detections, known_rig, uncertainty
from bench.geometry.__main__ import main
from bench.geometry.detections import NAMES, read_detections
from bench.geometry.focal_length import with_wrong_focal
from bench.geometry.measure import FAILED_MM, Errors, mean_or_failed
from bench.geometry.simulation import Scenes, synthetic_motion
from bench.geometry.sizes import Sizes
from bench.peers import remote
from pipeline.skeleton import JOINTS
from tests.house.imports import ROOT
from tests.world.detections import observed_walkers

TINY = Sizes(
    full=False, people=1, captures=1, frames=30, single_frames=2, pooled={10: 1, 100: 1, 1000: 1}, adjusted={40: 1},
    long_frames=30, repeats=1,
)  # fmt: skip
SCENES = Scenes(synthetic_motion(1, 5.0), 0)
OURS = {
    "self_over_known_n_100", "self_over_known_n_10", "frame_over_known_pa", "robust_mm", "robust_bones_mm",
    "linear_frames_per_s", "robust_frames_per_s", "rig_1000_cpu_s",
}  # fmt: skip
WITH_PEERS = {
    "robust_over_pycolmap", "robust_over_pose2sim", "linear_over_aniposelib", "rig_over_pycolmap",
    "self_best_over_pycolmap_pa", "self_best_over_pose2sim_pa",
}  # fmt: skip


def test_figures_that_need_no_peer_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(remote, "available", lambda: False)
    main(None, TINY, tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert set(figures) - WITH_PEERS == OURS
    assert all(np.isfinite(value) and value > 0 for value in figures.values())
    said = capsys.readouterr().out
    assert "make bench-peers" in said
    assert "Pose2Sim best" not in said


def test_every_figure_is_explained():
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/geometry.md").read_text(), re.MULTILINE))
    assert explained == OURS | WITH_PEERS


def test_errors_are_those_of_the_points_given():
    truth = np.random.default_rng(0).normal(size=(4, 17, 3))
    points = truth + np.array([3.0, 0.0, 4.0])
    points[0, 0] = np.nan
    errors = Errors.of([points], [truth])
    assert errors.mean == pytest.approx(5.0)
    assert errors.pa == pytest.approx(0.0, abs=1e-9)
    assert errors.given == pytest.approx(67 / 68)


def test_a_frame_without_labels_fails():
    assert mean_or_failed(np.array([10.0, np.nan])) == (10.0 + FAILED_MM) / 2


def test_the_oracle_does_not_see_the_outliers():
    [capture] = SCENES.film(1, 40, noise_px=0.0, outliers=0.05)
    enough = (~capture.outlier).sum(1) >= 2
    error = np.linalg.norm(known_rig.oracle(capture) - capture.joints_world_mm, axis=-1)
    assert error[enough].max() < 1e-3


def test_focal_lengths_are_wrong_as_asked():
    [capture] = SCENES.film(1, 3, noise_px=0.0, outliers=0.0)
    wrong = with_wrong_focal(capture, 1.25)
    assert np.allclose(wrong.points_norm * 1.25, capture.points_norm)
    assert np.array_equal(wrong.px, capture.px)


@pytest.mark.parametrize("correlated", [False, True])
def test_rotating_cameras_are_filmed_as_they_rotate(correlated):
    exact = SCENES.film(1, 80, noise_px=0.0, outliers=0.0, consecutive=True)
    error, claim, ratio, share = uncertainty._errors_and_claims(uncertainty._rotating(exact, 0.05, correlated))
    assert share == 100
    assert error < 3
    assert 0 < claim < 5
    assert 0 < ratio < 20


def test_real_detections_are_read_and_compared(tmp_path, capsys):
    [capture] = SCENES.film(1, 40, noise_px=0.0, outliers=0.0)
    names = ["Nose", *NAMES.values()]
    kpts2d, conf = np.zeros((40, 4, len(names), 2)), np.full((40, 4, len(names)), 0.9)
    nose = capture.joints_world_mm[:, JOINTS.index("head")] + np.array([30.0, 70, -90])
    kpts2d[:, :, 0] = np.stack([camera.project(nose) for camera in capture.cameras], 1)
    for column, joint in enumerate(NAMES, 1):
        kpts2d[:, :, column] = capture.px[:, :, JOINTS.index(joint)]
    conf[3, 1, names.index("LWrist")] = 0.1
    path = tmp_path / "openpose.npz"
    calibration = {"K": capture.K, "dist": np.zeros((4, 5)), "R": capture.R, "t": capture.t / 1000}
    np.savez(path, kpts2d=kpts2d, conf=conf, joint_names=names, **calibration)
    [seen] = read_detections(path)
    points_norm, sigma = seen.joints
    wrist, spine = JOINTS.index("l_wrist"), JOINTS.index("spine")
    assert np.isinf(sigma[3, wrist, 1])
    assert np.isinf(sigma[:, spine]).all()
    known = np.isfinite(sigma)
    assert np.allclose(points_norm[known], capture.points_norm[known], atol=1e-9)
    assert seen.landmarks[0].shape == (40, len(names), 4, 2)
    detections.run(path)
    table = capsys.readouterr().out
    rows = re.findall(r"\.npz (?:all points|joints): as shipped +(\S+) +(\S+) +(\S+)", table)
    assert len(rows) == 2
    assert len(re.findall(r"frame by frame, (?:all points|joints): as shipped", table)) == 2
    assert all(float(error) < 0.01 for row in rows for error in row)


def test_a_pipelines_detections_are_compared_with_the_extrinsics_given(tmp_path, capsys):
    world = observed_walkers(tmp_path, noise_px=4.0, landmarks=True)
    detections.run(world.paths.data)
    errors = re.findall(r"r0 (all points|joints): the given one +(\S+)", capsys.readouterr().out)
    assert float(dict(errors)["all points"]) < 0.01 < float(dict(errors)["joints"]) < 1
