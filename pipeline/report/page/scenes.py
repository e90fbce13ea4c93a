"""Scenes for the 3D viewer: layers of points and lines in whole millimetres, x right, y up, z towards the viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.geometry.align import similarity
from pipeline.metrics import mean, scale_aligned
from pipeline.report.page.theme import COLOURS, FAINT, INK, LEFT_BONES, lighter
from pipeline.skeleton import BONES, ROOT, joint

Scene = dict[str, Any]
Layer = dict[str, Any]
VIEW_FROM_CAMERA = np.diag([1.0, -1.0, -1.0])  # a camera has y down and z forward
CENTERS = (ROOT, joint("thorax"))  # joints that a single pose is centred on, the first one that is known
GRID_MM = 500
FRUSTUM_DEPTH = 0.12  # of a drawn camera, as a share of the rig's size
ELLIPSE_POINTS = 20


def pose_scene(poses_cam_mm: dict[str, np.ndarray]) -> Scene:
    """Skeletons (joint, 3) of one frame in one camera's frame, root-centred, scaled to the truth or else the label.

    Where no pose has a root, the poses are centred on their thorax and not scaled.
    """
    center = next((j for j in CENTERS if any(np.isfinite(pose[j]).all() for pose in poses_cam_mm.values())), ROOT)
    centred = {name: pose - pose[center] for name, pose in poses_cam_mm.items() if np.isfinite(pose[center]).all()}
    target = centred.get("truth", centred.get("label")) if center == ROOT else None
    scaled = {name: pose if target is None else scale_aligned(pose, target) for name, pose in centred.items()}
    return _scene([_skeleton(name, pose[None] @ VIEW_FROM_CAMERA.T) for name, pose in scaled.items()])


def sequence_scene(poses_cam_mm: dict[str, np.ndarray], fps: float) -> Scene:
    """Moving skeletons (frame, joint, 3) in one camera's frame, rotated upright, on a floor."""
    upright = _upright(next(iter(poses_cam_mm.values())))
    moving = {name: poses @ upright.T for name, poses in poses_cam_mm.items()}
    layers = [_skeleton(name, poses) for name, poses in moving.items()]
    return {**_scene([_floor(np.concatenate(list(moving.values()))), *layers]), "fps": fps}


@dataclass(frozen=True)
class PlacedCamera:
    """A camera in the world, with the uncertainty of its centre."""

    name: str
    R_cam_from_world: np.ndarray  # (3, 3)
    center_mm: np.ndarray  # (3,)
    covariance_mm2: np.ndarray | None = None  # of the centre, (3, 3); None or NaN where unknown


def rig_scene(
    labels_world_mm: np.ndarray, found: Sequence[PlacedCamera], given: Sequence[PlacedCamera]
) -> tuple[Scene, int]:
    """Calibrated and given cameras with some labels (pose, joint, 3), and the magnification of the uncertainties.

    The given cameras are transformed into the calibrated world by a similarity. An uncertainty is drawn as the
    ellipsoid of two standard deviations; its magnification is a power of ten, or 0 where no uncertainty is known.
    """
    upright = _upright(labels_world_mm) if np.isfinite(labels_world_mm).any() else VIEW_FROM_CAMERA
    size = float(np.ptp([camera.center_mm for camera in found], axis=0).max())
    layers = [_skeleton("label", pose[None] @ upright.T) for pose in labels_world_mm if np.isfinite(pose).any()]
    for layer in layers[1:]:
        layer["name"] = ""  # one entry in the legend is enough
    if given:
        layers.append(_cameras("given cameras", COLOURS["truth"], _moved(given, found), upright, size, named=False))
    layers.append(_cameras("calibrated cameras", INK, found, upright, size, named=True))
    magnification = _magnification(found, size)
    if magnification:
        layers.append(_ellipsoids(found, magnification, upright))
    points = np.concatenate([np.array(layer["frames"], float).reshape(-1, 3) for layer in layers])
    floor = [_floor(labels_world_mm @ upright.T, around=points)] if np.isfinite(labels_world_mm).any() else []
    scene = _scene([*floor, *layers])
    return {**scene, "yaw": 0.5, "pitch": 0.45, "radius": int(0.7 * scene["radius"])}, magnification


def _moved(given: Sequence[PlacedCamera], found: Sequence[PlacedCamera]) -> list[PlacedCamera]:
    """The given cameras in the calibrated world, by the similarity that fits them to the cameras of the same names.

    Three points of each camera are used: its centre, a point in front of it and a point below it. So two cameras
    suffice.
    """
    common = {camera.name for camera in given} & {camera.name for camera in found}

    def points(cameras: Sequence[PlacedCamera]) -> np.ndarray:
        used = [(c.center_mm, c.R_cam_from_world) for c in cameras if c.name in common]
        size = np.ptp([center for center, _ in used], axis=0).max()
        return np.array([[c, c + size * R[2], c + size * R[1]] for c, R in used]).reshape(-1, 3)

    scale, R, t = similarity(points(given), points(found))
    return [PlacedCamera(c.name, c.R_cam_from_world @ R.T, scale * R @ c.center_mm + t) for c in given]


def _magnification(cameras: Sequence[PlacedCamera], size: float) -> int:
    """The largest power of ten that keeps two standard deviations below the depth of a drawn camera; 0 if unknown."""
    known = [c.covariance_mm2 for c in cameras if c.covariance_mm2 is not None and np.isfinite(c.covariance_mm2).all()]
    largest = max((2 * float(np.sqrt(np.linalg.eigvalsh(one)[-1].clip(0))) for one in known), default=0.0)
    return int(10 ** max(0, np.floor(np.log10(FRUSTUM_DEPTH * size / largest)))) if largest > 0 else 0


