"""The calibrated cameras as a calibration file, which reads as the cameras that the labels were made with."""

import cv2
import numpy as np
import pytest

from pipeline.capture import Capture, Recording, View
from pipeline.errors import UserError
from pipeline.formats.calibration import read_calibration
from pipeline.formats.export_rig import export_rig
from pipeline.stores import RIGS, create_store
from tests.formats.cameras import rig
from tests.world.records import RIGS_SUMMARY, rig_record

CAMERAS = list(rig(4).values())


@pytest.fixture
def rigs(tmp_path):
    """Two recordings with a static rig each, the third view not calibrated, and one with a rig per frame."""
    R = np.stack([camera.R_cam_from_world for camera in CAMERAS])
    t = np.stack([camera.t_cam_from_world_mm for camera in CAMERAS])
    t[2] = np.nan
    with create_store(tmp_path / "rigs.zarr", RIGS, RIGS_SUMMARY) as store:
        for name, n, offset_mm in (("a", 1, 0), ("b", 1, 100), ("moving", 2, 0)):
            record = rig_record([camera.scale_focal(1.1) for camera in CAMERAS], scale="height")
            group = store.create(name, {"rig": n, "view": 4}, record)
            arrays = {"R_cam_from_world": R, "t_cam_from_world_mm": t + offset_mm}
            group.write(0, {name: np.stack([array] * n) for name, array in arrays.items()})
    return tmp_path / "rigs.zarr"


@pytest.mark.parametrize(("recording", "offset_mm"), [(None, 0), ("b", 100)])
def test_the_cameras_can_be_read_again(rigs, tmp_path, recording, offset_mm):
    assert export_rig(rigs, tmp_path, tmp_path / "rig.toml", "pose2sim", recording).startswith("c0, c1, c3; ")
    cameras = read_calibration(tmp_path / "rig.toml").cameras
    assert list(cameras) == ["c0", "c1", "c3"]
    expected = CAMERAS[3].scale_focal(1.1)
    np.testing.assert_allclose(cameras["c3"].K, expected.K)
    np.testing.assert_allclose(cameras["c3"].dist, expected.dist)
    np.testing.assert_allclose(cameras["c3"].R_cam_from_world, expected.R_cam_from_world, atol=1e-6)
    np.testing.assert_allclose(cameras["c3"].t_cam_from_world_mm, expected.t_cam_from_world_mm + offset_mm, rtol=1e-6)


def test_without_the_videos_the_intrinsics_are_those_of_the_packed_frames(rigs, tmp_path):
    export_rig(rigs, tmp_path, tmp_path / "intri.yml", "opencv")
    for name in ("intri.yml", "extri.yml"):
        text = (tmp_path / name).read_text()
        assert "Intrinsics are those of the packed frames, not of the videos" in text
        assert "1000 x 960 px" in text
        assert "fixed by: height" in text


def test_intrinsics_are_for_the_size_of_the_videos(rigs, tmp_path):
    views = []
    for v, camera in enumerate(CAMERAS):
        video = cv2.VideoWriter(str(tmp_path / f"{v}.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 25, (500, 480))
        video.write(np.zeros((480, 500, 3), np.uint8))
        video.release()
        views.append(View.of(f"c{v}", f"{v}.mp4", camera))
    recording = Recording(name="a", subject="a", action="", split="train", rig="r", fps=25, n_frames=1, views=views)
    Capture(source="videos", recordings=[recording]).write(tmp_path)
    said = export_rig(rigs, tmp_path, tmp_path / "rig.toml", "epiline", "a")
    assert said == "c0, c1, c3; intrinsics for the videos: 500 x 480 px"
    assert "those of the videos: 500 x 480 px" in (tmp_path / "rig.toml").read_text()
    camera = read_calibration(tmp_path / "rig.toml").cameras["c3"]
    packed = CAMERAS[3].scale_focal(1.1)
    assert camera.size_px == (500, 480)
    point_mm = np.array([100.0, 50, 3000])
    np.testing.assert_allclose(camera.project_cam(point_mm), (packed.project_cam(point_mm) + 0.5) / 2 - 0.5)


def test_a_recording_without_a_rig_is_refused(rigs, tmp_path):
    with pytest.raises(UserError, match=r"no rig of the recording S9 .*Calibrated are: a, b, moving"):
        export_rig(rigs, tmp_path, tmp_path / "rig.toml", "pose2sim", "S9")
    with create_store(rigs, RIGS, RIGS_SUMMARY):
        pass
    with pytest.raises(UserError, match="no rig of any recording"):
        export_rig(rigs, tmp_path, tmp_path / "rig.toml", "pose2sim")


def test_a_rig_per_frame_is_refused(rigs, tmp_path):
    with pytest.raises(UserError, match="moving has 2 rigs, one per frame"):
        export_rig(rigs, tmp_path, tmp_path / "rig.toml", "pose2sim", "moving")


def test_the_calibration_of_the_footage_is_not_overwritten(rigs, tmp_path):
    export_rig(rigs, tmp_path, tmp_path / "Intri.yml", "opencv")
    before = {path: path.read_bytes() for path in tmp_path.glob("*tri.yml")}
    assert len(before) == 2
    with pytest.raises(UserError, match=r"Intri\.yml exists"):
        export_rig(rigs, tmp_path, tmp_path / "Intri.yml", "opencv")
    assert {path: path.read_bytes() for path in tmp_path.glob("*tri.yml")} == before
