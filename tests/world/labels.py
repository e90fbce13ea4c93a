"""The labels of a world: its true joints, exact or with known errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.geometry.triangulation.labelling import Status, ViewStatus
from pipeline.skeleton import joint
from pipeline.stores import LABELS, LabelRecord, LabelStore, RecordingGroup, create_store, reopen
from tests.world.capture import World
from tests.world.records import label_record, labels_summary


def write_exact_labels(world: World) -> None:
    """The truth as labels of all views, those for evaluation included, 10 mm uncertain."""
    with create_store(world.paths.labels, LABELS, labels_summary(method="exact")) as store:
        for name, joints in world.joints_world_mm.items():
            _write(store, world, name, joints, list(range(len(world.cameras))), uncertainty_mm=10.0)


def write_labels(
    world: World,
    scale: float = 1.0,
    scale_from: str = "bones",
    wrist_mm: float = 17.0,
    path: Path | None = None,
    alerts: Sequence[Alert] = (),
) -> None:
    """Labels with errors: the truth times `scale`, the left wrist `wrist_mm` too high; frame 5 has no head.

    In the first view the left wrist of frame 7 is swapped with the right one, and that of frame 8 is an outlier.
    Views for evaluation only have no labels.
    """
    wrist, head = joint("l_wrist"), joint("head")
    with create_store(path or world.paths.labels, LABELS, labels_summary(alerts=list(alerts))) as store:
        for recording in world.capture.recordings:
            joints = world.joints_world_mm[recording.name].copy()
            joints[:, wrist, 2] += wrist_mm
            joints[5, head] = np.nan
            views = recording.view_indices(for_labels=True)
            group = _write(store, world, recording.name, joints, views, scale=scale, scale_from=scale_from)
            view_status = group["view_status"]
            view_status[7, views[0], wrist] = ViewStatus.SWAPPED
            view_status[8, views[0], wrist] = ViewStatus.OUTLIER
            group.write(0, {"view_status": view_status})


def _write(
    store: LabelStore,
    world: World,
    name: str,
    joints: np.ndarray,
    views: list[int],
    *,
    scale: float = 1.0,
    scale_from: str = "bones",
    uncertainty_mm: float = 8.0,
) -> RecordingGroup[LabelRecord]:
    """Joints (F, J, 3) as labels of a recording that all of `views` made; missing ones had too few views."""
    n_views = len(world.cameras)
    is_known = np.isfinite(joints[..., 0])
    cam = np.full((len(joints), n_views, *joints.shape[1:]), np.nan)
    view_status = np.full(cam.shape[:3], ViewStatus.NO_POSE, np.uint8)
    for v in views:
        cam[:, v] = scale * world.cameras[v].to_camera(joints)
        view_status[:, v] = ViewStatus.USED
    (subject,) = [recording.subject for recording in world.capture.recordings if recording.name == name]
    record = label_record(subject, world.cameras, scale=scale_from)
    group = store.create(name, {"frame": len(joints), "view": n_views}, record).person(0)
    group.write(0, {
        "joints_world_mm": scale * joints, "joints_cam_mm": cam, "view_status": view_status,
        "status": np.where(is_known, Status.VALID, Status.TOO_FEW_VIEWS).astype(np.uint8),
        "uncertainty_mm": np.where(is_known, uncertainty_mm, np.nan),
    })  # fmt: skip
    return group


def set_uncertainty(world: World, *, joint: int, uncertainty_mm: float) -> None:
    """Give all labels of a joint this uncertainty."""
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        group = labels[name].person(0)
        uncertainty = group["uncertainty_mm"]
        uncertainty[:, joint] = uncertainty_mm
        group.write(0, {"uncertainty_mm": uncertainty})
