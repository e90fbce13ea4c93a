"""The schemas of the stores: every array with its dimensions, type and unit, and the types of the records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np
from typing_extensions import TypeVar

from pipeline.skeleton import N_JOINTS
from pipeline.stores.records import (
    LabelRecord,
    LabelsSummary,
    Poses2dRecord,
    Poses2dSummary,
    PredictionRecord,
    PredictionsSummary,
    Record,
    RigRecord,
    RigsSummary,
    TruthRecord,
    TruthSummary,
)

# Sizes of the dimensions, unless those of a recording are given.
SIZES = {"landmark": 0, "joint": N_JOINTS, "xy": 2, "xyz": 3, "corner": 4, "row": 3, "column": 3, "upper": 6}
# The unknowns of a view's extrinsics: a rotation vector and a translation.
UNKNOWNS_PER_VIEW = 6

R = TypeVar("R", bound=Record, default=Record)
S = TypeVar("S", bound=Record, default=Record)


@dataclass(frozen=True)
class Array:
    """The declaration of one array of a store.

    The first dimension is `frame` or `rig`. The second one of every array that is about people is `person`.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str
    fill: float | int | bool = np.nan

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape for given sizes of the dimensions."""
        unknowns = dict.fromkeys(("unknown", "unknown_2"), UNKNOWNS_PER_VIEW * sizes.get("view", 0))
        return tuple({**SIZES, **unknowns, **sizes}[dim] for dim in self.dims)


@dataclass(frozen=True)
class Schema(Generic[R, S]):
    """The contents of one kind of store."""

    name: str
    version: int
    record: type[R]  # the attributes of each recording
    summary: type[S]  # the attributes of the whole store
    arrays: tuple[Array, ...]


def _f32(name: str, dims: str, unit: str, meaning: str) -> Array:
    return Array(name, tuple(dims.split()), "float32", unit, meaning)


def _code(name: str, dims: str, unit: str, meaning: str) -> Array:
    return Array(name, tuple(dims.split()), "uint8", unit, meaning, 0)


TRUTH = Schema("truth", 3, TruthRecord, TruthSummary, (
    _f32("joints_world_mm", "frame person joint xyz", "mm", "true joints; NaN: missing"),
    # Times of a day in float32 would be off by milliseconds.
    Array("time_s", ("frame",), "float64", "s", "time of each row since the first frame that all views show"),
))  # fmt: skip

POSES2D = Schema("poses2d", 5, Poses2dRecord, Poses2dSummary, (
    _f32("joints_px", "frame person view joint xy", "px",
         "detected joints in the packed frames, lens distortion included"),
    _f32("confidence", "frame person view joint", "0-1", "the detector's confidence; 0 or NaN: not seen"),
    _f32("box_px", "frame person view corner", "px",
         "the person's box: left, top, right, bottom; NaN: no person found"),
    _f32("landmarks_px", "frame person view landmark xy", "px",
         "all points that the detector marks; none where it marks joints alone"),
    _f32("landmark_confidence", "frame person view landmark", "0-1", "the detector's confidence in the landmarks"),
))  # fmt: skip

RIGS = Schema("rigs", 10, RigRecord, RigsSummary, (
    # One row for a static rig, else one per frame. The record has the intrinsics.
    _f32("R_cam_from_world", "rig view row column", "1", "rotation of each view; NaN: not calibrated"),
    _f32("t_cam_from_world_mm", "rig view xyz", "mm", "translation of each view"),
    _f32("rotation_std_deg", "rig view", "deg",
         "standard deviation of the rotation, from the adjustment's covariance and, unless the focal length is exact,"
         " from that of the principal point"),
    _f32("center_std_mm", "rig view", "mm", "standard deviation of the camera centre (root of its covariance's trace)"),
    _f32("center_covariance_mm2", "rig view row column", "mm^2", "covariance of the camera centre in the world"),
    _f32("pose_covariance", "rig unknown unknown_2", "rad, mm",
         "covariance of all views' (rotation vector, translation), each in its camera's frame, in their order;"
         " without the freedom of the world's frame and unit; where focal lengths are not exact, their errors count as"
         " the translations that move the people's images alike; NaN: views not calibrated, rigs that move"),
    _f32("residual_px", "rig view", "px", "median reprojection error of the inliers"),
    _f32("epipolar_start_px", "rig", "px", "median distance of a joint from its epipolar line before adjustment"),
    _f32("epipolar_px", "rig", "px", "the same after adjustment"),
))  # fmt: skip

LABELS = Schema("labels", 8, LabelRecord, LabelsSummary, (
    _f32("joints_world_mm", "frame person joint xyz", "mm", "triangulated joints; NaN: rejected"),
    _f32("joints_cam_mm", "frame person view joint xyz", "mm",
         "the same in each camera's frame, at the time of the view's own frame"),
    _code("status", "frame person joint", "code", "0 not done, 1 valid, others: why it was rejected"),
    _f32("reprojection_px", "frame person view joint", "px",
         "distance of each view's detection, as it was detected, from the joint projected at the time of its frame"),
    _f32("reprojection_used_px", "frame person view joint", "px",
         "the same of the detections that the joint was made from, with left and right corrected; NaN: not used"),
    _code("view_status", "frame person view joint", "code",
          "0 not done, 1 used, others: why not; of the label nearest in time to the view's frame"),
    _code("views_used", "frame person joint", "1", "number of views that agree with the joint"),
    _f32("covariance_mm2", "frame person joint upper", "mm^2",
         "covariance of the joint against the recording's other labels: xx, xy, xz, yy, yz, zz; without what moves,"
         " rotates or scales all labels of the recording alike (the rig's record states scale and vertical)"),
    _f32("uncertainty_mm", "frame person joint", "mm",
         "standard deviation of the joint (root of the covariance's trace); of its place among the recording's labels,"
         " not of its distance from the cameras"),
))  # fmt: skip

PREDICTIONS = Schema("predictions", 3, PredictionRecord, PredictionsSummary, (
    _f32("joints_px", "frame person view joint xy", "px", "predicted joints in the packed frames"),
    _f32("relative_depth", "frame person view joint", "1", "(depth - root depth) / root depth, as predicted"),
))  # fmt: skip
