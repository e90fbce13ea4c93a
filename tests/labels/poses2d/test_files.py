"""2D poses of files as a capture's detections: where they land, what is counted, what is refused."""

import json

import numpy as np
import pytest

from pipeline.capture import SourceImages
from pipeline.errors import UserError
from pipeline.labels.poses2d import files
from pipeline.labels.poses2d.files import import_poses2d
from pipeline.skeleton import joint
from pipeline.stores import POSES2D, Poses2dStore, open_store
from tests.formats.poses2d.files import BODY_25, COCO_17, STANDING, person, write_openpose
from tests.labels.poses2d.world import PARAMS, VIEWS, recording, view, write_frames


def walk(n=4, start=0, offset=(0, 0)):
    """Each frame's people: one, who goes to the right by 10 px a frame."""
    return {start + i: [person(BODY_25, (10 * i + offset[0], offset[1]))] for i in range(n)}


def write(folder, **frames_of_views):
    for name, frames in frames_of_views.items():
        write_openpose(folder / "poses" / name, frames)


def run(folder, *recordings, params=PARAMS, **fields) -> Poses2dStore:
    manifest = write_frames(folder, *(recordings or (recording(),)), **fields)
    import_poses2d(manifest, folder / "poses", folder / "poses2d.zarr", params)
    return open_store(folder / "poses2d.zarr", POSES2D)


def joints(store, name="S1_walk"):
    return store[name].person(0)["joints_px"]


def packed(px):
    """Pixels of frames that are half as large as the video."""
    return (np.asarray(px) + 0.5) / 2 - 0.5


def kinds(store):
    return {alert.kind: alert for alert in store.summary.alerts}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def test_joints_landmarks_and_boxes_in_the_pixels_of_the_packed_frames(tmp_path):
    write(tmp_path, cam1=walk(), cam2=walk(offset=(5, 7)))
    store = run(tmp_path)
    group = store["S1_walk"].person(0)
    knee = group["joints_px"][:, :, joint("l_knee")]
    np.testing.assert_allclose(knee[:, 0], packed([(324 + 10 * i, 370) for i in range(4)]), rtol=1e-6)
    np.testing.assert_allclose(knee[2, 1], packed((324 + 25, 377)), rtol=1e-6)
    assert group["landmarks_px"].shape == (4, 2, 25, 2)
    np.testing.assert_allclose(
        group["landmarks_px"][0, 0, BODY_25.index("LHeel")], packed(STANDING["l_heel"]), rtol=1e-6
    )
    np.testing.assert_allclose(group["confidence"], 0.8, rtol=1e-6)
    np.testing.assert_allclose(group["box_px"][0, 0, [0, 2, 3]], packed((240, 360, 460)), rtol=1e-6)
    record = store["S1_walk"].record
    assert (record.persons, record.found) == (["S1"], {"cam1": 4, "cam2": 4})
    assert store.summary.detector["skeleton"] == "BODY_25"
    assert store.summary.landmarks == list(BODY_25)
    assert store.summary.joint_rules["pelvis"] == "0.5 LHip + 0.5 RHip; else MidHip"
    assert store.summary.alerts == []


def test_recordings_have_folders_of_their_names(tmp_path, caplog):
    for name, start in (("S1_walk", 0), ("S2_run", 100)):
        for one in VIEWS:
            write_openpose(
                tmp_path / "poses" / name / "pose" / f"{one}_json", walk(start=start, offset=(start / 10, 0))
            )
    caplog.set_level("INFO", "epiline")
    store = run(tmp_path, recording("S1_walk"), recording("S2_run"))
    np.testing.assert_allclose(
        joints(store, "S2_run") - joints(store), np.broadcast_to((5, 0), (4, 2, 17, 2)), atol=1e-4
    )
    assert "S2_run: number of the video's first frame in the files: cam1 100, cam2 100" in caplog.text


def test_blocks_come_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FRAMES_PER_BLOCK", 3)
    write(tmp_path, cam1=walk(10), cam2=walk(10))
    store = run(tmp_path, recording(n_frames=10))
    np.testing.assert_allclose(joints(store)[:, 0, 0, 0], packed(300 + 10 * np.arange(10)), rtol=1e-6)


