"""A recording of two small cameras that see a person, and the person's true joints."""

from pathlib import Path

import numpy as np

from pipeline.capture import Capture
from pipeline.datasets.videos import read_videos
from pipeline.formats.calibration import FORMATS
from pipeline.geometry.camera.model import Camera
from pipeline.stores import TRUTH, TruthStore, open_store
from tests.datasets.footage import TRUTH as NO_TRUTH
from tests.datasets.footage import params, write_video
from tests.world.cameras import looking_at
from tests.world.people import moving

N_FRAMES, FPS = 20, 25.0
TIMES_S = np.arange(0, N_FRAMES / FPS, 0.01)  # of the truth, at 100 Hz
JOINTS = moving(TIMES_S, 3)


def cameras(*, extrinsics: bool = True) -> dict[str, Camera]:
    """Two cameras of 96 x 64 pixels, 5 m from the person."""
    R, t = looking_at(np.array([[5000.0, 0, 1200], [0, 5000.0, 1200]]), np.array([0, 0, 950.0]))
    K = np.array([[70.0, 0, 47.5], [0, 70, 31.5], [0, 0, 1]])
    found = {f"cam{v + 1}": Camera(K, np.zeros(4), (96, 64), R[v], t[v]) for v in range(2)}
    return found if extrinsics else {name: one.with_extrinsics(None, None) for name, one in found.items()}


def footage(folder: Path, takes: tuple[str, ...] = ("S1_walk",), *, extrinsics: bool = True) -> Path:
    root = folder / "footage"
    for take in takes:
        for camera in cameras():
            write_video(root / take / f"{camera}.mp4", N_FRAMES, FPS)
    FORMATS["epiline"].write(root / "calibration.toml", cameras(extrinsics=extrinsics), "")
    return root


def write_npz(root: Path, joints: np.ndarray = JOINTS, take: str = "S1_walk", **arrays: object) -> None:
    np.savez(root / take / "truth.npz", **{"joints": joints, "time_s": TIMES_S, **arrays})


def read(root: Path, coordinates: str = "world", **changes: object) -> tuple[Capture, TruthStore | None]:
    target = root.parent / "capture"
    target.mkdir(exist_ok=True)
    truth = NO_TRUTH.model_copy(update={"coordinates": coordinates, **changes})
    read_videos(params(truth=truth), root, target)
    path = target / "truth.zarr"
    capture = Capture.model_validate_json((target / "manifest.json").read_text())
    return capture, open_store(path, TRUTH) if path.exists() else None
