"""A calibrated rig, its uncertainty and its residuals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.align import rig_similarity


@dataclass(frozen=True)
class Rig:
    """A calibrated rig, its uncertainty and its residuals; NaN for views without extrinsics."""

    R: Float[np.ndarray, "view 3 3"]  # camera from world
    t: Float[np.ndarray, "view 3"]
    focal_scale: Float[
        np.ndarray, " view"
    ]  # focal lengths found over those given; the mean for views without extrinsics
    focal_std: Float[np.ndarray, " view"]  # relative standard deviation of focal_scale
    rotation_std_deg: Float[np.ndarray, " view"]
    center_covariance: Float[
        np.ndarray, "view 3 3"
    ]  # of the centre, along its camera's axes, in the rig's unit squared
    # Of all views' (rotation vector in rad, translation), each in its camera's frame, without the gauge freedoms: the
    # `image_covariance` of `bundle.Uncertainty`. If the focal lengths are exact, the two fields before are parts of it.
    pose_covariance: Float[np.ndarray, "unknown unknown"]
    residual: Float[np.ndarray, " view"]  # median distance of the inliers, normalised units
    landmark_residual: Float[np.ndarray, "landmark view"]  # median distance of all detections, normalised units
    inlier_share: Float[np.ndarray, " view"]  # of each view's joints: those within INLIER_SIGMAS
    noise: float  # standard deviation of the residuals as a multiple of the expected sigma
    epipolar_start: float  # median distance of a joint from its epipolar line before adjustment, normalised units
    epipolar: float  # the same after the adjustment
    parallax_deg: float
    n_frames: int
    n_poses: int  # distinct poses among them
    # Distance of each view's joints from where the other views see them, as a multiple of the expected sigma, see
    # `given_residuals.left_out_noise`; empty if it was not measured.
    view_noise: Float[np.ndarray, " measured"] = field(default_factory=lambda: np.zeros(0))
    left_out: Mapping[int, str] = field(default_factory=dict)  # the reason why a view has no extrinsics

    @property
    def has_extrinsics(self) -> Bool[np.ndarray, " view"]:
        """Which views have extrinsics."""
        return np.asarray(np.isfinite(self.t).all(-1))

    @property
    def centers(self) -> Float[np.ndarray, "view 3"]:
        """The cameras' centres in the world."""
        return -np.einsum("vji,vj->vi", self.R, self.t)

    @property
    def center_covariance_in_world(self) -> Float[np.ndarray, "view 3 3"]:
        """The covariance of the cameras' centres along the world's axes."""
        return np.asarray(np.swapaxes(self.R, -1, -2) @ self.center_covariance @ self.R)

    @property
    def center_std(self) -> Float[np.ndarray, " view"]:
        """The standard deviation of the cameras' centres: the root of their covariance's trace."""
        return root_of_trace(self.center_covariance)

    def scaled(self, factor: float) -> "Rig":
        """The same rig in another unit of length."""
        unit = np.tile([1.0, 1.0, 1.0, factor, factor, factor], len(self.t))
        return replace(
            self, t=self.t * factor, center_covariance=self.center_covariance * factor**2,
            pose_covariance=unit[:, None] * self.pose_covariance * unit,
        )  # fmt: skip

    def in_axes(self, R_old_from_new: Float[np.ndarray, "3 3"], origin: Float[np.ndarray, "3"]) -> "Rig":
        """The same rig in a world with other axes, whose origin lies at `origin` of the old one."""
        return replace(self, R=self.R @ R_old_from_new, t=self.t + self.R @ origin)

    def in_world_of(self, R: Float[np.ndarray, "view 3 3"], t: Float[np.ndarray, "view 3"]) -> "Rig":
        """The same rig in the world and the unit of other extrinsics of its cameras."""
        scale, Q, shift = rig_similarity(self.R, self.centers, R, -np.einsum("vji,vj->vi", R, t))
        return self.scaled(scale).in_axes(Q.T, -Q.T @ shift)


def unknown_rig(n_views: int) -> Rig:
    """A rig of cameras that were not calibrated; all values are NaN."""
    none, nan = np.full(n_views, np.nan), float("nan")
    return Rig(
        R=np.full((n_views, 3, 3), nan), t=np.full((n_views, 3), nan), focal_scale=none, focal_std=none,
        rotation_std_deg=none, center_covariance=np.full((n_views, 3, 3), nan),
        pose_covariance=np.full((6 * n_views, 6 * n_views), nan), residual=none,
        landmark_residual=np.full((0, n_views), nan), inlier_share=none, noise=nan,
        epipolar_start=nan, epipolar=nan, parallax_deg=nan, n_frames=0, n_poses=0,
    )  # fmt: skip


def root_of_trace(covariance: np.ndarray) -> np.ndarray:
    """The standard deviations (V,) of vectors with covariances (V, n, n)."""
    return np.sqrt(np.trace(covariance, axis1=1, axis2=2))
