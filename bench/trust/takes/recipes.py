"""Recipes: what goes wrong with footage, done to a take that is right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from bench.trust.takes.detector import FACE, FEET, HANDS
from bench.trust.takes.take import Take
from pipeline.capture import View
from pipeline.skeleton import JOINTS, LIMB_JOINTS, MIRROR

POSE_ARRAYS = (("joints_px", "confidence"), ("landmarks_px", "landmark_confidence"))
# The landmarks of MediaPipe on the other side of the body.
MEDIAPIPE_MIRROR = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + (1 if i % 2 else -1) for i in range(11, 33))])


@dataclass(frozen=True)
class Altered:
    """A take that was altered, and which frame of the unaltered one each of its frames shows."""

    take: Take
    rows: np.ndarray  # (F,)
    shifts: tuple[int, ...] = (0,)  # by how many frames the labels may be late, as any view may be the right one


def unaltered(take: Take) -> Altered:
    """The take as it is."""
    return Altered(take, np.arange(take.recording.n_frames))


def late(take: Take, views: Sequence[int], seconds: float) -> Altered:
    """Some views show each moment so much later."""
    n = max(round(seconds * take.recording.fps), 1)
    rows = np.arange(n, take.recording.n_frames)
    taken = take.frames_taken(rows)
    arrays = {name: values.copy() for name, values in taken.arrays.items()}
    for name, values in arrays.items():
        values[:, views] = take.arrays[name][rows - n][:, views]
    return Altered(taken.with_arrays(arrays), rows, (0, n) if 2 * len(views) >= take.n_views else (0,))


def dropped(take: Take, frames: int = 4) -> Altered:
    """Every view lacks a few frames, each at another time, so that all have the same number."""
    kept = dropped_rows(take, frames)
    rows = np.median(kept, axis=1).round().astype(int)
    taken = take.frames_taken(rows)
    arrays = {
        name: np.stack([values[kept[:, v], v] for v in range(take.n_views)], 1) for name, values in take.arrays.items()
    }
    return Altered(taken.with_arrays(arrays), rows, (0, frames, -frames))


def dropped_rows(take: Take, frames: int) -> np.ndarray:
    """The frames (F, V) that are left of each view."""
    n, starts = take.recording.n_frames, take.recording.n_frames * (1 + 2 * np.arange(take.n_views)) // 10
    return np.stack([np.delete(np.arange(n), np.s_[start : start + frames]) for start in starts], 1)


def other_size(take: Take, factor: float = 2.0) -> Altered:
    """The intrinsics are those of images `factor` times as large."""
    views = [
        _changed(view, K=(np.diag([factor, factor, 1]) @ np.array(view.K)).tolist()) for view in take.recording.views
    ]
    return unaltered(take.with_views(views))


def other_unit(take: Take, factor: float) -> Altered:
    """The given translations are in another unit than they are read in."""
    views = [
        _changed(view, t_cam_from_world_mm=[factor * x for x in view.t_cam_from_world_mm or []])
        for view in take.recording.views
    ]
    return unaltered(take.with_views(views))


def exchanged(take: Take, order: Sequence[int]) -> Altered:
    """The videos bear each other's names: view v shows what view order[v] should."""
    return unaltered(take.with_arrays({name: values[:, order] for name, values in take.arrays.items()}))


def mirrored_person(take: Take, views: Sequence[int], span: tuple[float, float] = (0.4, 0.7)) -> Altered:
    """In a part of the recording, some views show a mirrored person beside the person, and the detector takes it."""
    mirrored = _mirrored(take)
    rows = slice(*(round(share * take.recording.n_frames) for share in span))
    arrays = {name: values.copy() for name, values in take.arrays.items()}
    for name, values in arrays.items():
        for v in views:
            values[rows, v] = mirrored[name][rows, v]
    return unaltered(take.with_arrays(arrays))


def _mirrored(take: Take) -> dict[str, np.ndarray]:
    """The detections in mirrored images."""
    width = np.array([view.size_px[0] for view in take.recording.views])
    found = {"box_px": take.arrays["box_px"].copy()}
    found["box_px"][..., [0, 2]] = (width - 1)[:, None] - take.arrays["box_px"][..., [2, 0]]
    for (px, confidence), order in zip(POSE_ARRAYS, (MIRROR, landmark_mirror(take)), strict=True):
        found[px] = take.arrays[px][:, :, order].copy()
        found[px][..., 0] = (width - 1)[:, None] - found[px][..., 0]
        found[confidence] = take.arrays[confidence][:, :, order]
    return found


