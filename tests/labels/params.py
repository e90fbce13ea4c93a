"""Parameters of calibration and triangulation that the tests of the labels start from."""

from pipeline.params.calibrate import BaselineParams, CalibrateParams
from pipeline.params.triangulate import TriangulateParams

CALIBRATE = CalibrateParams(
    mode="rig",
    window_frames=20,
    focal="exact",
    min_confidence=0.3,
    ignore_distortion=False,
    scale="bones",
    baseline=BaselineParams(cameras=["c0", "c2"], mm=5000.0),
    gravity="people",
    seed=3,
)
TRIANGULATE = TriangulateParams(
    method="robust",
    min_confidence=0.1,
    min_views=2,
    max_reprojection=0.1,
    fix_left_right=True,
    bone_tolerance=0.04,
    smoothing_s=0.0,
)
