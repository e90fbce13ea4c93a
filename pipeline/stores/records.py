"""The attributes of the stores: one record for each recording, and a summary of the whole store.

Every key is declared here. Unknown and missing keys are refused, both when a record is made and when it is read.
Unknown values are None, as JSON has no NaN.
"""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.alerts import Alert
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.view_time import ViewTime

Mode = Literal["rig", "window", "frame", "known", "adjust"]
Scale = Literal["bones", "height", "baseline", "known", "none"]


class Record(BaseModel):
    """A set of typed attributes of a store."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class PeopleRecord(Record):
    """A record of arrays with the dimension `person`."""

    persons: list[str]  # the identity of each person, in the order of the arrays


class CameraRecord(Record):
    """The intrinsics of one view in the pixels of the packed frames."""

    view: str
    K: list[list[float]]  # 3 x 3
    dist: list[float]  # OpenCV's order; empty: a pinhole
    fisheye: bool  # whether dist are the coefficients of OpenCV's fisheye model
    size_px: tuple[int, int]  # width, height

    @property
    def camera(self) -> Camera:
        """The camera, without extrinsics."""
        return Camera(np.array(self.K, float), np.array(self.dist, float), self.size_px, fisheye=self.fisheye)

    @classmethod
    def of(cls, view: str, camera: Camera) -> "CameraRecord":
        """The record of the camera of a view."""
        width, height = camera.size_px
        return cls(
            view=view, K=camera.K.tolist(), dist=camera.dist.tolist(), fisheye=camera.fisheye,
            size_px=(int(width), int(height)),
        )  # fmt: skip


class TruthRecord(PeopleRecord):
    """The origin of the true joints of one recording."""

    source: str  # the name of the file, or `demo`
    sha256: str  # of the file; empty if there is none
    coordinates: str  # what the file's coordinates were taken for
    missing: list[str]  # joints that the source does not have


class TruthSummary(Record):
    """The source of the true joints of a capture."""

    source: str
    is_aligned: bool  # whether their world has nothing to do with the given cameras, so that labels must place them


class Poses2dRecord(PeopleRecord):
    """The 2D poses of one recording."""

    views: list[str]
    found: dict[str, int]  # of each view: frames in which a person was found
    crashed: dict[str, int]  # of each view: images on which the detector crashed, which count as empty
    others: dict[str, int] = {}  # of each view: frames with further people; empty for a detector that finds only one


class Poses2dSummary(Record):
    """The detector that made the 2D poses of a capture."""

    detector: dict[str, str]  # name, version and sha256 of the weights
    landmarks: list[str] = []  # names of the points of files; empty for a detector, whose names `detectors` has
    joint_rules: dict[str, str] = {}  # how each joint is made from the landmarks; empty: it is not
    alerts: list[Alert]  # doubts about the footage that the detections show


class PairRecord(Record):
    """What two views share before the calibration."""

    views: tuple[str, str]
    points: int  # detected points that both views see, over all frames
    frames: int  # frames in which both see at least five of the same points
    spread: tuple[float, float]  # share of each view's image that these points cover, 0-1


class ViewGraphRecord(Record):
    """What the views of a pool of recordings share before the calibration; frames are spread evenly, 4,000 at most."""

    pairs: list[PairRecord]  # of all labelling views
    isolated: list[str]  # views that are not linked to the largest group of views
    bridged: dict[str, str]  # views that only one view links to most others, and that view


class ResidualsRecord(Record):
    """Median distances of all detections, outliers included, from the projections of the triangulated points, px."""

    landmarks: list[str]  # the points, as the detector names them; the joints where it marks joints alone
    by_view: list[float | None]  # None: not calibrated, or fewer than five detections
    by_landmark: list[list[float | None]]  # landmark x view; None as before

    @property
    def worst(self) -> tuple[int, int] | None:
        """The landmark and the view with the largest residual; None if there is no residual."""
        known = {
            (row, view): value
            for row, values in enumerate(self.by_landmark)
            for view, value in enumerate(values)
            if value is not None
        }
        return max(known, key=lambda cell: known[cell]) if known else None


class TimeRecord(Record):
    """The time offsets of one view that were found from the people; see ViewTime."""

    view: str
    frames: list[float]  # at which the offset is known; it is linear between them and constant beyond
    offsets: list[float]  # frames by which the view is late
    std: float | None  # standard deviation of the offsets, in frames; None: not compared

    @property
    def time(self) -> ViewTime:
        """The time of the view."""
        return ViewTime(tuple(self.frames), tuple(self.offsets))

    @classmethod
    def of(cls, view: str, time: ViewTime, std: float | None = None) -> "TimeRecord":
        """The record of the time of a view."""
        return cls(view=view, frames=list(time.frames), offsets=list(time.offsets), std=std)


class RigRecord(Record):
    """The cameras of one recording and how they were found; the extrinsics are arrays."""

    cameras: list[CameraRecord]  # of every view, as found: focal scales applied, lens ignored or not
    times: list[TimeRecord]  # of every view
    mode: Mode
    moving: bool  # whether each frame has its own extrinsics
    scale: Scale  # what fixed the unit of length
    scale_std: float | None  # relative standard deviation of the unit of length; None: unknown, or no scale
    gravity: Literal["people", "extrinsics", "known", "none"]  # what fixed the vertical
    gravity_std_deg: float | None  # standard deviation of the vertical's angle; None: unknown
    ignore_distortion: bool
    focal: Literal["exact", "approximate", "unknown"]  # how well the given focal lengths were known
    focal_scale: list[float]  # of each view: the found focal length over the given one
    focal_std: list[float | None]  # relative standard deviations of focal_scale; 0: as given; None: not determined
    pool: list[str]  # the recordings from which the rig was found
    n_frames: int  # frames from which the rig was found, or that have a rig
    n_poses: int | None  # distinct poses; None for moving rigs and rigs of single frames
    inlier_share: float  # of the joints, 0-1
    noise_share: float  # standard deviation of a detected joint as a share of the person's height in the image
    parallax_deg: float | None  # median over joints of the largest angle between two rays
    moved_deg: float | None  # largest rotation of a camera: within the pool, or from the given extrinsics
    views_left_out: list[str]  # labelling views that were not calibrated
    failed_frames: dict[str, int]  # frames without a rig by reason
    view_graph: ViewGraphRecord
    residuals: ResidualsRecord

    @property
    def intrinsics(self) -> list[Camera]:
        """The cameras of all views, without extrinsics."""
        return [one.camera for one in self.cameras]

    @property
    def view_times(self) -> list[ViewTime]:
        """The times of all views."""
        return [one.time for one in self.times]


class RigsSummary(Record):
    """The calibration of a capture."""

    mode: Mode
    detections: Poses2dSummary
    calibrated: int  # recordings
    rejected: dict[str, str]  # recordings without a rig, each with the reason
    alerts: list[Alert]  # doubts about the cameras


class NoiseRecord(Record):
    """The detections' noise as left-out views show it; variances are multiples of the variance expected before."""

    dof: float  # degrees of freedom of Student's t: the lower, the heavier the tails
    variance: list[float]  # of each joint: squared scale of Student's t
    shared: float  # variance of the errors that all views share over the variance of those that differ
    by_rig: list[float]  # of each joint: share of the variance that the rig's uncertainty explains, 0-1
    n_left_out: int  # detections that were compared with joints from the other views; 0 with two views
    # Of tenths of these detections, from the most certain on: the distance from its prediction that is stated (root of
    # the mean square) and that is found, px.
    left_out_px: list[tuple[float, float]]


