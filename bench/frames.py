"""Speed of the stage `frames` and of training crops, and the size of a manifest of millions of frames.

    python -m bench.frames [--videos FILE ...] [--json FILE]

Without videos, two of 1920 x 1080 are encoded. The least work is to decode each video, to shrink its images and to
encode them as JPEG in one loop, which keeps nothing; times are CPU seconds, and the best of several runs counts.

- extract_over_decode: CPU time of the least work over that of `extract_frames`
- crop_ms: CPU time of a training crop from CropCache whose region is in memory; read_ms of one that is not
- manifest_s, manifest_gib: time to read a manifest of 3.6 million frames, and the peak memory of the process
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

from bench.geometry.measure import cpu_seconds
from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.geometry.camera.model import Camera
from pipeline.learning.images.crop_cache import CropCache
from pipeline.learning.images.crops import Crop
from pipeline.learning.images.samples import Samples
from pipeline.params.file import read_params
from pipeline.params.frames import FramesParams
from pipeline.skeleton import N_JOINTS
from pipeline.video.extraction import extract_frames
from pipeline.video.sources import read_header

PARAMS = read_params(Path(__file__).parents[1] / "params.yaml").frames
N_VIDEO_FRAMES, VIDEO_PX = 120, (1920, 1080)
N_CROPS, INPUT_PX, COVERAGE = 50, 256, 1.5
N_MANIFEST = 3_600_000


def main(videos: list[Path], target: Path | None, n_manifest: int = N_MANIFEST, runs: int = 3) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = videos or [_encode(folder / f"cam{i}.mp4", i) for i in range(2)]
        figures = time_extraction(videos, folder, runs) | time_crops(folder / "frames", runs)
        figures |= measure_manifest(folder / "manifest", n_manifest)
    for key, value in figures.items():
        print(f"{key:22} {value:8.3f}")
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def _encode(path: Path, seed: int) -> Path:
    """A video of a textured room in which a patch moves, with noise as of a sensor."""
    rng = np.random.default_rng(seed)
    room = cv2.resize(rng.integers(0, 256, (54, 96, 3), np.uint8), VIDEO_PX, interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *VIDEO_PX, "yuv420p"
        for i in range(N_VIDEO_FRAMES):
            image = cv2.add(room, rng.integers(0, 6, room.shape, np.uint8))
            image[300:800, 5 * i : 5 * i + 200] = 200
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    return path


def least_work(videos: list[Path], params: FramesParams) -> int:
    """The bytes of all images as JPEG."""
    n_bytes = 0
    for path in videos:
        with av.open(str(path)) as file:
            for frame in file.decode(video=0):
                image = frame.to_ndarray(format="bgr24")
                shrink = min(1.0, params.max_side_px / max(image.shape[:2]))
                if shrink < 1:
                    image = cv2.resize(image, None, None, shrink, shrink, cv2.INTER_AREA)
                n_bytes += len(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, params.jpeg_quality])[1])
    return n_bytes


def time_extraction(videos: list[Path], folder: Path, runs: int) -> dict[str, float]:
    """Extract the videos as views of one recording into `folder / "frames"`."""
    views = []
    for i, path in enumerate(videos):
        width, height = read_header(path).size_px
        K = np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1.0]])
        views.append(View.of(f"cam{i}", str(path.resolve()), Camera(K, np.zeros(4), (width, height))))
    (folder / "capture").mkdir()
    recording = Recording(
        name="S1", subject="S1", action="", split="train", rig="r", fps=30, n_frames=1, views=views
    )  # fmt: skip
    Capture(source="videos", recordings=[recording]).write(folder / "capture")
    ours = cpu_seconds(lambda: extract_frames(folder / "capture", folder / "frames", PARAMS), runs)
    least = cpu_seconds(lambda: least_work(videos, PARAMS), runs)
    return {"extract_over_decode": round(least / ours, 3)}


def time_crops(frames: Path, runs: int) -> dict[str, float]:
    """Cut crops that turn and scale, as augmentation does, from the frames of the first view."""
    view = read_capture(frames).recordings[0].views[0]
    width, height = view.size_px
    rng = np.random.default_rng(1)
    center, sides = rng.uniform(0.3, 0.7, (N_CROPS, 2)) * (width, height), np.full(N_CROPS, height / 2)
    n, nothing = N_CROPS, np.zeros((N_CROPS, N_JOINTS))
    rows = rng.integers(0, read_capture(frames).recordings[0].n_frames, n)
    names = np.full(n, "S1")
    samples = Samples(
        np.full(n, view.file), rows, names, names, center, sides, center, np.full(n, float(width)),
        np.zeros((n, N_JOINTS, 2)), np.zeros((n, N_JOINTS, 3)), nothing,
    )  # fmt: skip

    def cut(cache: CropCache) -> None:
        for row in range(n):
            cache.cut(row, Crop(center[row], sides[row] * 1.1, 0.3))

    cached = CropCache(samples, INPUT_PX, COVERAGE)
    cut(cached)
    per_crop = {
        "crop_ms": cpu_seconds(lambda: cut(cached), runs),
        "read_ms": cpu_seconds(lambda: cut(CropCache(samples, INPUT_PX, COVERAGE)), runs),
    }
    return {key: round(1000 * seconds / n, 3) for key, seconds in per_crop.items()}


def measure_manifest(folder: Path, n_frames: int) -> dict[str, float]:
    """Write a manifest whose recordings have so many frames, and read it in a process of its own."""
    folder.mkdir()
    camera = Camera(np.diag([1000.0, 1000, 1]), np.zeros(4), VIDEO_PX)
    views = [View.of(f"cam{i}", f"S1/cam{i}.jpegs", camera, times=f"S1/cam{i}.times.npy") for i in range(4)]
    own = n_frames // 4
    recordings = [
        Recording(name=f"S{i}", subject=f"S{i}", action="", split="train", rig="r", fps=30, clock_fps=30, n_frames=own,
                  frame_numbers=list(range(own)), views=views) for i in range(4)
    ]  # fmt: skip
    Capture(source="videos", recordings=recordings).write(folder)
    found = subprocess.run(
        [sys.executable, "-m", "bench.frames", "--read", str(folder)], capture_output=True, check=True
    )
    return dict(json.loads(found.stdout))


def _read(folder: Path) -> dict[str, float]:
    seconds = cpu_seconds(lambda: read_capture(folder), 1)
    # Unlike ru_maxrss, the peak in /proc does not include that of the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    return {"manifest_s": round(seconds, 2), "manifest_gib": round(int(peak[1]) / 2**20, 3)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, nargs="+", default=[], help="videos of one recording, one per camera")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read is not None:
        print(json.dumps(_read(arguments.read)))
    else:
        main(arguments.videos, arguments.json)
