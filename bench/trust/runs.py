"""Runs the stages calibrate and triangulate on a take and reads what they say."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.trust.takes.take import Take
from pipeline.alerts import Alert, worst_first
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.file import Params, read_params
from pipeline.stores import LABELS, RIGS, RigRecord, open_store

PARAMS: Params = read_params(Path(__file__).parents[2] / "params.yaml")


@dataclass(frozen=True)
class FoundRig:
    """A calibrated static rig; NaN for views that it leaves out."""

    R: np.ndarray  # (V, 3, 3) camera from world
    centers_mm: np.ndarray  # (V, 3)
    rotation_std_deg: np.ndarray  # (V,)
    center_std_mm: np.ndarray  # (V,)
    record: RigRecord

    @property
    def scale_std(self) -> float | None:
        """Relative standard deviation of the scale, if it is stated."""
        return getattr(self.record, "scale_std", None)

    @property
    def cameras(self) -> list[Camera]:
        """The cameras with the extrinsics found."""
        t = -np.einsum("vij,vj->vi", self.R, self.centers_mm)
        return [camera.with_extrinsics(*pose) for camera, *pose in zip(self.record.intrinsics, self.R, t, strict=True)]


@dataclass(frozen=True)
class Outcome:
    """What the stages made of a take and said about it."""

    refused: str | None  # the reason
    alerts: list[Alert]
    rig: FoundRig | None = None
    joints_world_mm: np.ndarray | None = None  # (F, J, 3); NaN: rejected
    uncertainty_mm: np.ndarray | None = None  # (F, J)

    @property
    def warnings(self) -> list[Alert]:
        """The alerts that say that something may be wrong."""
        return [alert for alert in self.alerts if alert.severity in ("error", "warning")]


def run_take(take: Take, **calibrate: object) -> Outcome:
    """Calibrate and label a take; `calibrate` are parameters of the stage calibrate."""
    with tempfile.TemporaryDirectory() as folder:
        return run_stages(*take.write(Path(folder)), Path(folder), **calibrate)


def run_stages(frames: Path, poses2d: Path, folder: Path, **calibrate: object) -> Outcome:
    """Run the two stages on prepared data; their stores are written into `folder`."""
    rigs, labels = folder / "rigs.zarr", folder / "labels.zarr"
    alerts: list[Alert] = []
    with quiet():
        try:
            calibrate_capture(frames, poses2d, rigs, PARAMS.calibrate.model_copy(update=calibrate))
            alerts += open_store(rigs, RIGS).summary.alerts
            triangulate_capture(frames, poses2d, rigs, labels, PARAMS.triangulate)
        except UserError as error:
            return Outcome(str(error), worst_first(alerts))
    store = open_store(labels, LABELS)
    alerts += [*store.summary.rigs.detections.alerts, *store.summary.alerts]
    [name] = list(store)
    group = store[name].person(0)
    return Outcome(
        None, worst_first(alerts), found_rig(rigs, name),
        np.asarray(group["joints_world_mm"], float), np.asarray(group["uncertainty_mm"], float),
    )  # fmt: skip


def calibrate_take(take: Take, **calibrate: object) -> Outcome:
    """Calibrate a take only."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        frames, poses2d = take.write(Path(folder))
        rigs = Path(folder) / "rigs.zarr"
        try:
            calibrate_capture(frames, poses2d, rigs, PARAMS.calibrate.model_copy(update=calibrate))
        except UserError as error:
            return Outcome(str(error), [])
        return Outcome(None, list(open_store(rigs, RIGS).summary.alerts), found_rig(rigs, take.recording.name))


def found_rig(rigs: Path, recording: str) -> FoundRig | None:
    """The rig of a recording; None if its cameras move."""
    group = open_store(rigs, RIGS)[recording]
    if group.record.moving or len(group["t_cam_from_world_mm"]) != 1:
        return None
    R, t = (np.asarray(group[name][0], float) for name in ("R_cam_from_world", "t_cam_from_world_mm"))
    std, center_std = (np.asarray(group[name][0], float) for name in ("rotation_std_deg", "center_std_mm"))
    return FoundRig(R, -np.einsum("vji,vj->vi", R, t), std, center_std, group.record)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the stages' log and progress, and without warnings of libraries."""
    log = logging.getLogger("epiline")
    level, propagate = log.level, log.propagate
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
        log.propagate = propagate
