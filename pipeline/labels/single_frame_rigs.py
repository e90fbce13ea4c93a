"""Calibration tasks for frames on their own: one rig per frame, all in one world and one unit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.align import nearest_rotation, rig_similarity
from pipeline.geometry.body.scale import Scale
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.rig import MAX_ROTATION_STD_DEG
from pipeline.geometry.calibration.single_frame.rig_per_frame import MIN_MATCHES, find_rigs
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.labels.moving_rig import fields_of_rigs, noise_of_joints, observe_recording
from pipeline.labels.observations import EXPECTED_NOISE, Observations
from pipeline.labels.people_in_rig import (
    FRAMES_FOR_SCALE,
    People,
    scale_alerts,
    scale_missing,
    scale_of,
    stds_of,
    vertical_of,
)
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused
from pipeline.params.calibrate import CalibrateParams

# Passes of the alternation between the mean rig and the rigs aligned to it.
PASSES_TO_MEAN_RIG = 4
# Above this share of frames in which a view contradicts the others, that is a warning.
MANY_CONTRADICT = 0.1


@dataclass(frozen=True)
class FrameRigs:
    """The rigs of some frames, each calibrated from its own frame, in its own world and all in the person's unit."""

    rigs: list[Rig | None]  # of each frame
    failed: Counter[str]  # number of frames without a rig, by reason
    focal_px: np.ndarray  # (V,)
    noise: float  # of the joints, as a multiple of the expected sigma; NaN without a rig
    sample: np.ndarray  # (n,) indices of some frames with a rig, spread evenly
    people: People | None  # the person in the sample's frames, each in the world of the frame's rig
    n_contradicting: int  # frames in which a view was left out though it shows the person


def rigs_of_frames(recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams) -> FrameRigs:
    """Calibrate each frame of the rows (start, stop) on its own."""
    observed, landmarks = observe_recording(recording, poses2d, rows, params)
    results = find_rigs(observed.points_norm, observed.sigma, *landmarks, seed=params.seed)
    rigs = [None if isinstance(result, str) else result for result in results]
    failed = Counter(result for result in results if isinstance(result, str))
    with_rig = np.array([f for f, rig in enumerate(rigs) if rig is not None], int)
    sample = with_rig[linspace_indices(len(with_rig), FRAMES_FOR_SCALE)]
    noise, people = float("nan"), None
    if len(sample):
        found = [rig for f in sample.tolist() if (rig := rigs[f]) is not None]
        R, t = np.stack([rig.R for rig in found]), np.stack([rig.t for rig in found])
        few = observed.taken(sample)
        noise = noise_of_joints(few, R, t)
        people = People.triangulated(few, R, t, noise)
    return FrameRigs(rigs, failed, observed.focal_px, noise, sample, people, _n_contradicting(observed, rigs))


def _n_contradicting(observed: Observations, rigs: Sequence[Rig | None]) -> int:
    seen = np.isfinite(observed.sigma).sum(1) >= MIN_MATCHES
    return sum(rig is not None and bool((own & ~rig.has_extrinsics).any()) for own, rig in zip(seen, rigs, strict=True))


def joined_frames(
    recording: Recording, parts: Sequence[FrameRigs], params: CalibrateParams
) -> CalibrationResult | Refused:
    """The rigs of all frames of a recording in one world; if no frame has a rig, the most frequent reason."""
    if not parts:
        return refused(recording.name, "it has no frames")
    rigs = [rig for part in parts for rig in part.rigs]
    failed = sum((part.failed for part in parts), Counter[str]())
    if not any(rigs):
        return refused(recording.name, f"no frame could be calibrated: {failed.most_common(1)[0][0]}")
    scales = _scales_of(recording, parts, rigs, params)
    known = [scale is not None and bool(np.isfinite(scale.factor)) for scale in scales]
    n_unscaled = sum(rig is not None for rig in rigs) - sum(known)
    if n_unscaled:
        failed[scale_missing(params)] += n_unscaled
    if not any(known):
        return refused(recording.name, scale_missing(params))
    scaled = [
        rig.scaled(scale.factor) if rig and scale and is_known else None
        for rig, scale, is_known in zip(rigs, scales, known, strict=True)
    ]
    aligned = in_one_world(scaled)
    good = [rig for rig in aligned if rig is not None]
    if len(good) < sum(known):
        failed["it shares fewer than two cameras with the other frames"] += sum(known) - len(good)
    up = vertical_of(recording, [_in_world(parts, rigs, scales, aligned)], good[0], params)
    upright = [rig and rig.in_axes(up.axes, np.zeros(3)) for rig in aligned]
    # The person's proportions make the same error of the scale in all frames.
    scale = Scale(1.0, float(np.median([s.std for s, ok in zip(scales, known, strict=True) if s and ok])))
    noise = float(np.nanmedian([part.noise for part in parts]))
    fields = fields_of_rigs(recording, params, good, failed) | {
        "gravity": up.source, "noise_share": EXPECTED_NOISE * noise, **stds_of(scale, up),
    }  # fmt: skip
    alerts = (
        *scale_alerts(recording.name, scale, params),
        *_alerts(recording.name, good, sum(part.n_contradicting for part in parts)),
    )
    return CalibrationResult(arrays_of(upright, parts[0].focal_px), fields, alerts)