def test_only_the_kept_frames_are_read(tmp_path):
    write(tmp_path, cam1=walk(9), cam2=walk(9))
    store = run(tmp_path, recording(n_frames=3, frame_numbers=[0, 4, 8]))
    np.testing.assert_allclose(joints(store)[:, 0, 0, 0], packed((300, 340, 380)), rtol=1e-6)
    assert store.summary.alerts == []


def test_the_subject_is_kept_and_others_are_counted(tmp_path):
    frames = walk()
    for i in (1, 2):
        small = person(BODY_25, confidence=0.9)
        small[:, :2] = small[:, :2] / 3 + (400, 0)
        frames[i] = [small, *frames[i]]
    write(tmp_path, cam1=frames, cam2=walk())
    store = run(tmp_path)
    np.testing.assert_allclose(joints(store)[:, 0], joints(store)[:, 1])
    assert store["S1_walk"].record.others == {"cam1": 2, "cam2": 0}
    alert = kinds(store)["other_people"]
    assert (alert.severity, alert.evidence) == ("note", "of 4 frames: cam1 2")


def test_frames_without_people_and_without_files_are_empty(tmp_path):
    frames = {**walk(), 1: []}
    del frames[2]
    write(tmp_path, cam1=frames, cam2=walk())
    store = run(tmp_path)
    np.testing.assert_array_equal(np.isfinite(joints(store)[:, 0, 0, 0]), [True, False, False, True])
    assert store["S1_walk"].record.found == {"cam1": 3 - 1, "cam2": 4}
    assert kinds(store)["poses_gaps"].evidence == "of 4 frames: cam1 1"


def test_a_view_without_files_is_empty_and_an_alert(tmp_path):
    write(tmp_path, cam1=walk(), cam3=walk())
    store = run(tmp_path, recording(views=[view(name) for name in ("cam1", "cam2", "cam3")]))
    assert store["S1_walk"].record.found == {"cam1": 4, "cam2": 0, "cam3": 4}
    alert = kinds(store)["poses_missing"]
    assert (alert.severity, alert.subject) == ("warning", "S1_walk")
    assert "no files of 2D poses of cam2" in alert.message


def test_a_recording_without_a_folder_is_empty_and_an_alert(tmp_path):
    for one in VIEWS:
        write_openpose(tmp_path / "poses" / "S1_walk" / one, walk())
    store = run(tmp_path, recording("S1_walk"), recording("S2_run"))
    assert store["S2_run"].record.found == {"cam1": 0, "cam2": 0}
    assert {"poses_missing", "nobody_found"} <= set(kinds(store))


def test_a_broken_file_costs_its_frame_and_many_the_stage(tmp_path):
    write(tmp_path, cam1=walk(), cam2=walk())
    paths = sorted((tmp_path / "poses" / "cam1").iterdir())
    paths[1].write_text("{")
    store = run(tmp_path)
    assert store["S1_walk"].record.crashed == {"cam1": 1, "cam2": 0}
    assert "failed on 1 of 8 images" in kinds(store)["unreadable_poses"].message
    for path in (*paths[1:], tmp_path / "poses" / "cam2" / paths[0].name):
        path.write_text("{")
    with pytest.raises(
        UserError, match=r"Reading the 2D poses failed on 4 of 8 images, the first time with cam_0+1_key"
    ):
        run(tmp_path)


def test_files_of_more_frames_than_the_video(tmp_path):
    write(tmp_path, cam1=walk(6), cam2=walk(6))
    alert = kinds(run(tmp_path))["poses_beyond_video"]
    assert (alert.severity, alert.evidence) == ("note", "frames beyond: cam1 2, cam2 2")
    write_openpose(tmp_path / "poses" / "cam2", walk(9))
    assert kinds(run(tmp_path))["poses_beyond_video"].severity == "warning"


def test_stated_sizes_are_scaled_and_other_shapes_refused(tmp_path):
    def write_coco(size):
        (tmp_path / "poses").mkdir(exist_ok=True)
        for name in VIEWS:
            images = [{"id": i, "file_name": f"{i}.jpg", "width": size[0], "height": size[1]} for i in range(4)]
            half = person(COCO_17) * (0.5, 0.5, 1)
            people = [{"image_id": i, "keypoints": half.ravel().tolist(), "score": 1.0} for i in range(4)]
            (tmp_path / "poses" / f"{name}.json").write_text(json.dumps({"images": images, "annotations": people}))

    write_coco((320, 320))
    np.testing.assert_allclose(joints(run(tmp_path))[0, 0, joint("l_knee")], (162, 185), rtol=1e-6)
    write_coco((320, 240))
    with pytest.raises(UserError, match=r"cam1 are of images of 320x240, and its video is 640x640 \(.*cam1\.json\)"):
        run(tmp_path)