def landmark_mirror(take: Take) -> np.ndarray:
    """The index of each landmark on the other side of the body, for MediaPipe's and the simulated detector's."""
    n = take.arrays["landmarks_px"].shape[2]
    if n in (0, len(MEDIAPIPE_MIRROR)):
        return MEDIAPIPE_MIRROR[:n]
    names = [JOINTS[j] for j in LIMB_JOINTS] + [*FACE, *FEET] + [f"{side}_{name}" for side in "lr" for name in HANDS]
    other = {"l_": "r_", "r_": "l_"}
    return np.array([names.index(other.get(name[:2], name[:2]) + name[2:]) for name in names])


def swapped_sides(take: Take, view: int, span: tuple[float, float] = (0.35, 0.6)) -> Altered:
    """In a part of the recording the detector exchanges left and right in one view."""
    rows = slice(*(round(share * take.recording.n_frames) for share in span))
    arrays = {name: values.copy() for name, values in take.arrays.items()}
    for names, order in zip(POSE_ARRAYS, (MIRROR, landmark_mirror(take)), strict=True):
        for name in names:
            arrays[name][rows, view] = arrays[name][rows, view][:, order]
    return unaltered(take.with_arrays(arrays))


def same_intrinsics(take: Take, focal_px: float) -> Altered:
    """Intrinsics that were assumed: one focal length for all views, principal points in the middle, no distortion."""
    views = []
    for view in take.recording.views:
        width, height = view.size_px
        K = [[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]]
        views.append(_changed(view, K=K, dist=[], R_cam_from_world=None, t_cam_from_world_mm=None))
    return unaltered(replace(take.with_views(views), intrinsics="assumed"))


def turned(take: Take, view: int, degrees: float) -> Altered:
    """The given rotation of one camera is off, as after someone touched it."""
    views = list(take.recording.views)
    camera = views[view].camera
    R = Rotation.from_rotvec([0, np.radians(degrees), 0]).as_matrix() @ camera.R_cam_from_world
    t = -R @ camera.center_world_mm
    views[view] = _changed(views[view], R_cam_from_world=R.tolist(), t_cam_from_world_mm=t.tolist())
    return unaltered(take.with_views(views))


def limb_seen_once(take: Take, row: int, stretch: float = 1.6) -> Altered:
    """The legs are seen in one frame only, and there they are detected too long."""
    arrays = {name: values.copy() for name, values in take.arrays.items()}
    legs = [j for j, name in enumerate(JOINTS) if name.endswith(("knee", "ankle"))]
    px, confidence = arrays["joints_px"], arrays["confidence"]
    hips = px[row][:, [JOINTS.index(JOINTS[j][:2] + "hip") for j in legs]]
    px[row][:, legs] = hips + stretch * (px[row][:, legs] - hips)
    confidence[row][:, legs] = 0.9
    others = np.arange(len(px)) != row
    confidence[np.ix_(others, np.arange(px.shape[1]), legs)] = 0.0
    lower = np.array([i for i, j in enumerate(LIMB_JOINTS) if j in legs])
    if arrays["landmarks_px"].shape[2] != len(MEDIAPIPE_MIRROR):
        arrays["landmark_confidence"][:, :, lower] = 0.0
    return unaltered(take.with_arrays(arrays))


def guessed_outside(take: Take, seed: int, size: float = 0.2) -> Altered:
    """Points outside the image are where the detector guesses them: off by `size` of the box, with a low confidence."""
    rng, changed = np.random.default_rng([seed, 15]), {}
    sizes = np.array([view.size_px for view in take.recording.views])[None, :, None]
    height = (take.arrays["box_px"][..., 3] - take.arrays["box_px"][..., 1])[..., None, None]
    for name, score in POSE_ARRAYS:
        px, confidence = take.arrays[name], take.arrays[score]
        outside = ((px < 0) | (px > sizes - 1)).any(-1)
        wrong = px + size * height * rng.normal(size=(1, *px.shape[1:]))
        changed[name] = np.where(outside[..., None], wrong, px)
        changed[score] = np.where(outside, np.minimum(confidence, rng.uniform(0.1, 0.6, confidence.shape)), confidence)
    return unaltered(take.with_arrays(changed))


def cut_below(take: Take, share: float) -> Altered:
    """The images end above `share` of the median person's height; points below are guessed (see `guessed_outside`)."""
    views = []
    for v, view in enumerate(take.recording.views):
        box = np.nanmedian(take.arrays["box_px"][:, v], axis=0)
        height = round(float(box[1] + share * (box[3] - box[1])))
        views.append(_changed(view, size_px=(view.size_px[0], height)))
    return guessed_outside(take.with_views(views), seed=0)


def _changed(view: View, **fields: object) -> View:
    return view.model_copy(update=fields)
