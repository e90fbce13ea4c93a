"""Adapts calibrated cameras to the size of their videos and of the packed frames."""

from dataclasses import replace

import numpy as np

from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams

# Width and height whose scales differ by less than this share were scaled together.
SAME_SCALE = 0.002


def fit_to_video(camera: Camera, size_px: tuple[int, int], params: FramesParams) -> Camera:
    """The camera for a video of `size_px` (width, height), which may differ from the size it was calibrated at.

    A uniformly scaled video scales the intrinsics. If width or height is off by a share of at most
    `params.size_tolerance`, `params.size_mismatch` states how the calibrated image was made from the video's image: by
    cutting off or adding edges on the right and at the bottom (crop), or by enlarging the image to fill the frame and
    cutting it equally on both sides (zoom). Raises UserError for any other size.
    """
    if size_px == camera.size_px:
        return camera
    scales = np.array(size_px) / camera.size_px
    if abs(scales[0] / scales[1] - 1) < SAME_SCALE:
        return camera.resized(size_px)
    if params.size_mismatch == "reject" or np.abs(scales - 1).max() > params.size_tolerance:
        raise _size_error(camera, size_px, params)
    if params.size_mismatch == "crop":
        return replace(camera, size_px=size_px)
    return _zoomed_out(camera, size_px, 1 / scales.min())


def _size_error(camera: Camera, size_px: tuple[int, int], params: FramesParams) -> UserError:
    sizes = f"{size_px[0]}x{size_px[1]}, its calibration {camera.size_px[0]}x{camera.size_px[1]}"
    is_turned = np.abs(np.array(size_px[::-1]) / camera.size_px - 1).max() <= params.size_tolerance
    fix = "Rotate the video." if is_turned else "Calibrate at its size, or see frames.size_mismatch and size_tolerance."
    return UserError(f"The video is {sizes}", fix=fix)


def _zoomed_out(camera: Camera, size_px: tuple[int, int], zoom: float) -> Camera:
    """The camera of a video whose images, enlarged by `zoom` and cropped to the centre, are the calibrated images."""
    shift_px = ((zoom * np.array(size_px) - camera.size_px) / 2 + 0.5) / zoom - 0.5
    video_from_calibrated = np.array([[1 / zoom, 0, shift_px[0]], [0, 1 / zoom, shift_px[1]], [0, 0, 1]])
    return replace(camera, K=video_from_calibrated @ camera.K, size_px=size_px)
