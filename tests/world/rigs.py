"""The calibrated cameras of a world: its own, with known errors."""

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.stores import RIGS, create_store
from tests.world.capture import World
from tests.world.records import RIGS_SUMMARY, rig_record


def write_rigs(
    world: World,
    *,
    rotated_deg: float = 0.0,
    scale: float = 1.0,
    scale_from: str = "bones",
    per_frame: bool = False,
    for_evaluation: bool = False,
    **fields: Any,
) -> None:
    """The true rig, scaled, with its first camera rotated by `rotated_deg` about the vertical.

    With `per_frame` every frame has this rig, except the first half and the middle one, which have none. Views for
    evaluation only have a pose if `for_evaluation`. `fields` are fields of the records.
    """
    R = np.stack([c.R_cam_from_world for c in world.cameras])
    center = scale * np.stack([c.center_world_mm for c in world.cameras])
    R[0] = R[0] @ Rotation.from_rotvec([0, 0, np.radians(rotated_deg)]).as_matrix()
    t = -np.einsum("vij,vj->vi", R, center)
    with create_store(world.paths.rigs, RIGS, RIGS_SUMMARY) as store:
        for recording in world.capture.recordings:
            n = recording.n_frames if per_frame else 1
            mode = "frame" if per_frame else "rig"
            record = rig_record(world.cameras, **{"mode": mode, "scale": scale_from, **fields})
            group = store.create(recording.name, {"rig": n, "view": len(R)}, record)
            is_used = [for_evaluation or not view.evaluation_only for view in recording.views]
            arrays = {name: np.repeat(values[None], n, axis=0) for name, values in _arrays(R, t, is_used).items()}
            for values in arrays.values():
                values[: n // 2 + 1 if per_frame else 0] = np.nan
            group.write(0, arrays)


def _arrays(R: np.ndarray, t: np.ndarray, is_used: list[bool]) -> dict[str, np.ndarray]:
    """The arrays of one rig; the covariance of each centre is largest along the world's x axis."""
    used = np.array(is_used)
    std = np.where(used, 0.1, np.nan)
    return {
        "R_cam_from_world": np.where(used[:, None, None], R, np.nan),
        "t_cam_from_world_mm": np.where(used[:, None], t, np.nan),
        "rotation_std_deg": std, "center_std_mm": 20 * std, "residual_px": 12 * std,
        "center_covariance_mm2": std[:, None, None] * np.diag([30.0, 9.0, 1.0]),
    }  # fmt: skip
