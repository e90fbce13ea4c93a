"""Time and memory of the label stages over the number of frames, through stores as the pipeline writes them."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.geometry.measure import Table
from bench.geometry.simulation import CONFIDENCE, Scenes, synthetic_motion
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from pipeline.capture import Capture, Recording, View
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params import read_params
from pipeline.stores import FRAMES_PER_SHARD, POSES2D, writing

NOTE = """One recording of so many frames, 5 px of noise, 5 % outliers, calibrated and triangulated by the stages' own
functions in one process without workers, with the parameters of params.yaml: from stores on disk to stores on disk,
undistortion, rejection, covariances and bone lengths included. CPU seconds, frames per second, and the peak memory."""

MEBIBYTE = 2**20
ROOT = Path(__file__).parents[2]


def run(_: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table; it has no part in the summary."""
    if not sizes.curve:
        return {}
    columns = ["frames", "rig CPU s", "labels CPU s", "frames/s", "peak MiB"]
    table = Table("Time and memory over the length of a capture", NOTE, columns)
    for n in sizes.curve:
        with tempfile.TemporaryDirectory() as folder:
            _child("write", folder, str(n))
            told = json.loads(_child("label", folder).splitlines()[-1])
        table.row(f"{n:,}", told["rig_s"], told["labels_s"], n / told["labels_s"], told["peak"] / MEBIBYTE)
    return {}


def _child(*arguments: str) -> str:
    # A process of its own: the peak memory of a process never falls.
    command = [sys.executable, "-m", "bench.geometry.scaling", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"EPILINE_WORKERS": "0"}
    )
    return done.stdout


def write(folder: Path, n_frames: int) -> None:
    """Write the manifest and the 2D poses of a capture: one shard of motion over and over, spoiled anew each time."""
    block = min(n_frames, FRAMES_PER_SHARD)
    [filmed] = Scenes(synthetic_motion(1, 20.0), 0).film(1, block, noise_px=0.0, outliers=0.0)
    views = [View.of(f"c{v}", "none", camera) for v, camera in enumerate(filmed.cameras)]
    recording = Recording(
        name="long", subject="S1", action="all", split="train", rig="A", fps=25, n_frames=n_frames, views=views
    )
    rng = np.random.default_rng(0)
    with writing(folder / "poses2d.zarr", POSES2D) as store:
        group = store.create(recording.name, {"frame": n_frames, "view": len(views)})
        for start, stop in group.shards():
            px = filmed.px[: stop - start]
            scale = np.where(rng.random(px.shape[:-1]) < OUTLIERS, 20 * NOISE_PX, NOISE_PX)
            px = px + scale[..., None] * rng.standard_normal(px.shape, np.float32)
            box = np.concatenate([px.min(2), px.max(2)], -1)
            group.write(start, {
                "joints_px": px, "confidence": rng.uniform(*CONFIDENCE, px.shape[:-1]), "box_px": box,
            })  # fmt: skip
    Capture(source="simulated", recordings=[recording]).write(folder)


def label(folder: Path) -> dict[str, float]:
    """Calibrate and triangulate what `write` wrote; the CPU seconds of both and the peak memory in bytes."""
    params = read_params(ROOT / "params.yaml")
    poses2d, rigs = folder / "poses2d.zarr", folder / "rigs.zarr"
    start = time.process_time()
    calibrate_capture(folder, poses2d, rigs, params.calibrate)
    middle = time.process_time()
    triangulate_capture(folder, poses2d, rigs, folder / "labels.zarr", params.triangulate)
    end = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"rig_s": middle - start, "labels_s": end - middle, "peak": peak}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["write", "label"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("frames", type=int, nargs="?", default=0)
    arguments = parser.parse_args()
    if arguments.task == "write":
        write(arguments.folder, arguments.frames)
    else:
        print(json.dumps(label(arguments.folder)))