class LabelRecord(PeopleRecord):
    """The labels of one recording, the rig that they were made with, and the noise that their uncertainty is from."""

    rig: RigRecord
    noise: NoiseRecord


class LabelsSummary(Record):
    """The parameters of a capture's labels, and the numbers of joints and detections by status."""

    method: str
    params: dict[str, Any]  # of the stage triangulate
    rigs: RigsSummary
    joints: list[str]
    statuses: dict[str, int]  # what the codes of the array `status` mean
    view_statuses: dict[str, int]  # what the codes of the array `view_status` mean
    valid: int  # joints
    rejected: dict[str, int]  # joints by reason
    rejected_by_recording: dict[str, dict[str, int]]
    recordings_without_rig: list[str]
    views_by_recording: dict[str, dict[str, dict[str, list[int]]]]  # recording, view, view status: joints' counts
    alerts: list[Alert]  # doubts about the labels


class PredictionRecord(PeopleRecord):
    """The predictions of one recording and the cameras that they are made with."""

    cameras: list[CameraRecord]  # of every view


class PredictionsSummary(Record):
    """The predicted split, and the training targets of the network."""

    split: Literal["train", "test"]
    supervision: str  # the value of train.supervision, or `adapted`
    refined_by: str | None  # the source of the refinement unit's targets; None: not refined
    alerts: list[Alert]  # doubts about the training
