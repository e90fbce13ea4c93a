"""The rig of every real set against its reference and against Caliscope's, and what is stated for it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from bench.peers import remote
from bench.trust.runs import Outcome, calibrate_take
from bench.trust.takes.footage import prepared_sets, read_openpose, read_prepared
from bench.trust.takes.take import Take
from bench.trust.verdicts import Errors, errors_of
from pipeline.geometry.align import rig_error
from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import JOINTS

MIN_CONFIDENCE = 0.3  # of the points that Caliscope is given, as in params.yaml
TRIMS = (2.5, 20.0)  # percent of the observations that Caliscope removes: its default, and a better one
# MediaPipe's landmarks by part of the body.
PARTS = {"head": range(11), "arms": range(11, 23)}
PART_JOINTS = {"head": ("neck", "head"), "arms": ("shoulder", "elbow", "wrist")}
HEADER = (
    f"{'real set':<34} {'deg':>6} {'stated':>7} {'ratio':>6} {'worst':>6} {'centre mm':>10} {'stated':>7} {'ratio':>6} "
    f"{'scale %':>8} {'stated':>7} {'ratio':>6}  {'Caliscope deg':>13} {'trimmed':>8}  alerts"
)


@dataclass(frozen=True)
class Compared:
    """The rig of a set with its errors."""

    name: str
    outcome: Outcome
    errors: Errors | None
    peer_deg: list[float]  # of Caliscope, for each of TRIMS; NaN: no rig, or not installed
    own_deg: float  # the same figure of ours: the mean over the views that both have

    @property
    def ratio(self) -> float:
        """Rotation error over its stated standard deviation; NaN without a rig."""
        return float("nan") if self.errors is None else self.errors.rig_deg / self.errors.rig_std_deg

    def __str__(self) -> str:
        """One line of the table."""
        kinds = ", ".join(f"{alert.kind} ({alert.severity})" for alert in self.outcome.alerts)
        peers = f"{self.peer_deg[0]:>13.2f} {self.peer_deg[1]:>8.2f}"
        e = self.errors
        if e is None:
            return f"{self.name:<34} {'refused':<87} {peers}  {(self.outcome.refused or '')[:100]}"
        std = float("nan") if e.scale_std is None else e.scale_std
        return (
            f"{self.name:<34} {e.rig_deg:>6.2f} {e.rig_std_deg:>7.2f} {self.ratio:>6.2f} {e.rig_worst_sigmas:>6.2f} "
            f"{e.center_mm:>10.1f} {e.center_std_mm:>7.1f} {e.center_mm / e.center_std_mm:>6.2f} "
            f"{100 * e.scale:>+8.1f} {100 * std:>7.1f} {abs(e.scale) / std:>6.2f}  {peers}  {kinds or 'none'}"
        )


def real_sets(data: Path, prepared: Path) -> Iterator[tuple[str, Take]]:
    """All real sets of a folder of data, with their reference cameras as truth."""
    names = prepared_sets(prepared)
    single = data / "pose2sim" / "single.npz"
    if "pose2sim" in names:
        yield from _with_fewer_views("pose2sim MediaPipe", read_prepared(prepared, "pose2sim", data))
    if single.exists():
        yield from _with_fewer_views("pose2sim OpenPose", read_openpose(single, single))
    if "static" in names:
        yield "static MediaPipe (11 frames)", read_prepared(prepared, "static", data)
    if (data / "pose2sim" / "static.npz").exists():
        yield "static OpenPose (11 frames)", read_openpose(data / "pose2sim" / "static.npz", single)
    if "webcams" in names:
        take = read_prepared(prepared, "webcams", data)
        yield "webcams", take
        for part in PARTS:
            yield f"webcams, {part} alone", only(take, part)


def _with_fewer_views(name: str, take: Take) -> Iterator[tuple[str, Take]]:
    yield name, take
    for n in (3, 2):
        for views in combinations(range(take.n_views), n):
            yield f"{name}, views {' '.join(str(v + 1) for v in views)}", take.views_taken(list(views))


def only(take: Take, part: str) -> Take:
    """The take with MediaPipe's landmarks of one part of the body; the others were not seen."""
    joints = [any(name.endswith(word) for word in PART_JOINTS[part]) for name in JOINTS]
    marks = np.isin(np.arange(take.arrays["landmarks_px"].shape[2]), PARTS[part])
    return take.with_arrays({
        "confidence": np.where(joints, take.arrays["confidence"], 0.0),
        "landmark_confidence": np.where(marks, take.arrays["landmark_confidence"], 0.0),
    })  # fmt: skip


