"""The cameras of the takes: read from a shared calibration file or from a take's own, or assumed."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.datasets.calibrated_size import CalibratedSizes, infer_sizes
from pipeline.datasets.takes import Take
from pipeline.errors import UserError
from pipeline.formats.calibration import ENDINGS, Calibration, with_extrinsics_of_all_or_none
from pipeline.formats.camera_names import CameraMatch, match_cameras
from pipeline.formats.find_calibration import files_without_cameras, find_calibration
from pipeline.geometry.camera.model import Camera
from pipeline.video.decoding import VideoHeader

log = logging.getLogger("epiline")

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
    video_of: dict[str, str]  # the name of each camera's video, without its ending


class FootageCameras:
    """Finds the cameras of every take below a folder of footage.

    The constructor and `of` raise UserError if a calibration file is missing or cannot be understood.
    """

    def __init__(self, root: Path, *, assumed: bool) -> None:
        self._root, self._assumed = root, assumed
        self._shared = None if assumed else _found(root)
        self._alerts: list[Alert] = list(self._shared.alerts) if self._shared else []
        self._used: set[str] = set()
        self._logged: set[str] = set()

    def of(self, take: Take, headers: dict[str, VideoHeader]) -> TakeCameras:
        """The cameras of a take whose videos have these headers, in the order of the calibration.

        They are named as in the calibration. Cameras without a video are left out, and so are extrinsics that some
        camera lacks. Raises UserError for a video without a camera, and for one that may be of several.
        """
        if self._assumed:
            cameras = {name: assumed_camera(header.size_px) for name, header in headers.items()}
            return TakeCameras(SHARED_RIG, self._root, cameras, {name: name for name in headers})
        calibration = self._of_take(take)
        is_shared = calibration is self._shared
        match = self._matched(take, calibration, headers)
        video_of = {camera: video for video, camera in match.camera_of.items()}
        chosen = {name: camera for name, camera in calibration.cameras.items() if name in video_of}
        sizes = infer_sizes(chosen, {name: headers[video_of[name]].size_px for name in chosen})
        self._log_sizes(calibration, sizes)
        if is_shared:
            self._used |= set(chosen)
        cameras, alerts = with_extrinsics_of_all_or_none(sizes.cameras, calibration.path.name)
        self._alerts += alerts
        rig = SHARED_RIG if is_shared else take.name
        return TakeCameras(rig, calibration.path, cameras, {name: video_of[name] for name in chosen})

    def alerts(self) -> list[Alert]:
        """Doubts about the calibrations and their cameras, after all takes were asked for."""
        return [*dict.fromkeys(self._alerts), *self._alerts_of_unused()]

    def _alerts_of_unused(self) -> list[Alert]:
        """An alert about the cameras of the shared calibration of which no take has a video, if there are any."""
        unused = sorted(set(self._shared.cameras) - self._used) if self._shared else []
        if not (self._shared and self._used and unused):
            return []
        return [Alert(
            kind="unused_cameras", severity="note", subject=self._shared.path.name,
            message=f"the calibration also has cameras without any video: {', '.join(unused)}",
            mend="Add their videos, or name the videos after these cameras.",
        )]  # fmt: skip

    def _of_take(self, take: Take) -> Calibration:
        own = _found(take.folder) if take.folder != self._root else None
        if own is not None:
            self._alerts += own.alerts
            return own
        if self._shared is None:
            without = files_without_cameras(self._root)
            empty = f" ({', '.join(without)}: no cameras in it)" if without else ""
            fix = (
                f"Put a calibration file with the cameras' intrinsics there: {', '.join(ENDINGS)}; or assume them:"
                " capture.intrinsics=assumed and calibrate.focal=unknown."
            )
            raise UserError(f"No calibration file in {self._root} or {take.folder}{empty}", fix=fix)
        return self._shared

    def _matched(self, take: Take, calibration: Calibration, videos: Iterable[str]) -> CameraMatch:
        """The camera of each video; a match that is not by equal names is logged, one by order is an alert."""
        try:
            match = match_cameras(list(videos), list(calibration.cameras), has_names=calibration.has_names)
        except UserError as error:
            what = f"{error.what} in {calibration.path}"
            raise UserError(what, where=str(take.folder), fix=error.fix) from None
        if match.by_order:
            self._alerts.append(Alert(
                kind="cameras_by_order", severity="warning", subject=f"{take.name}, {calibration.path.name}",
                message="only their order tells which video is of which camera", evidence=match.renamed,
                mend="If that is wrong, rename the videos: exchanged cameras make wrong labels.",
            ))  # fmt: skip
        elif match.renamed:
            self._log_once(f"{calibration.path.name}: videos and cameras with similar names: {match.renamed}")
        return match

    def _log_sizes(self, calibration: Calibration, sizes: CalibratedSizes) -> None:
        if sizes.inferred:
            self._log_once(f"{calibration.path.name}: {sizes.inferred}")
        if sizes.is_scaled:
            self._alerts.append(Alert(
                kind="inferred_image_size", severity="note", subject=calibration.path.name, message=sizes.inferred,
                mend="State the image size in the calibration file, if this is wrong.",
            ))  # fmt: skip

    def _log_once(self, text: str) -> None:
        if text not in self._logged:
            log.info("%s", text)
        self._logged.add(text)


def assumed_camera(size_px: tuple[int, int]) -> Camera:
    """A pinhole camera with a common field of view and its principal point in the middle of the image."""
    width, height = size_px
    focal_px = ASSUMED_FOCAL * max(size_px)
    K = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
    return Camera(K, np.zeros(0), size_px)


def _found(folder: Path) -> Calibration | None:
    """The calibration of a folder, or of the folder `calibration` in it, where Pose2Sim keeps it."""
    below = sorted(other for other in folder.iterdir() if other.name.lower() == "calibration" and other.is_dir())
    calibration = next((found for one in (folder, *below) if (found := find_calibration(one)) is not None), None)
    if calibration is not None:
        calibration.log_inferred()
    return calibration
