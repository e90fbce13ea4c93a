"""Runs Caliscope's extrinsics without a calibration target, in its own environment: TRIM IN.npz OUT.npz.

IN holds the detections of one take: px (F, V, P, 2), NaN where not seen, K (V, 3, 3), dist (V, n) in OpenCV's order and
size_px (V, 2). TRIM is the share of the observations of each camera, in percent, that are removed between its two
adjustments. OUT holds R (V, 3, 3) and t (V, 3), camera from world, NaN for cameras without a pose, and the reason if it
fails. This script imports nothing from the project.
"""

import sys

import numpy as np
import pandas as pd
from caliscope.api import CalibrationError, CameraArray, CameraData, ImagePoints, calibrate_extrinsics


def image_points(px):
    frame, view, point = np.nonzero(np.isfinite(px).all(-1))
    seen = px[frame, view, point]
    return ImagePoints(
        pd.DataFrame(
            {
                "sync_index": frame, "frame_index": frame, "cam_id": view, "object_id": 0, "keypoint_id": point,
                "img_loc_x": seen[:, 0], "img_loc_y": seen[:, 1],
            }
        )
    )  # fmt: skip


def camera_array(data):
    return CameraArray(
        {
            v: CameraData(cam_id=v, size=(int(size[0]), int(size[1])), matrix=K, distortions=dist)
            for v, (K, dist, size) in enumerate(zip(data["K"], data["dist"], data["size_px"], strict=True))
        }
    )


def main(trim, source, target):
    with np.load(source) as file:
        data = dict(file)
    n_views = len(data["K"])
    R, t, reason = np.full((n_views, 3, 3), np.nan), np.full((n_views, 3), np.nan), ""
    try:
        run = calibrate_extrinsics(
            image_points(data["px"]), camera_array(data), None, refine_intrinsics=False, filter_percentile=float(trim)
        )
        for v, camera in run.capture_volume.camera_array.posed_cameras.items():
            R[v], t[v] = camera.rotation, np.ravel(camera.translation)
    except (CalibrationError, ValueError) as error:
        reason = str(error)
    np.savez(target, R=R, t=t, reason=reason)


if __name__ == "__main__":
    main(*sys.argv[1:])
