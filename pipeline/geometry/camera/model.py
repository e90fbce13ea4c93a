"""The camera: conventions, projection and undistortion.

Axes are OpenCV's (x right, y down, z forward), `x_cam = R_cam_from_world @ x_world + t_cam_from_world_mm`, lengths
are millimetres, the centre of the top-left pixel is (0, 0), distortion coefficients are in OpenCV's order.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera import lens, lens_kernels
from pipeline.shapes import check_shapes

# The power of the radius that each coefficient of OpenCV's distortion multiplies: k1, k2, p1, p2, k3 to k6, s1 to s4.
DISTORTION_POWERS = np.array([2, 4, 1, 1, 6, 2, 4, 6, 1, 3, 1, 3, 0, 0])


@dataclass(frozen=True)
class Camera:
    """One camera; the extrinsics are None where they are not known."""

    K: Float[np.ndarray, "3 3"]
    dist: Float[np.ndarray, " coefficient"]  # 0, 4, 5, 8, 12 or 14 in OpenCV's order, 4 of a fisheye; none: a pinhole
    size_px: tuple[int, int]  # width, height
    R_cam_from_world: Float[np.ndarray, "3 3"] | None = None
    t_cam_from_world_mm: Float[np.ndarray, "3"] | None = None
    fisheye: bool = False  # whether dist are the coefficients of OpenCV's fisheye model

    @property
    def has_extrinsics(self) -> bool:
        """Whether the extrinsics are known."""
        return self.R_cam_from_world is not None

    @property
    def center_world_mm(self) -> Float[np.ndarray, "3"]:
        """The optical centre. Raises ValueError without extrinsics."""
        R, t = self._extrinsics()
        return np.asarray(-R.T @ t)

    def with_extrinsics(self, R: Float[np.ndarray, "3 3"] | None, t_mm: Float[np.ndarray, "3"] | None) -> "Camera":
        """The same camera with other extrinsics, or without."""
        return replace(self, R_cam_from_world=R, t_cam_from_world_mm=t_mm)

    def pinhole(self) -> "Camera":
        """The same camera without distortion."""
        return replace(self, dist=np.zeros(0), fisheye=False)

    def resized(self, size_px: tuple[int, int]) -> "Camera":
        """The same camera after its images were resized to (width, height).

        A pixel centre x maps to (x + 0.5) * s - 0.5, which is what area and linear resizing do.

        >>> K = np.array([[900.0, 0, 319.5], [0, 900, 239.5], [0, 0, 1]])
        >>> Camera(K, np.zeros(0), (640, 480)).resized((320, 240)).K
        array([[450. ,   0. , 159.5],
               [  0. , 450. , 119.5],
               [  0. ,   0. ,   1. ]])
        """
        sx, sy = size_px[0] / self.size_px[0], size_px[1] / self.size_px[1]
        S = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])
        return replace(self, K=S @ self.K, size_px=size_px)

    def scale_focal(self, factor: float) -> "Camera":
        """The same camera with its focal lengths multiplied; the distortion as a function of pixels is unchanged.

        Normalised image points become 1 / factor times as large, so each distortion coefficient is multiplied by the
        factor to the power of its radius. Raises ValueError for a fisheye camera, whose coefficients multiply powers of
        angles: no other coefficients give the same image at another focal length.
        """
        if factor == 1:
            return self
        if self.fisheye:
            raise ValueError(
                f"The focal length of a fisheye camera cannot be multiplied by {factor:.4g}; it must be given."
            )
        K, dist = self.K.copy(), self.dist * factor ** DISTORTION_POWERS[: len(self.dist)]
        K[:2, :2] *= factor
        return replace(self, K=K, dist=dist)

    def to_camera(self, points_world_mm: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """World points in this camera's frame. Raises ValueError without extrinsics."""
        R, t = self._extrinsics()
        return np.asarray(points_world_mm @ R.T + t)

    def _extrinsics(self) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
        if self.R_cam_from_world is None or self.t_cam_from_world_mm is None:
            raise ValueError("This camera has no extrinsics.")
        return self.R_cam_from_world, self.t_cam_from_world_mm

    def project(self, points_world_mm: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 2"]:
        """Pixels of world points, lens distortion included. Raises ValueError without extrinsics."""
        return self.project_cam(self.to_camera(points_world_mm))

    def project_cam(self, points_cam_mm: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 2"]:
        """Pixels of points in this camera's frame, lens distortion included."""
        return project(points_cam_mm, self.K, self.dist, fisheye=self.fisheye)

    def undistort(self, points_px: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2"]:
        """Normalised image points of pixels, lens distortion removed."""
        return undistort(points_px, self.K, self.dist, fisheye=self.fisheye)

    def back_project(
        self, points_px: Float[np.ndarray, "*batch 2"], depth_mm: Float[np.ndarray, "*#batch"] | float
    ) -> Float[np.ndarray, "*batch 3"]:
        """Points in this camera's frame from pixels and depths (z)."""
        points_norm = self.undistort(points_px)
        return np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1) * np.asarray(depth_mm)[..., None]


@check_shapes()
def project(
    points_cam_mm: Float[np.ndarray, "*batch 3"],
    K: Float[np.ndarray, "3 3"],
    dist: Float[np.ndarray, " coefficient"],
    *,
    fisheye: bool = False,
) -> Float[np.ndarray, "*batch 2"]:
    """Pixels of points in the camera frame, lens distortion included; NaN stays NaN.

    Raises ValueError for shapes that do not fit.
    """
    points = np.ascontiguousarray(points_cam_mm, float).reshape(-1, 3)
    pixels = np.empty((len(points), 2))
    distort = lens_kernels.distort_fisheye if fisheye else lens_kernels.distort
    distort(points, lens.coefficients(dist), lens.sensor(K, dist), pixels)
    return pixels.reshape(*points_cam_mm.shape[:-1], 2)


@check_shapes()
def undistort(
    points_px: Float[np.ndarray, "*batch 2"],
    K: Float[np.ndarray, "3 3"],
    dist: Float[np.ndarray, " coefficient"],
    *,
    fisheye: bool = False,
) -> Float[np.ndarray, "*batch 2"]:
    """Normalised image points (x / z, y / z) of pixels, lens distortion removed.

    NaN stays NaN. Pixels at which the lens shows no point in front of the camera become NaN. Raises ValueError for
    shapes that do not fit.
    """
    pixels = np.ascontiguousarray(points_px, float).reshape(-1, 2)
    points_norm = np.empty_like(pixels)
    solve = lens_kernels.undistort_fisheye if fisheye else lens_kernels.undistort
    solve(pixels, lens.coefficients(dist), np.linalg.inv(lens.sensor(K, dist)), points_norm)
    return points_norm.reshape(points_px.shape)
