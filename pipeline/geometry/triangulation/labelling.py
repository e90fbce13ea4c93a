"""Turns detections into labels: triangulates joints with a rig, and gives each joint and each detection a status."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, UInt8

from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes


class Status(IntEnum):
    """Whether a joint is valid, or the reason why not."""

    NOT_DONE = 0
    VALID = 1
    NO_RIG = 2  # fewer than two views have extrinsics
    TOO_FEW_VIEWS = 3  # too few views detected the joint with confidence
    TOO_FEW_AGREE = 4  # too few views detected the joint near the triangulated point
    BEHIND_CAMERA = 5  # too few agree, as the point lies behind one of the views
    UNDETERMINED = 6  # the views that agree see the joint from nearly the same direction
    VIEWS_DISAGREE = 7  # no two views agree on a whole body
    AMBIGUOUS_PERSON = 8  # the views show two people, and nothing decides which is the right one
    OTHER_PERSON = 9  # the views that agree show another person than the rest of the recording
    AMBIGUOUS_SIDES = 10  # nothing decides which is left and which is right
    WRONG_PROPORTIONS = 11  # the bone lengths contradict the person's own
    LEAP = 12  # the joint moves away and back faster than people can


class ViewStatus(IntEnum):
    """Whether a view's detection of a joint was used, or the reason why not."""

    NOT_DONE = 0
    USED = 1
    SWAPPED = 2  # used as the joint of the other side of the body
    NO_POSE = 3  # the view is not calibrated, or is for evaluation only
    UNSEEN = 4  # the detector found no joint
    UNSURE = 5  # its confidence is too low
    OCCLUDED = 6  # far from the joint, and with low confidence: the joint was probably not visible
    OUTLIER = 7  # far from the joint, in spite of a high confidence
    NO_JOINT = 8  # the joint was rejected
    OTHER_PERSON = 9  # the view shows another person in this frame, or contradicts the other views


def _unweighted(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    return triangulation.linear(points_norm, np.where(np.isfinite(sigma), 1.0, np.inf), R, t)


METHODS: dict[str, Callable[..., np.ndarray]] = {
    "linear": _unweighted,
    "weighted": triangulation.linear,
    "pairwise_median": triangulation.pairwise_median,
    "robust": triangulation.robust,
    "robust_bones": triangulation.robust,  # fit_bone_lengths then adjusts the joints
}
# A point whose standard deviation exceeds this share of its depth is not determined.
MAX_UNCERTAINTY = 0.1
# A detection far from the joint counts as occluded below this confidence and as an outlier above.
SURE = 0.5
# The six numbers of a symmetric matrix.
UPPER = np.triu_indices(3)


@dataclass(frozen=True)
class Labelled:
    """Joints of a batch of frames; lengths in the rig's unit."""

    points: Float[np.ndarray, "frame joint 3"]  # in the world; NaN unless valid
    status: UInt8[np.ndarray, "frame joint"]  # of Status
    used: Bool[np.ndarray, "frame joint view"]  # views that agree with the joint
    covariance: Float[np.ndarray, "frame joint 6"]  # of the joint: xx, xy, xz, yy, yz, zz; NaN unless valid

    def taken(self, frames: np.ndarray | slice) -> "Labelled":
        """The joints of some of the frames."""
        return Labelled(self.points[frames], self.status[frames], self.used[frames], self.covariance[frames])

    def rejected(self, where: np.ndarray, status: Status) -> "Labelled":
        """The joints without those that are valid and where `where` (F, J) is true; these get the status."""
        where = where & (self.status == Status.VALID)
        return Labelled(
            np.where(where[..., None], np.nan, self.points),
            np.where(where, status, self.status).astype(np.uint8),
            self.used & ~where[..., None],
            np.where(where[..., None], np.nan, self.covariance),
        )

    @property
    def uncertainty(self) -> Float[np.ndarray, "frame joint"]:
        """Root of the covariance's trace, in the rig's unit."""
        return np.sqrt(self.covariance[..., UPPER[0] == UPPER[1]].sum(-1))


@check_shapes(no_inf=("points_norm", "R", "t"))
def label(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    limit: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    *,
    method: str,
    min_views: int,
) -> Labelled:
    """Triangulate normalised image points and keep the joints on which at least `min_views` views agree.

    `sigma` is the expected standard deviation, infinite where not seen; `limit` is the distance up to which a view
    agrees; both in normalised units. There is one rig for all frames, or one for each frame. Raises ValueError for
    shapes that do not fit and for infinite image points or rigs.
    """
    has_extrinsics = np.isfinite(t).all(-1)[:, None, :]
    seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
    able = seen & has_extrinsics
    points = METHODS[method](points_norm, np.where(able, sigma, np.inf), R, t)
    distance, depth = reprojection.residuals(points, points_norm, R, t)
    used = able & (distance <= limit)
    covariance = reprojection.covariance(points, np.where(used, sigma, np.inf), R, t)
    uncertainty = np.sqrt(np.trace(covariance, axis1=-2, axis2=-1))
    nearest = np.min(np.where(used, depth, np.inf), axis=-1)

    # The status is the first reason that applies.
    status = np.select(
        [
            np.broadcast_to(has_extrinsics.sum(-1) < 2, able.shape[:2]),
            able.sum(-1) < min_views,
            (used.sum(-1) < min_views) & (able & (depth <= 0)).any(-1),
            used.sum(-1) < min_views,
            ~(uncertainty <= MAX_UNCERTAINTY * nearest),
        ],
        [Status.NO_RIG, Status.TOO_FEW_VIEWS, Status.BEHIND_CAMERA, Status.TOO_FEW_AGREE, Status.UNDETERMINED],
        Status.VALID,
    ).astype(np.uint8)
    valid = status == Status.VALID
    return Labelled(
        np.where(valid[..., None], points, np.nan),
        status,
        used & valid[..., None],
        np.where(valid[..., None], covariance[..., *UPPER], np.nan),
    )


@check_shapes()
def view_status(
    made: Labelled,
    sigma: Float[np.ndarray, "frame joint view"],
    confidence: Float[np.ndarray, "frame joint view"],
    swapped: Bool[np.ndarray, "frame joint view"],
    t: Float[np.ndarray, "rig view 3"],
    other: Bool[np.ndarray, "frame view"],
) -> UInt8[np.ndarray, "frame joint view"]:
    """The ViewStatus of each view's detection of each joint.

    `sigma` is infinite for detections that were not used, `confidence` is NaN without a detection, `swapped` is true if
    a detection had the name of the other side; `t` are the translations of one rig, or of one for each frame; `other`
    is true for views that show another person. Raises ValueError for shapes that do not fit.
    """
    return np.select(
        [
            made.used & swapped,
            made.used,
            np.broadcast_to(~np.isfinite(t).all(-1)[:, None], sigma.shape),
            np.isnan(confidence),
            np.broadcast_to(other[:, None], sigma.shape),
            np.isinf(sigma),
            np.broadcast_to((made.status != Status.VALID)[..., None], sigma.shape),
            confidence < SURE,
        ],
        [
            ViewStatus.SWAPPED,
            ViewStatus.USED,
            ViewStatus.NO_POSE,
            ViewStatus.UNSEEN,
            ViewStatus.OTHER_PERSON,
            ViewStatus.UNSURE,
            ViewStatus.NO_JOINT,
            ViewStatus.OCCLUDED,
        ],
        ViewStatus.OUTLIER,
    ).astype(np.uint8)
