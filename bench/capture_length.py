"""Time and memory of the label stages for captures of different lengths, up to ten million frames.

    python -m bench.capture_length [--frames N ...] [--quick] [--json FILE]

A synthetic recording of detections is written shard by shard, then calibrated and triangulated by the functions of the
stages with the parameters of params.yaml; both read their input from disk and write their output to disk. Each length
runs in its own process, without workers.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, View
from pipeline.geometry.camera.model import Camera, project
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.file import read_params
from pipeline.skeleton import JOINTS, MIRROR
from pipeline.stores import POSES2D, Poses2dRecord, Poses2dSummary, create_store

ROOT = Path(__file__).parents[1]
LENGTHS, QUICK = (10_000, 100_000, 1_000_000, 10_000_000), (2_000, 16_000)
# Frames that are calibrated and triangulated first, so that the timing includes no compilation.
WARM_UP = 300
N_VIEWS, SIZE_PX, FOCAL_PX, NOISE_PX, OUTLIERS, SWAPS = 4, (1000, 1000), 1145.0, 5.0, 0.02, 0.02
# A standing person of 1720 mm, x to the left, z up; right joints mirror the left ones.
STANDING_MM = {
    "pelvis": (0, 0, 930), "spine": (0, 0, 1150), "thorax": (0, 0, 1400), "neck": (0, 60, 1500), "head": (0, 40, 1640),
    "l_hip": (100, 0, 910), "l_knee": (110, 0, 500), "l_ankle": (110, 0, 80), "l_shoulder": (170, 0, 1390),
    "l_elbow": (260, 0, 1110), "l_wrist": (270, 120, 880),
}  # fmt: skip


def growth(n_frames: int, folder: Path) -> dict[str, float]:
    """CPU seconds of calibration and triangulation of a recording, and the peak memory of this process in MiB."""
    write_recording(WARM_UP, folder / "warm")
    label_recording(folder / "warm")
    write_recording(n_frames, folder / "timed")
    calibrate_s, triangulate_s = label_recording(folder / "timed")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {"frames": n_frames, "calibrate_cpu_s": calibrate_s, "triangulate_cpu_s": triangulate_s, "peak_mib": peak}


def label_recording(folder: Path) -> tuple[float, float]:
    """Calibrate and triangulate the recording of `write_recording`; the CPU seconds of each."""
    params = read_params(ROOT / "params.yaml")
    paths = folder, folder / "poses2d.zarr", folder / "rigs.zarr"
    start = time.process_time()
    calibrate_capture(*paths, params.calibrate)
    calibrated = time.process_time()
    triangulate_capture(*paths, folder / "labels.zarr", params.triangulate)
    return calibrated - start, time.process_time() - calibrated


def write_recording(n_frames: int, folder: Path) -> None:
    """Write the manifest and the 2D poses of one recording with at most one shard in memory."""
    folder.mkdir()
    cameras = _cameras()
    summary = Poses2dSummary(detector={"name": "simulated"}, alerts=[])
    record = Poses2dRecord(persons=["S1"], views=[f"cam{v}" for v in range(N_VIEWS)], found={}, crashed={})
    with create_store(folder / "poses2d.zarr", POSES2D, summary) as store:
        group = store.create("S1_walk", {"frame": n_frames, "view": N_VIEWS}, record).person(0)
        for start, stop in group.shards():
            group.write(start, _detections(np.arange(start, stop), cameras))
    views = [View.of(f"cam{v}", "none", camera.with_extrinsics(None, None)) for v, camera in enumerate(cameras)]
    recording = Recording(
        name="S1_walk", subject="S1", action="walk", split="train", rig="A", fps=50, n_frames=n_frames, views=views
    )
    Capture(source="videos", recordings=[recording]).write(folder)


def _cameras() -> list[Camera]:
    K = np.array([[FOCAL_PX, 0, SIZE_PX[0] / 2], [0, FOCAL_PX, SIZE_PX[1] / 2], [0, 0, 1]])
    cameras = []
    for angle in np.linspace(0, 2 * np.pi, N_VIEWS, endpoint=False) + 0.3:
        center = np.array([5000 * np.cos(angle), 5000 * np.sin(angle), 1500.0])
        z = np.array([0, 0, 900.0]) - center
        x = np.cross(z, [0, 0, 1.0])
        R = np.stack([x, np.cross(z, x), z])
        R /= np.linalg.norm(R, axis=1, keepdims=True)
        cameras.append(Camera(K, np.array([-0.2, 0.2, 0.0, 0.0, 0.0]), SIZE_PX, R, -R @ center))
    return cameras


def _detections(frames: np.ndarray, cameras: list[Camera]) -> dict[str, np.ndarray]:
    """The arrays of POSES2D of some frames: a person who walks in loops and swings the limbs, with detection errors."""
    rng = np.random.default_rng(frames[0])
    seconds = frames / 50
    joints = np.array([STANDING_MM[name.replace("r_", "l_")] for name in JOINTS], float)
    joints[[j for j, name in enumerate(JOINTS) if name[:2] == "r_"], 0] *= -1
    low = np.clip((900 - joints[:, 2]) / 900, 0, 1) + 0.5 * np.array(["wrist" in n or "elbow" in n for n in JOINTS])
    side = np.sign(joints[:, 0])
    stride = 350 * low * side * np.sin(2 * np.pi * seconds)[:, None]
    body = joints + np.stack([0 * stride, stride, 0 * stride], -1)
    turn = 0.3 * seconds
    R = np.stack([np.stack([np.cos(turn), -np.sin(turn)], -1), np.stack([np.sin(turn), np.cos(turn)], -1)], 1)
    body[..., :2] = np.einsum("fij,fnj->fni", R, body[..., :2])
    path = 800 * np.stack([np.sin(0.37 * seconds), np.sin(0.61 * seconds)], -1)
    body[..., :2] += path[:, None]
    px = np.stack([project(camera.to_camera(body), camera.K, camera.dist) for camera in cameras], 1)
    box = np.concatenate([px.min(2), px.max(2)], -1)
    px += NOISE_PX * rng.normal(size=px.shape)
    wrong = rng.random(px.shape[:3]) < OUTLIERS
    px = np.where(wrong[..., None], px + rng.normal(size=px.shape) * 150, px)
    px = np.where((rng.random(px.shape[:2]) < SWAPS)[..., None, None], px[:, :, MIRROR], px)
    confidence = np.where(wrong, rng.uniform(0.1, 0.6, wrong.shape), rng.uniform(0.6, 1, wrong.shape))
    return {"joints_px": px, "confidence": confidence, "box_px": box}


def main(lengths: Sequence[int], folder: Path | None, target: Path | None) -> None:
    """Print the table and write the figures of the longest capture."""
    print(f"{'frames':>12} {'calibrate, CPU s':>18} {'triangulate, CPU s':>20} {'frames/CPU s':>14} {'peak MiB':>10}")
    for n in lengths:
        found = _in_own_process(n, folder)
        rate = n / found["triangulate_cpu_s"]
        cells = f"{found['calibrate_cpu_s']:18.1f} {found['triangulate_cpu_s']:20.1f} {rate:14,.0f}"
        print(f"{n:12,} {cells} {found['peak_mib']:10.0f}", flush=True)
    if target is not None:
        figures = {"labels_frames_per_cpu_s": rate, "labels_peak_mib": found["peak_mib"]}
        target.write_text(json.dumps(figures, indent=2) + "\n")


def _in_own_process(n_frames: int, folder: Path | None) -> dict[str, float]:
    # The system records the peak memory of a whole process, so each length needs its own process.
    with tempfile.TemporaryDirectory(dir=folder) as room:
        command = [sys.executable, "-m", "bench.capture_length", "--one", str(n_frames), "--folder", room]
        alone = os.environ | {"EPILINE_WORKERS": "0"}
        done = subprocess.run(command, cwd=ROOT, env=alone, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=LENGTHS, help="lengths to measure")
    parser.add_argument("--folder", type=Path, help="where the stores are written (some 2.5 kB a frame)")
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--json", type=Path, help="write the figures of the longest capture here")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(growth(arguments.one, arguments.folder)))
    else:
        main(QUICK if arguments.quick else arguments.frames, arguments.folder, arguments.json)
