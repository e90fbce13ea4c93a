"""The cameras of the takes: read from a shared calibration file or from a take's own, or assumed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.datasets.takes import Take
from pipeline.errors import UserError
from pipeline.formats.calibration import ENDINGS, find_calibration, read_calibration
from pipeline.formats.calibration_format import UNKNOWN_SIZE
from pipeline.geometry.camera.model import Camera
from pipeline.video.decoding import VideoHeader

# Focal length of an assumed camera over the longer side of its image: a field of view of 53 degrees. The stage
# `calibrate` estimates the true focal length.
ASSUMED_FOCAL = 1.0
SHARED_RIG = "shared"  # the rig of all takes without their own calibration file


@dataclass(frozen=True)
class TakeCameras:
    """The cameras of the videos of one take."""

    rig: str
    source: Path  # the calibration file, or the footage where the cameras are assumed
    by_name: dict[str, Camera]


class FootageCameras:
    """Finds the cameras of every take below a folder of footage.

    The constructor and `of` raise UserError if a calibration file is missing or cannot be understood.
    """

    def __init__(self, root: Path, *, assumed: bool) -> None:
        self._root, self._assumed = root, assumed
        path = None if assumed else find_calibration(root)
        self._shared = TakeCameras(SHARED_RIG, path, read_calibration(path)) if path else None
        self._used: set[str] = set()

    def of(self, take: Take, headers: dict[str, VideoHeader]) -> TakeCameras:
        """The cameras of a take whose videos have these headers, in the order of the calibration.

        Cameras without a video are left out. Raises UserError for a video without a camera.
        """
        found = self._find(take, headers)
        unknown = [video.name for video in take.videos if video.stem not in found.by_name]
        if unknown:
            fix = f"Name each video after a camera of the calibration: {', '.join(found.by_name)}."
            raise UserError(f"{', '.join(unknown)} in {take.folder} has no camera in {found.source}", fix=fix)
        if found is self._shared:
            self._used |= set(headers)
        cameras = {name: _with_size(camera, headers[name]) for name, camera in found.by_name.items() if name in headers}
        return replace(found, by_name=cameras)

    def alerts_of_unused(self) -> list[Alert]:
        """An alert about the cameras of the shared calibration of which no take has a video, if there are any."""
        unused = sorted(set(self._shared.by_name) - self._used) if self._shared else []
        if not (self._shared and self._used and unused):
            return []
        return [Alert(
            kind="unused_cameras", severity="note", subject=self._shared.source.name,
            message=f"the calibration also has cameras without any video: {', '.join(unused)}",
            mend="Add their videos, or name the videos after these cameras.",
        )]  # fmt: skip

    def _find(self, take: Take, headers: dict[str, VideoHeader]) -> TakeCameras:
        if self._assumed:
            cameras = {name: assumed_camera(header.size_px) for name, header in headers.items()}
            return TakeCameras(SHARED_RIG, self._root, cameras)
        own = find_calibration(take.folder) if take.folder != self._root else None
        if own is not None:
            return TakeCameras(take.name, own, read_calibration(own))
        if self._shared is None:
            fix = (
                f"Put a calibration file with the cameras' intrinsics there: {', '.join(ENDINGS)}; or assume them:"
                " capture.intrinsics=assumed and calibrate.focal=unknown."
            )
            raise UserError(f"No calibration file in {self._root} or {take.folder}", fix=fix)
        return self._shared


def assumed_camera(size_px: tuple[int, int]) -> Camera:
    """A pinhole camera with a common field of view and its principal point in the middle of the image."""
    width, height = size_px
    focal_px = ASSUMED_FOCAL * max(size_px)
    K = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
    return Camera(K, np.zeros(0), size_px)


def _with_size(camera: Camera, header: VideoHeader) -> Camera:
    return camera if camera.size_px != UNKNOWN_SIZE else replace(camera, size_px=header.size_px)