def test_pixels_of_the_calibrated_images(tmp_path):
    # The calibrated images are wider than the video, which lacks 8 columns at the left.
    shift = [[0.5, 0, -4.25], [0, 0.5, -0.25], [0, 0, 1]]
    source = SourceImages(video_px=(632, 640), n_frames=4, calibrated_px=(640, 640), packed_from_calibrated=shift)
    cut = recording(views=[view(name, source=source) for name in VIEWS])
    write(tmp_path, cam1=walk(), cam2=walk())
    store = run(tmp_path, cut, params=PARAMS.model_copy(update={"files_pixels": "calibration"}))
    np.testing.assert_allclose(joints(store)[0, 0, joint("l_knee")], (324 / 2 - 4.25, 184.75), rtol=1e-6)


@pytest.mark.parametrize(
    ("factor", "said"), [(0.5, "in the top left part"), (2.0, "many points lie outside the images")]
)
def test_coordinates_of_other_images_are_an_alert(tmp_path, factor, said):
    frames = {i: [people[0] * (factor, factor, 1)] for i, people in walk().items()}
    write(tmp_path, cam1=frames, cam2=frames)
    alert = kinds(run(tmp_path))["poses_of_other_images"]
    assert alert.severity == "warning"
    assert said in alert.message


def test_negative_and_missing_coordinates_do_not_spread(tmp_path):
    frames = walk()
    frames[0][0][BODY_25.index("LKnee")] = -50, 20, 0.4
    frames[1][0][BODY_25.index("LKnee")] = np.nan, 20, 0.4
    write(tmp_path, cam1=frames, cam2=walk())
    found = joints(run(tmp_path))[:, 0]
    np.testing.assert_allclose(found[0, joint("l_knee")], packed((-50, 20)), rtol=1e-6)
    assert np.isnan(found[1, joint("l_knee")]).all()
    assert np.isfinite(np.delete(found[1], joint("l_knee"), 0)).all()


def test_files_count_the_frames_of_a_video_that_lacks_some(tmp_path):
    # The second view has no frame at the second moment, so its files have one frame less.
    write(tmp_path, cam1=walk(4), cam2=walk(3))
    one = recording()
    np.save(tmp_path / "indices.npy", [0, -1, 1, 2])
    one.views[1].source.n_frames, one.views[1].source.indices = 3, str(tmp_path / "indices.npy")
    store = run(tmp_path, one)
    np.testing.assert_allclose(joints(store)[:, 1, 0, 0], packed([300, np.nan, 310, 320]), rtol=1e-6)
    assert store.summary.alerts == []


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ({}, r"poses does not exist \(detect\.files\)"),
        ({"cam1": {0: []}, "cam2": {0: []}}, "have no people in any frame"),
        ({"left": walk(), "right": walk()}, "Which 2D poses are of which view cannot be told: views cam1, cam2"),
        ({"cam1": walk(), "cam2": {0: [person(COCO_17)]}}, r"17 points \(COCO_17\) and .*25 \(BODY_25\)"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_no_store(tmp_path, frames, said):
    write(tmp_path, **frames)
    with pytest.raises(UserError, match=said):
        run(tmp_path)
    assert not (tmp_path / "poses2d.zarr").exists()


def test_a_manifest_of_older_frames_is_refused(tmp_path):
    write(tmp_path, cam1=walk(), cam2=walk())
    old = recording()
    for one in old.views:
        one.source = None
    with pytest.raises(UserError, match=r"The size of the video of cam1 is not in the manifest.*dvc repro frames"):
        run(tmp_path, old)


def test_names_that_only_their_order_tells_are_an_alert(tmp_path):
    write(tmp_path, cam_0=walk(), cam_1=walk(offset=(9, 0)))
    store = run(tmp_path)
    assert "cam_0 is cam1, cam_1 is cam2" in kinds(store)["poses_by_order"].message
    assert joints(store)[0, 1, 0, 0] > joints(store)[0, 0, 0, 0]