def _scales_of(
    recording: Recording, parts: Sequence[FrameRigs], rigs: Sequence[Rig | None], params: CalibrateParams
) -> list[Scale | None]:
    """The scale of each frame's rig; one for all frames if it is determined from the person, whose unit all have."""
    if params.scale in ("baseline", "none"):
        return [None if rig is None else scale_of([recording], [], rig, params) for rig in rigs]
    people = [part.people for part in parts if part.people is not None]
    joined = People(np.concatenate([p.joints for p in people]), np.concatenate([p.covariance for p in people]))
    first = next(rig for rig in rigs if rig is not None)
    scale = scale_of([recording], [joined], first, params)
    return [None if rig is None else scale for rig in rigs]


def _in_world(
    parts: Sequence[FrameRigs],
    before: Sequence[Rig | None],
    scales: Sequence[Scale | None],
    after: Sequence[Rig | None],
) -> People:
    """The people of the samples after the rigs of their frames were scaled and aligned; their covariance is unknown."""
    joints, start = [np.zeros((0, 17, 3))], 0
    for part in parts:
        for i, f in enumerate((part.sample + start).tolist()):
            old, scale, new = before[f], scales[f], after[f]
            if part.people is not None and old and scale and new:
                view = int(new.has_extrinsics.argmax())
                in_camera = scale.factor * (part.people.joints[i] @ old.R[view].T + old.t[view])
                joints.append(((in_camera - new.t[view]) @ new.R[view])[None])
        start += len(part.rigs)
    moved = np.concatenate(joints)
    return People(moved, np.full((*moved.shape[:2], 6), np.nan))


def in_one_world(rigs: Sequence[Rig | None]) -> list[Rig | None]:
    """Bring the rigs of the frames of a recording into one world; each keeps its own scale.

    The world frame of a rig found from one frame is the frame of one of its cameras. Here each rig is aligned rigidly
    to the mean rig, which has the mean rotation and the mean centre of each camera. The alternation of aligning and
    averaging is generalised Procrustes analysis. A rig that shares fewer than two cameras with the mean rig becomes
    None.
    """
    found = [rig for rig in rigs if rig is not None]
    first = max(found, key=lambda rig: int(rig.has_extrinsics.sum()))
    R, centers = first.R, first.centers
    aligned: list[Rig | None] = list(rigs)
    for _ in range(PASSES_TO_MEAN_RIG):
        aligned = [None if rig is None else _aligned(rig, R, centers) for rig in rigs]
        R, centers = _mean_rig([rig for rig in aligned if rig is not None])
    return aligned


def _aligned(rig: Rig, R: np.ndarray, centers: np.ndarray) -> Rig | None:
    """A rig aligned rigidly to the rig R (V, 3, 3), centers (V, 3); None if they share fewer than two cameras."""
    shared = rig.has_extrinsics & np.isfinite(centers).all(-1)
    if shared.sum() < 2:
        return None
    _, Q, _ = rig_similarity(rig.R, rig.centers, R, centers)
    shift = centers[shared].mean(0) - Q @ rig.centers[shared].mean(0)
    return rig.in_axes(Q.T, -Q.T @ shift)


def _mean_rig(rigs: Sequence[Rig]) -> tuple[np.ndarray, np.ndarray]:
    """The mean rotation (V, 3, 3) and the mean centre (V, 3) of each camera; NaN for a camera that no rig has."""
    R, centers = np.stack([rig.R for rig in rigs]), np.stack([rig.centers for rig in rigs])
    known = np.isfinite(centers).all(-1)
    n, seen = known.sum(0), known.any(0)
    R_mean, center_mean = np.full(R.shape[1:], np.nan), np.full(centers.shape[1:], np.nan)
    R_mean[seen] = nearest_rotation(np.where(known[..., None, None], R, 0).sum(0)[seen])
    center_mean[seen] = np.where(known[..., None], centers, 0).sum(0)[seen] / n[seen, None]
    return R_mean, center_mean


def _alerts(subject: str, rigs: Sequence[Rig], n_contradicting: int) -> list[Alert]:
    """Alerts about frames that determine their cameras poorly, and about views that contradict the others."""
    alerts = []
    std = float(np.median([np.nanmax(rig.rotation_std_deg) for rig in rigs]))
    if std > MAX_ROTATION_STD_DEG:
        alerts.append(Alert(
            kind="poor_rig", severity="warning", subject=subject,
            message="the joints of one frame hardly determine the cameras' directions",
            evidence=f"+-{std:.1f} deg in the median frame",
            mend="Use calibrate.mode rig, or window if the cameras move slowly.",
        ))  # fmt: skip
    if n_contradicting:
        many = n_contradicting > MANY_CONTRADICT * len(rigs)
        alerts.append(Alert(
            kind="contradicting_views", severity="warning" if many else "note", subject=subject,
            message="a view contradicts the other views and has no rig in some frames",
            evidence=f"in {n_contradicting} of {len(rigs)} frames",
            mend="Check there for exchanged sides, another person, or a view that is not synchronised." if many else "",
        ))  # fmt: skip
    return alerts