def _ellipsoids(cameras: Sequence[PlacedCamera], magnification: int, upright: np.ndarray) -> Layer:
    """Each camera's uncertainty as three ellipses, one in each plane of two principal axes."""
    angles = np.linspace(0, 2 * np.pi, ELLIPSE_POINTS, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], -1)
    circles = np.stack([np.roll(circle, turn, axis=-1) for turn in range(3)])
    points = []
    for camera in cameras:
        if camera.covariance_mm2 is not None and np.isfinite(camera.covariance_mm2).all():
            variances, axes = np.linalg.eigh(camera.covariance_mm2)
            radii = 2 * magnification * np.sqrt(variances.clip(0))
            points.append(camera.center_mm + circles * radii @ axes.T)
    drawn = np.concatenate(points).reshape(-1, 3) @ upright.T
    n = ELLIPSE_POINTS
    edges = [[n * e + i, n * e + (i + 1) % n] for e in range(len(drawn) // n) for i in range(n)]
    return {"name": "uncertainty", "color": COLOURS["prediction"], "edges": edges, "frames": _whole(drawn[None])}


def _upright(poses: np.ndarray) -> np.ndarray:
    """The rotation from the axes of poses (..., joint, 3) to the viewer's axes that makes people upright on average."""
    up = _up(poses)
    # The viewer's x axis is the frame's x axis unless this is vertical, so that the first view is close to the
    # camera's.
    x = np.eye(3)[0] if abs(up[0]) < 0.9 else np.eye(3)[1]
    x = x - (x @ up) * up
    x /= np.linalg.norm(x)
    return np.stack([x, up, np.cross(x, up)])


def _up(poses: np.ndarray) -> np.ndarray:
    """The mean direction (3,) from the feet, or else from lower joints of the upper body, to the thorax or the head.

    The vertical of an upright camera if none of these joints is known.
    """
    feet = (poses[..., joint("l_ankle"), :] + poses[..., joint("r_ankle"), :]) / 2
    thorax = poses[..., joint("thorax"), :]
    for offset in (thorax - feet, thorax - poses[..., ROOT, :], poses[..., joint("head"), :] - thorax):
        up = mean(offset.reshape(-1, 3), axis=0)
        if np.linalg.norm(up) > 0:
            return np.asarray(up / np.linalg.norm(up))
    return np.array([0.0, -1, 0])


def _skeleton(name: str, poses: np.ndarray) -> Layer:
    return {
        "name": name,
        "color": COLOURS[name],
        "edges": BONES.tolist(),
        "left": {"edges": LEFT_BONES, "color": lighter(COLOURS[name])},
        "dots": True,
        "frames": _whole(poses),
    }


def _cameras(
    name: str, colour: str, cameras: Sequence[PlacedCamera], upright: np.ndarray, size: float, *, named: bool
) -> Layer:
    depth = FRUSTUM_DEPTH * size
    corners = np.array([[0, 0, 0], [-0.6, -0.4, 1], [0.6, -0.4, 1], [0.6, 0.4, 1], [-0.6, 0.4, 1]]) * depth
    sides = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)]
    points = np.concatenate([corners @ c.R_cam_from_world + c.center_mm for c in cameras]) @ upright.T
    edges = [[5 * c + a, 5 * c + b] for c in range(len(cameras)) for a, b in sides]
    texts = {5 * c: camera.name for c, camera in enumerate(cameras)} if named else {}
    return {"name": name, "color": colour, "edges": edges, "frames": _whole(points[None]), "texts": texts}


def _floor(points: np.ndarray, around: np.ndarray | None = None) -> Layer:
    """A grid under the feet of people (frame, joint, 3), as large as the area of the people or the points `around`."""
    flat = points.reshape(-1, 3)
    y = np.nanpercentile(flat[:, 1], 1)
    area = flat if around is None else around
    low = np.floor(np.nanmin(area[:, [0, 2]], axis=0) / GRID_MM) * GRID_MM
    high = np.ceil(np.nanmax(area[:, [0, 2]], axis=0) / GRID_MM) * GRID_MM
    steps = [np.arange(a, b + 1, max(GRID_MM, (b - a) / 20)) for a, b in zip(low, high, strict=True)]
    lines = [[(x, y, low[1]), (x, y, high[1])] for x in steps[0]] + [
        [(low[0], y, z), (high[0], y, z)] for z in steps[1]
    ]
    ends = np.array(lines).reshape(1, -1, 3)
    edges = [[i, i + 1] for i in range(0, ends.shape[1], 2)]
    return {"name": "", "color": FAINT, "edges": edges, "frames": _whole(ends)}


def _scene(layers: list[Layer]) -> Scene:
    named = [layer for layer in layers if layer["color"] != FAINT] or layers
    points = [[x for x in frame if x is not None] for layer in named for frame in layer["frames"]]
    flat = np.array([x for frame in points for x in frame], float).reshape(-1, 3)
    low, high = (flat.min(0), flat.max(0)) if len(flat) else (np.zeros(3), np.ones(3))
    center = (low + high) / 2
    return {
        "layers": layers, "center": np.round(center).astype(int).tolist(), "yaw": -0.35, "pitch": 0.12,
        "radius": int(np.ceil(np.linalg.norm(high - low) / 2)),
    }  # fmt: skip


def _whole(frames: np.ndarray) -> list[list[int | None]]:
    """Frames (frame, point, 3) as flat lists of whole millimetres; None for missing points."""
    known = np.isfinite(frames).all(-1, keepdims=True) & np.ones(3, bool)
    values = np.round(np.where(known, frames, 0)).astype(int).reshape(len(frames), -1)
    flat = known.reshape(len(frames), -1)
    return [
        [v if k else None for v, k in zip(a, b, strict=True)]
        for a, b in zip(values.tolist(), flat.tolist(), strict=True)
    ]
