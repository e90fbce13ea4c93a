"""Real detections, given as a file: the rig found from them against calibrations, and the labels against theirs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import Table
from pipeline.geometry import triangulation
from pipeline.geometry.align import align, rig_error
from pipeline.geometry.camera import undistort
from pipeline.geometry.rig import find_rig
from pipeline.geometry.rig_per_frame import find_rigs
from pipeline.geometry.scale import bone_scale
from pipeline.labels.observations import EXPECTED_NOISE, LEAST_CONFIDENCE
from pipeline.skeleton import JOINTS, LIMB_JOINTS

NOTE = """No extrinsics used: the rig's distance from each calibration in the file (similarity-aligned), and that of
robust labels of limb joints from those made of the same detections with it, aligned frame by frame, in mm: median frame
and 90th percentile."""

# The project's joints by the names OpenPose gives them; the others are not used.
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = {f"{side}_{name}": f"{side.upper()}{name.title()}" for side in "lr" for name in LIMBS} | {"thorax": "Neck"}
MIN_CONFIDENCE = 0.3


@dataclass(frozen=True)
class Detections:
    """What a detector saw, undistorted, and calibrations to compare with."""

    rays: np.ndarray  # (F, J, V, 2)
    sigma: np.ndarray  # (F, J, V)
    calibrations: dict[str, tuple[np.ndarray, np.ndarray]]  # R (V, 3, 3), t (V, 3) in mm


def read_detections(path: Path) -> Detections:
    """From an .npz: kpts2d (F, V, N, 2) px and conf (F, V, N) of joints named by joint_names (N,), K and dist.

    R and t, and R_ba and t_ba, where there, are calibrations (x_cam = R X + t, metres).
    """
    with np.load(path) as file:
        data = dict(file)
    columns = data["joint_names"].tolist()
    px = np.full((*data["kpts2d"].shape[:2], len(JOINTS), 2), np.nan)
    confidence = np.zeros(px.shape[:-1])
    for joint, name in NAMES.items():
        px[:, :, JOINTS.index(joint)] = data["kpts2d"][:, :, columns.index(name)]
        confidence[:, :, JOINTS.index(joint)] = data["conf"][:, :, columns.index(name)]
    px[confidence < MIN_CONFIDENCE] = np.nan
    rays = np.stack([undistort(px[:, v], K, data["dist"][v]) for v, K in enumerate(data["K"])], 2)
    height = np.nanmax(rays[..., 1], axis=1) - np.nanmin(rays[..., 1], axis=1)
    clipped = np.clip(np.swapaxes(confidence, 1, 2), LEAST_CONFIDENCE, 1)
    sigma = np.where(np.isfinite(rays).all(-1), EXPECTED_NOISE * height[:, None] / np.sqrt(clipped), np.inf)
    names = {"as shipped": ("R", "t"), "shipped, adjusted": ("R_ba", "t_ba")}
    found = {name: (data[R], 1000 * data[t]) for name, (R, t) in names.items() if R in data}
    return Detections(rays, sigma, found)


def run(path: Path) -> None:
    """Print the table."""
    seen = read_detections(path)
    table = Table(f"Real detections: {path.name}", NOTE, ["", "deg", "center mm", "median", "90th pct", "fail %"])
    rig = find_rig(seen.rays, seen.sigma, seed=ours.SEED)
    frames = find_rigs(seen.rays, seen.sigma, seed=ours.SEED)
    sigma = rig.noise * seen.sigma
    own = triangulation.robust(seen.rays, sigma, rig.R, rig.t)
    scale = bone_scale(own)
    single = np.full_like(own, np.nan)
    for f, found in enumerate(frames):
        if not isinstance(found, str):
            single[f] = triangulation.robust(seen.rays[f], sigma[f], found.R, found.t)
    for name, (R, t) in seen.calibrations.items():
        reference = triangulation.robust(seen.rays, sigma, R, t)
        centers = -np.einsum("vji,vj->vi", R, t)
        errors = rig_error(rig.R, scale * -np.einsum("vji,vj->vi", rig.R, rig.t), R, centers)
        table.row(f"one rig, against {name}", *errors, *_apart(own, reference))
        table.row(f"a rig a frame, against {name}", None, None, *_apart(single, reference))


def _apart(points: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Median and 90th percentile over frames of the mean distance, and the share of frames without one in %."""
    a, b = points[:, LIMB_JOINTS], reference[:, LIMB_JOINTS]
    frames = np.nanmean(np.linalg.norm(align(a, b) - b, axis=-1), axis=1)
    return float(np.nanmedian(frames)), float(np.nanpercentile(frames, 90)), 100 * float(np.isnan(frames).mean())
