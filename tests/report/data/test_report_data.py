"""What is read: each recording as each of its views sees it."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.data.report_data import gather, gather_alternatives, joined, place_at_depth
from pipeline.skeleton import joint
from pipeline.stores import LABELS, open_store
from tests.world.cameras import small_camera
from tests.world.people import turning
from tests.world.results import files_of, write_all


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_all(root, refined=("truth",))
    return root


@pytest.fixture(scope="module")
def data(root):
    return gather(files_of(root))


def test_views_are_selected_by_split_and_use(data):
    assert {v.recording.subject for v in data.select("train")} == {"S1", "S2"}
    assert {v.name for v in data.select("train")} == {"cam0", "cam1", "cam2"}
    assert [v.name for v in data.select("test", evaluation_only=True)] == ["cam3"]
    assert [len(views) for views in data.by_name().values()] == [3, 3, 3, 3]


def test_swapped_detections_are_sorted_as_triangulation_used_them(data):
    view = data.views[0]
    left, right = joint("l_wrist"), joint("r_wrist")
    assert view.swapped.sum() == 1
    np.testing.assert_array_equal(view.sorted_px[7, left], view.detected_px[7, right])
    np.testing.assert_array_equal(view.sorted_px[9, left], view.detected_px[9, left])


def test_outliers_were_not_used(data):
    view = data.views[0]
    assert not view.used[8, joint("l_wrist")]
    assert view.used[7, joint("l_wrist")]
    assert not any(view.used.any() for view in data.select("test", evaluation_only=True))


def test_labels_are_projected_by_the_calibrated_camera_and_the_truth_by_the_given_one(root, tmp_path):
    world = write_all(tmp_path)
    focal = 1.1
    path = tmp_path / "data/labels.zarr"
    name = world.capture.recordings[0].name
    given = gather(files_of(tmp_path)).views[0]
    rescale_cameras(path, focal)
    calibrated = gather(files_of(tmp_path)).of_recording(name)[0]
    np.testing.assert_allclose(calibrated.true_px, given.true_px)
    center = np.array(given.camera.K)[:2, 2]
    np.testing.assert_allclose(calibrated.label_px - center, focal * (given.label_px - center), rtol=1e-6)


def rescale_cameras(path, factor):
    """Multiply the focal lengths that calibration found in a store of labels."""
    store = open_store(path, LABELS)
    for name in store:
        metadata = path / name / "zarr.json"
        text = metadata.read_text()
        f = store[name].record.rig.cameras[0].K[0][0]
        assert str(f) in text
        metadata.write_text(text.replace(str(f), str(f * factor)))


def test_refined_predictions_replace_the_network_s(root, data):
    refined = gather_alternatives(files_of(root), data).refined["truth"]
    poses, better, true = (
        joined(views, name)
        for views, name in (
            (data.select("test"), "predicted_cam_mm"), (refined.select("test"), "predicted_cam_mm"),
            (data.select("test"), "true_cam_mm"),
        )
    )  # fmt: skip
    np.testing.assert_allclose(better - true, (poses - true) / 2, atol=0.01)
    np.testing.assert_array_equal(joined(refined.views, "label_cam_mm"), joined(data.views, "label_cam_mm"))


def test_alternatives_that_no_stage_made_are_absent(tmp_path):
    write_all(tmp_path, truth=False)
    files = files_of(tmp_path)
    alternatives = gather_alternatives(files, gather(files))
    assert alternatives.baseline is None
    assert alternatives.refined == {}


def test_a_pose_placed_at_its_depth_projects_to_its_pixels():
    camera = small_camera(0)
    cam = camera.to_camera(turning(0))
    depth = cam[..., 2]
    placed = place_at_depth(camera, camera.project_cam(cam), depth / depth[:, :1] - 1, depth[:, 0])
    np.testing.assert_allclose(placed, cam, atol=1e-6)


def test_a_prediction_where_the_lens_has_no_ray_counts_with_its_error():
    camera = replace(small_camera(0), dist=np.array([-0.3, 0.0, 0.0, 0.0]))
    cam = camera.to_camera(turning(0))
    px, depth = camera.project_cam(cam), cam[..., 2]
    px[2, 5] = [50_000.0, 100.0]
    assert np.isnan(camera.undistort(px[2, 5])).any()
    placed = place_at_depth(camera, px, depth / depth[:, :1] - 1, depth[:, 0])
    assert np.linalg.norm(placed[2, 5] - cam[2, 5]) > 10_000
    placed[2, 5] = cam[2, 5]
    np.testing.assert_allclose(placed, cam, atol=1e-3)
