"""Epipolar lines of an exact and of a wrong rig."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.report.data.report_data import gather
from pipeline.report.page.epipolar import epipolar_view
from tests.world.results import files_of, write_all, write_detections


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("epipolar")


@pytest.fixture(scope="module")
def world(root):
    world = write_all(root)
    write_detections(world, error_px=0)
    return world


@pytest.fixture(scope="module")
def views(world, root):
    return gather(files_of(root)).of_recording(world.capture.recordings[0].name)


def distances(world, views, R):
    t = -np.einsum("vij,vj->vi", R, [camera.center_world_mm for camera in world.cameras])
    found = epipolar_view(views, R, t).data["distances"]
    return np.array([found[a][b] for a in range(4) for b in range(4) if a != b], float)


def rotations(world):
    return np.stack([camera.R_cam_from_world for camera in world.cameras])


def test_lines_of_an_exact_rig_pass_through_the_joints(world, views):
    found = distances(world, views, rotations(world))
    assert np.isfinite(found).all()
    assert found.max() <= 0.1


def test_lines_of_a_rotated_camera_miss_the_joints(world, views):
    R = rotations(world)
    R[0] = R[0] @ Rotation.from_rotvec([0, 0, np.radians(10)]).as_matrix()
    assert np.nanmedian(distances(world, views, R)[:3]) > 2


def test_one_view_has_no_lines(world, views):
    t = np.stack([camera.t_cam_from_world_mm for camera in world.cameras])
    assert epipolar_view(views[:1], rotations(world), t) is None
