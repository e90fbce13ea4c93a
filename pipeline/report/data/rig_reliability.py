"""Whether the stated uncertainty of rigs and of their scale holds: differences from the given extrinsics."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.geometry.align import rig_similarity, rotation_angle
from pipeline.stores import RecordingGroup, RigRecord, RigStore


@dataclass(frozen=True)
class RigReliability:
    """A quantity of a rig: its stated standard deviation, and its difference from the given extrinsics."""

    rig: str  # the recording, or the rig that several recordings share
    quantity: str  # rotation, centre or scale
    unit: str
    stated: float
    found: float

    @property
    def ratio(self) -> float:
        """What is found over what is stated; NaN if nothing is stated."""
        return self.found / self.stated if self.stated > 0 else float("nan")


@dataclass(frozen=True)
class StatedRig:
    """The largest standard deviations that any rig states; NaN where none does."""

    rotation_deg: float  # root mean square over the cameras; the median over frames, where each has a rig
    center_mm: float
    scale_percent: float
    is_given: bool  # whether the cameras are used as given, so that nothing is stated

    @classmethod
    def of(cls, rigs: RigStore) -> "StatedRig":
        """What the rigs of a capture state."""
        records = [rigs[name].record for name in rigs]
        rotation, center = (
            float(np.fmax.reduce([_median_of_frames(rigs[name][array]) for name in rigs], initial=np.nan))
            for array in ("rotation_std_deg", "center_std_mm")
        )
        scale = max((100 * record.scale_std for record in records if record.scale_std is not None), default=np.nan)
        return cls(rotation, center, scale, is_given=any(record.mode == "known" for record in records))


def _median_of_frames(stds: np.ndarray) -> float:
    """The median over the rigs of the root mean square over the views (rig, view); NaN without any."""
    known = stds[np.isfinite(stds).any(-1)]
    return float(np.median(np.sqrt(np.nanmean(known**2, axis=-1)))) if len(known) else float("nan")


def rig_reliability(capture: Capture, rigs: RigStore) -> list[RigReliability]:
    """Each quantity of every static self-calibrated rig whose cameras came with extrinsics, taken as true, in mm.

    Rotations and centres are root mean squares over the cameras, after a similarity alignment of the two rigs.
    """
    pools: dict[str, Recording] = {}
    for recording in capture.recordings:
        if recording.name in rigs:
            record = rigs[recording.name].record
            if record.mode == "rig":
                n = len(record.pool)
                pools.setdefault(f"rig {recording.rig} ({n} recordings)" if n > 1 else recording.name, recording)
    return [one for name, recording in pools.items() for one in _quantities(name, recording, rigs[recording.name])]


def _quantities(name: str, recording: Recording, rig: RecordingGroup[RigRecord]) -> Iterator[RigReliability]:
    views = [v for v in recording.view_indices(for_labels=True) if recording.views[v].camera.has_extrinsics]
    R, t = rig["R_cam_from_world"][0, views], rig["t_cam_from_world_mm"][0, views]
    known = np.isfinite(t).all(-1)
    if known.sum() < 2:
        return
    cameras = [recording.views[v].camera for v in views]
    R_given = np.stack([camera.R_cam_from_world for camera in cameras if camera.R_cam_from_world is not None])
    centers_given = np.stack([camera.center_world_mm for camera in cameras])
    centers = -np.einsum("vji,vj->vi", R, t)
    scale, Q, shift = rig_similarity(R, centers, R_given, centers_given)
    off_deg = np.degrees(rotation_angle(R[known] @ Q.T @ np.swapaxes(R_given[known], -1, -2)))
    off_mm = np.linalg.norm(scale * centers[known] @ Q.T + shift - centers_given[known], axis=-1)
    stated_deg, stated_mm = (rig[array][0, views][known] for array in ("rotation_std_deg", "center_std_mm"))
    yield RigReliability(name, "rotation", "°", _rms(stated_deg), _rms(off_deg))
    yield RigReliability(name, "centre", "mm", scale * _rms(stated_mm), _rms(off_mm))
    if rig.record.scale_std is not None:
        yield RigReliability(name, "scale", "%", 100 * rig.record.scale_std, 100 * abs(1 / scale - 1))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