def compare(name: str, take: Take, cache: Path) -> Compared:
    """Calibrate a set without its extrinsics, and compare the rig with the reference and with Caliscope's."""
    assert take.truth is not None
    outcome = calibrate_take(take, mode="rig")
    errors = None
    if outcome.rig is not None:
        errors = errors_of(outcome, [], take.truth.cameras, "similarity")
    own = float("nan") if outcome.rig is None else _mean_deg(outcome.rig.R, outcome.rig.centers_mm, take.truth.cameras)
    peers = [caliscope_deg(take, trim, cache) for trim in TRIMS]
    return Compared(name, outcome, errors, peers, own)


def caliscope_deg(take: Take, trim: float, cache: Path) -> float:
    """Mean rotation error in degrees of Caliscope's rig from the same points; NaN without one.

    Its rigs are kept in the folder `cache`, as it takes minutes for all sets.
    """
    assert take.truth is not None
    confidence, px = take.arrays["landmark_confidence"], take.arrays["landmarks_px"]
    px = np.where((confidence >= MIN_CONFIDENCE)[..., None], px, np.nan)
    cameras = [view.camera for view in take.recording.views]
    K = np.stack([camera.K for camera in cameras])
    dist = np.stack([np.pad(camera.dist, (0, max(5 - len(camera.dist), 0))) for camera in cameras])
    sizes = np.array([camera.size_px for camera in cameras])
    digest = hashlib.sha256(b"".join(array.tobytes() for array in (px, K, dist, sizes, np.array(trim))))
    file = cache / f"{digest.hexdigest()[:16]}.npz"
    if not file.exists():
        if not remote.available():
            return float("nan")
        R, t, reason = remote.caliscope_rig(px, K, dist, sizes, trim)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, R=R, t=t, reason=reason)
    with np.load(file) as found:
        R, t = found["R"], found["t"]
    return _mean_deg(R, -np.einsum("vji,vj->vi", R, t), take.truth.cameras)


def _mean_deg(R: np.ndarray, centers: np.ndarray, cameras: list[Camera]) -> float:
    true_R = np.stack([camera.R_cam_from_world for camera in cameras])
    return rig_error(R, centers, true_R, np.stack([camera.center_world_mm for camera in cameras]))[0]


def run(data: Path, prepared: Path) -> list[Compared]:
    """Print the table of all real sets."""
    print(f"\n{HEADER}")
    found = []
    for name, take in real_sets(data, prepared):
        found.append(compare(name, take, prepared / "caliscope"))
        print(found[-1], flush=True)
    return found


def summary(found: list[Compared]) -> dict[str, float]:
    """The figures of the table."""
    ratios = np.array([one.ratio for one in found if one.errors is not None])
    both = [one for one in found if np.isfinite(one.peer_deg[0]) and np.isfinite(one.own_deg)]
    if not len(ratios):
        return {}
    figures = {
        "worst_real_error_over_sigma": float(ratios.max()),
        "real_squared_error_over_sigma": float((ratios**2).mean()),
        "real_sets_beyond_2_sigma": int((ratios > 2).sum()),
    }
    if both:
        figures["real_rigs_worse_than_caliscope"] = sum(one.own_deg > min(one.peer_deg) for one in both)
    return figures
