"""How time and memory of the label stages grow with the length of a capture, up to ten million frames.

A synthetic recording is written shard by shard as the detector would have, then calibrated and triangulated, each
length in a process of its own:

    python -m bench.capture_length --frames 10000 100000 1000000
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, View
from pipeline.geometry.camera import Camera, project
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params import read_params
from pipeline.skeleton import JOINTS, MIRROR
from pipeline.stores import POSES2D, writing

LENGTHS = (10_000, 100_000, 1_000_000, 10_000_000)
N_VIEWS, SIZE_PX, FOCAL_PX, NOISE_PX, OUTLIERS, SWAPS = 4, (1000, 1000), 1145.0, 5.0, 0.02, 0.02
# A standing person of 1720 mm, x to the left, z up; right joints mirror the left ones.
STANDING_MM = {
    "pelvis": (0, 0, 930), "spine": (0, 0, 1150), "thorax": (0, 0, 1400), "neck": (0, 60, 1500), "head": (0, 40, 1640),
    "l_hip": (100, 0, 910), "l_knee": (110, 0, 500), "l_ankle": (110, 0, 80), "l_shoulder": (170, 0, 1390),
    "l_elbow": (260, 0, 1110), "l_wrist": (270, 120, 880),
}  # fmt: skip


def growth(n_frames: int, folder: Path) -> dict[str, float]:
    """CPU seconds of calibration and triangulation of a recording, and the peak memory of this process in MiB."""
    write_recording(n_frames, folder)
    params = read_params()
    paths = folder, folder / "poses2d.zarr", folder / "rigs.zarr"
    start = time.process_time()
    calibrate_capture(*paths, params.calibrate)
    calibrated = time.process_time()
    triangulate_capture(*paths, folder / "labels.zarr", params.triangulate)
    return {
        "frames": n_frames,
        "calibrate_cpu_s": calibrated - start,
        "triangulate_cpu_s": time.process_time() - calibrated,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def write_recording(n_frames: int, folder: Path) -> None:
    """Write the manifest and the 2D poses of one recording, never more than a shard of it in memory."""
    cameras = _cameras()
    with writing(folder / "poses2d.zarr", POSES2D) as store:
        group = store.create("S1_walk", {"frame": n_frames, "view": N_VIEWS})
        for start, stop in group.shards():
            group.write(start, _detections(np.arange(start, stop), cameras))
    views = [View.of(f"cam{v}", "none", camera.posed(None, None)) for v, camera in enumerate(cameras)]
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
    """The arrays of POSES2D of some frames: a person who walks in loops and swings arms and legs, seen with errors."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=list(LENGTHS), help="lengths to measure")
    parser.add_argument("--folder", type=Path, help="where the stores are written (some 2 kB a frame)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(growth(arguments.one, arguments.folder)))
        return
    print(f"{'frames':>12} {'calibrate, CPU s':>18} {'triangulate, CPU s':>20} {'frames/CPU s':>14} {'peak MiB':>10}")
    for n in arguments.frames:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            command = [sys.executable, "-m", "bench.capture_length", "--one", str(n), "--folder", folder]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        seconds = found["triangulate_cpu_s"]
        print(
            f"{n:12,} {found['calibrate_cpu_s']:18.1f} {seconds:20.1f} {n / seconds:14,.0f} {found['peak_mib']:10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
