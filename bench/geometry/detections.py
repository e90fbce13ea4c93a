"""Real detections, from a file or a pipeline's data: rig and labels found from them, compared with calibrations."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import Table
from pipeline.capture import read_capture
from pipeline.geometry.align import align, rig_error
from pipeline.geometry.body.scale import bone_scale
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import Rig, find_rig, measure_rig
from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.geometry.camera.model import undistort
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.labels.observations import CONFIDENCE_FLOOR, EXPECTED_NOISE, assumed_cameras, observe, observe_landmarks
from pipeline.skeleton import JOINTS, LIMB_JOINTS
from pipeline.stores import POSES2D, open_store

NOTE = """The rig is found without extrinsics, from all points that the detector marks or from the joints only.
Columns: its distance from each calibration (similarity-aligned); the distance in mm between robust labels of limb
joints made with this rig and with the calibration, from the same detections, aligned frame by frame: median frame and
90th percentile."""

# The project's joints and their names in OpenPose.
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = {f"{side}_{name}": f"{side.upper()}{name.title()}" for side in "lr" for name in LIMBS} | {"thorax": "Neck"}
MIN_CONFIDENCE = 0.3

Seen = tuple[np.ndarray, np.ndarray]  # image points (F, P, V, 2) and sigma (F, P, V)


@dataclass(frozen=True)
class Detections:
    """Undistorted detections of one recording, and calibrations to compare with."""

    name: str
    joints: Seen  # the project's 17 joints
    landmarks: Seen  # all points that the detector marks
    calibrations: dict[str, tuple[np.ndarray, np.ndarray]]  # R (V, 3, 3), t (V, 3) in mm


def read_detections(path: Path) -> list[Detections]:
    """Read an .npz file, or every recording of a data folder whose stages up to `detect` have run."""
    return [_from_file(path)] if path.is_file() else _from_stores(path)


def _from_file(path: Path) -> Detections:
    """Read kpts2d (F, V, N, 2) in px and conf (F, V, N) of joints named by joint_names (N,), K and dist.

    Optional arrays R and t, and R_ba and t_ba, are calibrations (x_cam = R X + t, in metres).
    """
    with np.load(path) as file:
        data = dict(file)
    confidence = np.swapaxes(data["conf"], 1, 2)
    px = np.where(data["conf"][..., None] < MIN_CONFIDENCE, np.nan, data["kpts2d"])
    points_norm = np.stack([undistort(px[:, v], K, data["dist"][v]) for v, K in enumerate(data["K"])], 2)
    columns = data["joint_names"].tolist()
    joints = [columns.index(NAMES[joint]) if joint in NAMES else -1 for joint in JOINTS]
    known = np.array([joint >= 0 for joint in joints])[:, None]
    of_joints = np.where(known[..., None], points_norm[:, joints], np.nan)
    height = np.nanmax(of_joints[..., 1], axis=1) - np.nanmin(of_joints[..., 1], axis=1)
    sigma = EXPECTED_NOISE * height[:, None] / np.sqrt(np.clip(confidence, CONFIDENCE_FLOOR, 1))
    sigma = np.where(np.isfinite(points_norm).all(-1), sigma, np.inf)
    names = {"as shipped": ("R", "t"), "shipped, adjusted": ("R_ba", "t_ba")}
    found = {name: (data[R], 1000 * data[t]) for name, (R, t) in names.items() if R in data}
    of_joints_sigma = np.where(known, sigma[:, joints], np.inf)
    return Detections(path.name, (of_joints, of_joints_sigma), (points_norm, sigma), found)


def _from_stores(folder: Path) -> list[Detections]:
    """Read the stores; the calibration to compare with is the extrinsics given with the footage."""
    found, store = [], open_store(folder / "poses2d.zarr", POSES2D)
    for recording in read_capture(folder / "frames").recordings:
        cameras, rows = assumed_cameras(recording, ignore_distortion=False), np.arange(recording.n_frames)
        poses = store[recording.name].person(0)
        seen = observe(recording, cameras, poses, rows, min_confidence=MIN_CONFIDENCE)
        marks = observe_landmarks(recording, cameras, poses, rows, seen, min_confidence=MIN_CONFIDENCE)
        given = [camera for camera in cameras if camera.has_extrinsics]
        calibrations = {}
        if len(given) == len(cameras):
            R, t = (np.array([getattr(camera, name) for camera in given]) for name in POSE)
            calibrations["the given one"] = R, t
        found.append(Detections(recording.name, (seen.points_norm, seen.sigma), marks, calibrations))
    return found


POSE = ("R_cam_from_world", "t_cam_from_world_mm")


def run(path: Path) -> None:
    """Print the table."""
    table = Table("Real detections", NOTE, ["", "deg", "center mm", "median", "90th pct", "fail %"])
    for seen in read_detections(path):
        try:
            _print(table, seen)
        except RigNotFound as error:
            print(f"{seen.name}: {error}")


def _print(table: Table, seen: Detections) -> None:
    points_norm, sigma = seen.joints
    rigs = {
        "all points": find_rig(*seen.landmarks, seed=ours.SEED),
        "joints": find_rig(points_norm, sigma, seed=ours.SEED),
    }
    sigma = sigma * measure_rig(points_norm, sigma, rigs["all points"].R, rigs["all points"].t).noise
    single = {
        source: _labels_of_frames(points_norm, sigma, find_rigs(*points, seed=ours.SEED))
        for source, points in (("all points", (*seen.joints, *seen.landmarks)), ("joints", seen.joints))
    }
    for name, (R, t) in seen.calibrations.items():
        reference = triangulation.robust(points_norm, sigma, R, t)
        for source, rig in rigs.items():
            own = triangulation.robust(points_norm, sigma, rig.R, rig.t)
            errors = rig_error(rig.R, bone_scale(own) * rig.centers, R, -np.einsum("vji,vj->vi", R, t))
            table.row(f"{seen.name} {source}: {name}", *errors, *_apart(own, reference))
        for source, own in single.items():
            table.row(f"{seen.name} frame by frame, {source}: {name}", None, None, *_apart(own, reference))


def _labels_of_frames(points_norm: np.ndarray, sigma: np.ndarray, rigs: list[Rig | str]) -> np.ndarray:
    """Robust labels (F, J, 3), each frame with its own rig; NaN without a rig."""
    labels = np.full((*points_norm.shape[:2], 3), np.nan)
    for f, rig in enumerate(rigs):
        if isinstance(rig, Rig):
            labels[f] = triangulation.robust(points_norm[f], sigma[f], rig.R, rig.t)
    return labels


def _apart(points: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Median and 90th percentile over frames of the mean distance, and the share of frames without a distance in %."""
    a, b = points[:, LIMB_JOINTS], reference[:, LIMB_JOINTS]
    frames = np.nanmean(np.linalg.norm(align(a, b) - b, axis=-1), axis=1)
    return float(np.nanmedian(frames)), float(np.nanpercentile(frames, 90)), 100 * float(np.isnan(frames).mean())
