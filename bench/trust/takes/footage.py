"""Real footage with a reference: prepared by the pipeline's own stages once, then read as takes.

The folder of data holds, as far as they are there, `pose2sim` (Pose2Sim's demo: `raw/single/videos`,
`raw/static/videos`, `raw/calibration/Calib.qca.txt`, and the detections and adjusted cameras of `single.npz` and
`static.npz`), `webcams` (`port_*.mp4`, `calibration.toml`) and `people` (`cam*.mp4`, `Calib.qca.txt`).
"""

import importlib.util
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.geometry.detections import NAMES
from bench.trust.runs import PARAMS, quiet
from bench.trust.takes.detector import box_of
from bench.trust.takes.take import Take, Truth, read_take
from pipeline.capture import Recording, View
from pipeline.datasets.videos import read_videos
from pipeline.geometry.camera.model import Camera
from pipeline.labels.detect import detect_capture
from pipeline.skeleton import JOINTS
from pipeline.video.extraction import extract_frames

log = logging.getLogger("epiline")
MM_PER_M = 1000.0
# The footage of each set: the folder of its videos, the file of its calibration, and the name of its take.
FOOTAGE = {
    "pose2sim": ("pose2sim/raw/single/videos", "pose2sim/raw/calibration/Calib.qca.txt", "S1_balance"),
    "static": ("pose2sim/raw/static/videos", "pose2sim/raw/calibration/Calib.qca.txt", "S1_static"),
    "webcams": ("webcams", "webcams/calibration.toml", "S1_sit"),
    "people": ("people", "people/Calib.qca.txt", "P1_board"),
}


def prepare(data: Path, prepared: Path) -> list[str]:
    """Run the stages up to detect, with MediaPipe, on the sets that were not prepared; return all that are."""
    for name, (videos, calibration, take) in FOOTAGE.items():
        if (prepared / name / "data" / "poses2d.zarr").exists() or not (data / videos).is_dir():
            continue
        if importlib.util.find_spec("mediapipe") is None:
            print(f"{name} is skipped: pip install '.[mediapipe]' brings the detector that it is prepared with.")
            continue
        footage = prepared / name / "footage"
        (footage / take).mkdir(parents=True, exist_ok=True)
        _link(footage / Path(calibration).name, data / calibration)
        for video in sorted((data / videos).glob("*.mp4")):
            _link(footage / take / video.name, video)
        detect_footage(footage, prepared / name / "data")
    return prepared_sets(prepared)


def prepared_sets(prepared: Path) -> list[str]:
    """The sets that are prepared in a folder."""
    return [name for name in FOOTAGE if (prepared / name / "data" / "poses2d.zarr").exists()]


def detect_footage(footage: Path, data: Path) -> None:
    """The stages capture, frames and detect, with MediaPipe."""
    (data / "capture").mkdir(parents=True, exist_ok=True)
    capture = PARAMS.capture.model_copy(update={"source": "videos", "root": str(footage), "test_subjects": []})
    with quiet():
        read_videos(capture, footage.resolve(), data / "capture")
        extract_frames(data / "capture", data / "frames", PARAMS.frames)
        detector = PARAMS.detect.model_copy(update={"detector": "mediapipe"})
        detect_capture(data / "frames", Path("none"), data / "poses2d.zarr", detector)


def _link(path: Path, target: Path) -> None:
    if not path.exists():
        path.symlink_to(target.resolve())


def read_prepared(prepared: Path, name: str, data: Path) -> Take:
    """A prepared set; its truth are the given cameras, or the adjusted ones where there are any."""
    take = read_take(prepared / name / "data")
    file = data / "pose2sim" / "single.npz"
    if name in ("pose2sim", "static") and file.exists():
        take = replace(take, truth=Truth(None, _adjusted(file, take)))
    return take


def _adjusted(file: Path, take: Take) -> list[Camera]:
    """The calibration of Pose2Sim's demo adjusted to the people, with the intrinsics of the take."""
    with np.load(file) as arrays:
        R, t = arrays["R_ba"], MM_PER_M * arrays["t_ba"]
    cameras = [view.camera for view in take.recording.views]
    return [camera.with_extrinsics(*pose) for camera, *pose in zip(cameras, R, t, strict=True)]


def read_openpose(file: Path, adjusted: Path) -> Take:
    """Pose2Sim's detections by OpenPose, of one recording of four views."""
    with np.load(file) as arrays:
        data = dict(arrays)
    with np.load(adjusted) as arrays:
        R_ba, t_ba = arrays["R_ba"], MM_PER_M * arrays["t_ba"]
    sizes = [(int(width), int(height)) for width, height in data["image_wh"]]
    cameras = [
        Camera(K, dist, size, R, MM_PER_M * t)
        for K, dist, size, R, t in zip(data["K"], data["dist"], sizes, data["R"], data["t"], strict=True)
    ]
    views = [View.of(f"cam{v + 1:02}", "none", camera) for v, camera in enumerate(cameras)]
    px, confidence = data["kpts2d"].astype(float), data["conf"].astype(float)
    px = np.where(confidence[..., None] > 0, px, np.nan)
    names = data["joint_names"].tolist()
    columns = np.array([names.index(NAMES[joint]) if joint in NAMES else -1 for joint in JOINTS])
    known = columns >= 0
    recording = Recording(
        name="S1_balance", subject="S1", action="balance", split="train", rig="A", fps=float(data["fps"]),
        n_frames=len(px), views=views,
    )  # fmt: skip
    found = {
        "joints_px": np.where(known[:, None], px[:, :, columns], np.nan),
        "confidence": np.where(known, confidence[:, :, columns], 0.0), "box_px": box_of(px), "landmarks_px": px,
        "landmark_confidence": confidence,
    }  # fmt: skip
    truth = [camera.with_extrinsics(*pose) for camera, *pose in zip(cameras, R_ba, t_ba, strict=True)]
    return Take(recording, found, Truth(None, truth))
