"""The files of each view: names, and the pixels that they count."""

import numpy as np
import pytest

from pipeline.capture import SourceImages
from pipeline.errors import UserError
from pipeline.formats.poses2d.people import LoadedPoses
from pipeline.labels.poses2d.view_files import match_views
from tests.labels.poses2d.world import recording, view

# The calibrated images are 8 columns wider than the video, of which 4 are missing at the left.
CUT = SourceImages(
    video_px=(632, 640), n_frames=4, calibrated_px=(640, 640), packed_from_calibrated=[[1, 0, -4], [0, 1, 0], [0, 0, 1]]
)


def poses(size_px=None):
    return LoadedPoses("file", "named", ("a",), size_px, np.arange(4), np.zeros(0, int), np.zeros((0, 1, 3)))


@pytest.mark.parametrize(
    ("names", "source_of"),
    [
        (("cam2_json", "cam1_json"), {"cam1": "cam1_json", "cam2": "cam2_json"}),
        (("S1_cam_02", "S1_cam_01"), {"cam1": "S1_cam_01", "cam2": "S1_cam_02"}),
        (("cam1", "cam2", "cam3"), {"cam1": "cam1", "cam2": "cam2"}),
        (("cam2",), {"cam2": "cam2"}),
        ((), {}),
    ],
)
def test_views_are_matched_by_their_names(names, source_of):
    assert match_views(recording(), dict.fromkeys(names, poses())).source_of == source_of


@pytest.mark.parametrize(
    ("stated", "counted_in", "size_px", "origin"),
    [
        (None, "video", (632, 640), (0, 0)),
        (None, "calibration", (640, 640), (-4, 0)),
        ((632, 640), "calibration", (632, 640), (0, 0)),
        ((640, 640), "video", (640, 640), (-4, 0)),
        ((320, 320), "video", (320, 320), (0.5 - 4, 0.5)),
        ((316, 320), "video", (316, 320), (0.5, 0.5)),
    ],
)
def test_pixels_are_those_of_the_stated_size_or_else_of_what_is_asked_for(stated, counted_in, size_px, origin):
    one = view("cam1", source=CUT).model_copy(update={"size_px": (632, 640)})
    files = match_views(recording(views=[one, view("cam2")]), {"cam1": poses(stated), "cam2": poses()})
    pixels = files.pixels(one, counted_in)
    assert pixels.size_px == size_px
    np.testing.assert_allclose(pixels.packed(np.zeros((1, 2)))[0], origin, atol=1e-9)


def test_another_shape_is_refused():
    files = match_views(recording(), {"cam1": poses((640, 360)), "cam2": poses()})
    with pytest.raises(UserError, match="of images of 640x360, and its video is 640x640"):
        files.pixels(recording().views[0], "video")
