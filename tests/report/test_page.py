"""The whole report: one file that needs nothing else, whatever is missing."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy.spatial.transform import Rotation

from pipeline.params.file import read_params
from pipeline.report import write_report
from pipeline.report.data.report_data import STAGES, Files, gather
from pipeline.report.page.epipolar import epipolar_view
from pipeline.report.page.images import overlay
from pipeline.report.page.scenes import PlacedCamera, pose_scene, rig_scene, sequence_scene
from pipeline.skeleton import N_JOINTS, joint
from tests.house.imports import ROOT
from tests.report.synthetic_capture import motion, ring_camera, write_all, write_poses2d


def report(root, **lacking):
    write_all(root, **lacking)
    write_report(root / "data", root / "models", root / "reports", read_params())
    page = (root / "reports/index.html").read_text()
    return json.loads((root / "reports/metrics.json").read_text()), page


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EPILINE_WORKERS", "0")
        return root, *report(root)


class Parts(HTMLParser):
    """What a page loads, and its sections."""

    def __init__(self, page):
        super().__init__()
        self.loads, self.sections, self.links, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        reported = dict(attrs)
        self.loads += [reported[key] for key in ("src", "srcset", "data", "poster") if key in reported]
        self.loads += [reported["href"]] if tag == "link" else []
        self.links += [reported["href"]] if tag == "a" and reported["href"] != "#content" else []
        self.sections += [reported["id"]] if tag == "section" else []


def test_page_needs_nothing_else(whole):
    _, _, page = whole
    parts = Parts(page)
    assert parts.loads
    assert all(reported.startswith("data:") for reported in parts.loads)
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?http", page[: page.index("plotly.js v")])
    assert len(page) < 15e6


def test_every_section_and_its_link_are_there(whole):
    parts = Parts(whole[2])
    assert parts.sections == [
        "examples", "motion", "network", "pss", "labels", "rig", "detector", "capture", "papers", "training",
        "run",
    ]  # fmt: skip
    assert {link.removeprefix("#") for link in parts.links} >= set(parts.sections)
    assert {link.removeprefix("#") for link in parts.links} <= set(parts.sections)


def test_embedded_data_is_json_that_cannot_close_its_element(whole):
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', whole[2], re.S)
    assert len(blocks) > 15
    for block in blocks:
        json.loads(block)
        assert "<" not in block


def test_what_was_told_is_escaped(whole):
    assert "cam2.mp4 ends after 3 of 400 frames" in whole[2]
    assert "<script>alert" not in whole[2]


def test_exchanged_sides_are_shown_by_view_and_joint(whole):
    assert "Left and right exchanged" in whole[2]
    files = Files(whole[0] / "data", whole[0] / "models", whole[0] / "reports")
    report_data = gather(files, files.labels)
    assert report_data.detection_outcomes[2] == "exchanged"
    assert sum((status == 2).sum() for status in report_data.view_status.values()) == 3  # one in each recording
    seen = report_data.seen[0]
    left, right = joint("l_wrist"), joint("r_wrist")
    np.testing.assert_array_equal(seen.sorted_px[7, left], seen.detected_px[7, right])
    np.testing.assert_array_equal(seen.sorted_px[8, left], seen.detected_px[8, left])


def test_metrics_hold_the_costs(whole):
    metrics = whole[1]
    assert set(metrics["seconds"]) == set(STAGES)
    assert metrics["seconds"]["frames"] == 20
    assert metrics["peak_mib"] == 800
    assert list(metrics) == sorted(metrics)


def test_plots_are_tables_with_numbers(whole):
    folder = whole[0] / "reports/plots"
    lines = (folder / "label_joints.csv").read_text().splitlines()
    assert lines[0] == "joint,error_mm"
    assert len(lines) == N_JOINTS  # the head of the table, and all joints but the root
    assert max(lines[1:], key=lambda line: float(line.split(",")[1])).startswith("left wrist")
    head, *rows = (folder / "pck.csv").read_text().splitlines()
    assert head == "threshold_mm,labels,network,network_new_view"
    assert rows[-1].split(",")[0] == "150"


@pytest.mark.parametrize(
    ("lacking", "sections", "groups"),
    [
        (
            {"truth": False, "extrinsics": False, "evaluation_view": False},
            ["examples", "motion", "network", "pss", "labels", "rig", "detector", "capture", "training", "run"],
            {"labels", "test_labels"},
        ),
        (
            {"test": False},
            ["motion", "pss", "labels", "rig", "detector", "capture", "papers", "training", "run"],
            {"labels", "labels_known", "rig", "detector"},
        ),
        (
            {"predictions": False, "truth": False},
            ["motion", "pss", "labels", "rig", "detector", "capture", "training", "run"],
            {"labels", "rig"},
        ),
    ],
)
def test_what_does_not_apply_is_left_out(tmp_path, monkeypatch, lacking, sections, groups):
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    metrics, page = report(tmp_path, **lacking)
    assert Parts(page).sections == sections
    assert {link.removeprefix("#") for link in Parts(page).links} <= set(sections)
    assert set(metrics) - {"seconds", "peak_mib"} == groups
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.S).lower().split()
    if "labels_known" not in groups:
        assert (tmp_path / "reports/plots/label_joints.csv").read_text().splitlines() == ["joint,error_mm"]


def test_rigs_of_single_frames(tmp_path, monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    metrics, page = report(tmp_path, per_frame=True, truth=False, predictions=False)
    assert metrics["rig"] == {"rotation_deg": 0, "centre_mm": 0}
    assert "one of 24 rigs found frame by frame" in page
    assert "Cameras and people" in page


def test_files_read_are_those_that_dvc_is_told(whole):
    root = whole[0]
    files = Files(root / "data", root / "models", root / "reports")
    (files.models / "detector.pt").touch()
    (files.models / "pose3d.pt").touch()
    read = [files.frames, files.poses2d, files.rigs, files.labels, files.predictions, files.pss]
    read += [*files.weights(), files.curve("train"), files.curve("pretrain")]
    read += [files.reports / "resources" / f"{stage}.json" for stage in STAGES if stage != "report"]
    stage = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["report"]
    data = {dep for dep in stage["deps"] if dep.startswith(("data/", "models/", "reports/"))}
    assert data == {path.relative_to(root).as_posix() for path in read}


def test_plots_declared_to_dvc_are_outputs(whole):
    reported = YAML(typ="safe").load(ROOT / "dvc.yaml")
    stages = [stage.get("do", stage) for stage in reported["stages"].values()]
    outs = {next(iter(out)) if isinstance(out, dict) else out for stage in stages for out in stage["outs"]}
    plotted = {file for plot in reported["plots"] for metadata in plot.values() for file in metadata["y"]}
    assert plotted <= outs
    assert set(reported["metrics"]) <= outs
    written = {f"reports/plots/{path.name}" for path in (whole[0] / "reports/plots").iterdir()}
    assert written <= outs


def test_overlay_draws_inside_and_survives_what_is_far_away():
    image = np.full((120, 160, 3), 90, np.uint8)
    px = ring_camera(0).project(motion(0)[0])
    plain, drawn = overlay(image, {"label": px + 1e6}), overlay(image, {"label": px})
    assert drawn.startswith("data:image/webp;base64,")
    assert len(drawn) > len(plain)
    assert overlay(image, {"label": np.full((N_JOINTS, 2), np.nan)}) is None


def test_scene_of_a_pose_is_seen_as_its_camera_sees_it():
    pose = ring_camera(0).to_camera(motion(0)[0])
    scene = pose_scene({"truth": pose, "label": 0.5 * pose, "prediction": np.full((N_JOINTS, 3), np.nan)})
    truth, label = (np.array(layer["frames"][0]).reshape(-1, 3) for layer in scene["layers"])
    np.testing.assert_allclose(truth, (pose - pose[0]) * [1, -1, -1], atol=1)
    np.testing.assert_allclose(label, truth, atol=1)


def test_missing_joints_are_null():
    poses = ring_camera(0).to_camera(motion(0))
    poses[3, 5] = np.nan
    scene = sequence_scene({"label": poses}, 12.5)
    assert scene["layers"][-1]["frames"][3][15:18] == [None, None, None]
    assert json.loads(json.dumps(scene, allow_nan=False)) == scene


def test_people_of_a_sequence_stand_upright():
    scene = sequence_scene({"truth": ring_camera(1.0).to_camera(motion(0))}, 12.5)
    frames = np.array(scene["layers"][-1]["frames"], float).reshape(-1, N_JOINTS, 3)
    height = frames[:, 8] - (frames[:, 3] + frames[:, 6]) / 2
    assert (height[:, 1] > 0.95 * np.linalg.norm(height, axis=-1)).all()


def test_true_cameras_are_brought_into_the_found_world():
    cameras = [ring_camera(angle) for angle in (0.0, 1.6)]
    true = [PlacedCamera(f"cam{i}", c.R_cam_from_world, c.center_world_mm) for i, c in enumerate(cameras)]
    turn = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], float)
    found = [PlacedCamera(c.name, c.R_cam_from_world @ turn.T, 0.3 * turn @ c.center_mm + 55) for c in true]
    scene, enlarged = rig_scene(0.3 * motion(0)[:3] @ turn.T + 55, found, true)
    assert enlarged == 0
    layers = {layer["name"]: layer["frames"][0] for layer in scene["layers"]}
    np.testing.assert_allclose(layers["true cameras"], layers["cameras as found"], atol=2)


def test_uncertainty_is_drawn_as_large_as_is_told():
    cameras = [ring_camera(angle) for angle in (0.0, 1.6)]
    covariance = np.diag([900.0, 100.0, 25.0])  # 30, 10 and 5 mm along the world's axes
    found = [PlacedCamera(f"cam{i}", c.R_cam_from_world, c.center_world_mm, covariance) for i, c in enumerate(cameras)]
    scene, enlarged = rig_scene(motion(0)[:3], found, [])
    (layer,) = [layer for layer in scene["layers"] if layer["name"] == "uncertainty"]
    points = np.array(layer["frames"][0], float).reshape(2, -1, 3)
    radii = np.linalg.norm(points - points.mean(1, keepdims=True), axis=-1)
    assert enlarged == 1
    np.testing.assert_allclose(radii.max(1), 2 * 30 * enlarged, atol=1)
    np.testing.assert_allclose(radii.min(1), 2 * 5 * enlarged, atol=1)


def test_epipolar_lines_meet_the_joints_of_an_exact_rig(tmp_path):
    world = write_all(tmp_path)
    write_poses2d(world, error_px=0)
    files = Files(tmp_path / "data", tmp_path / "models", tmp_path / "reports")
    report_data = gather(files, files.labels)
    seen = [s for s in report_data.seen if s.recording.name == world.capture.recordings[0].name]
    R, t = (np.stack([getattr(c, name) for c in world.cameras]) for name in ("R_cam_from_world", "t_cam_from_world_mm"))
    data = epipolar_view(seen, R, t).data
    off = np.array([data["off"][a][b] for a in range(4) for b in range(4) if a != b], float)
    assert np.isfinite(off).all()
    assert off.max() <= 0.1
    R[0] = R[0] @ Rotation.from_rotvec([0, 0, np.radians(10)]).as_matrix()
    turned = np.array(epipolar_view(seen, R, -np.einsum("vij,vj->vi", R, [c.center_world_mm for c in world.cameras]))
                      .data["off"][0][1:], float)  # fmt: skip
    assert np.nanmedian(turned) > 2
    assert epipolar_view(seen[:1], R, t) is None
