"""The section on the cameras as they were found."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.geometry.camera.model import Camera
from pipeline.report.data.evaluate import Figures, recording_rig_error
from pipeline.report.data.report_data import ReportData
from pipeline.report.page.blocks import Block, Section, Table, View3D, number
from pipeline.report.page.epipolar import epipolar_view
from pipeline.report.page.scenes import PlacedCamera, rig_scene
from pipeline.stores import RIGS, RecordingGroup, Store

PEOPLE_IN_RIG = 6
# Cameras that turned further than this are worth a word.
NOTICED_DEG = 1.0


def rig_section(report_data: ReportData, rigs: Store, figures: Figures) -> Section:
    """Where the cameras were found to stand, how sure that is, and the epipolar lines it makes."""
    recording = next((r for r in report_data.capture.recordings if r.name in rigs), None)
    if recording is None:
        return Section("rig", "Rig", "")
    group = rigs[recording.name]
    usable = np.flatnonzero(np.isfinite(group["t_cam_from_world_mm"]).all(-1).sum(-1) >= 2)
    row = int(usable[len(usable) // 2]) if len(usable) else 0  # in frame mode, the middle one of those found
    blocks = _pictures(report_data, recording, {array.name: group[array.name][row] for array in RIGS.arrays})
    blocks.append(_rig_table(report_data, rigs))
    lead = _lead(recording, group.n_rows, figures) + moved({name: rigs[name].attrs for name in rigs})
    return Section("rig", "Rig", lead, blocks)


def moved(abouts: Mapping[str, Mapping[str, Any]]) -> str:
    """A warning of the recording whose cameras turned furthest, by what the store of rigs says of each; or nothing."""
    turns = {name: metadata.get("moved_deg") or 0.0 for name, metadata in abouts.items()}
    name = max(turns, key=lambda name: turns[name], default="")
    if not name or turns[name] <= NOTICED_DEG:
        return ""
    far = f"{number(turns[name], 2)}°"
    if abouts[name]["mode"] == "adjust":
        return f" Warning: adjusted to the people of {name}, a camera turned by {far} from the extrinsics given."
    if abouts[name]["mode"] == "rig":
        where = f"between the first and the second half of {', '.join(abouts[name]['pool'])}"
        return f" Warning: a camera turned by {far} {where}; see calibrate.mode."
    return f" Warning: a camera turned by {far} during {name}."


def _lead(recording: Recording, n_rigs: int, figures: Figures) -> str:
    lead = f"The cameras of {recording.name}"
    lead += f", one of {n_rigs} rigs found frame by frame." if n_rigs > 1 else "."
    if figures:
        return (
            f"{lead} Against the rig the footage came with, after a similarity alignment, they are off by"
            f" {number(figures['rotation_deg'], 2)}° and {number(figures['centre_mm'])} mm on average."
        )
    return f"{lead} The footage came without extrinsics, so what they are off by is not known: see their residuals."


def _pictures(report_data: ReportData, recording: Recording, rig: dict[str, np.ndarray]) -> list[Block]:
    """The rig in 3D, the epipolar lines of a moment, and what is known of each camera."""
    R, t, covariance = rig["R_cam_from_world"], rig["t_cam_from_world_mm"], rig["center_covariance_mm2"]
    centers = -np.einsum("vji,vj->vi", R, t)
    views = [v for v in recording.view_indices(for_labels=True) if np.isfinite(centers[v]).all()]
    if len(views) < 2:
        return []
    found = [PlacedCamera(recording.views[v].name, R[v], centers[v], covariance[v]) for v in views]
    known = [(recording.views[v].name, recording.views[v].camera) for v in views]
    true = [
        PlacedCamera(name, camera.R_cam_from_world, camera.center_world_mm)
        for name, camera in known
        if camera.R_cam_from_world is not None
    ]
    scene, enlarged = rig_scene(_some_poses(report_data, recording.name, R, t), found, true if len(true) > 1 else [])
    note = "Drag to turn. The skeletons are labels of a few moments."
    if enlarged:
        note += f" Ellipsoids: two standard deviations of the cameras' centres, drawn {enlarged:,} times as large."
    seen = [s for s in report_data.seen if s.recording.name == recording.name and s.v in views]
    lines = epipolar_view(seen, R, t)
    shown: list[Block] = [View3D("Cameras and people", scene, note)]
    return [*shown, *([lines] if lines else []), _camera_table(report_data.capture, recording, rig, views)]


def _some_poses(report_data: ReportData, name: str, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A few labels spread over a recording, in the world of its rig."""
    seen = next(s for s in report_data.seen if s.recording.name == name and np.isfinite(t[s.v]).all())
    complete = np.flatnonzero(np.isfinite(seen.label_cam_mm).all((1, 2)))
    chosen = complete[np.linspace(0, len(complete) - 1, min(PEOPLE_IN_RIG, len(complete))).astype(int)]
    return (seen.label_cam_mm[chosen] - t[seen.v]) @ R[seen.v]


def _camera_table(capture: Capture, recording: Recording, rig: dict[str, np.ndarray], views: list[int]) -> Table:
    """What is known of each camera of the rig shown."""
    rows = [
        (
            recording.views[v].name, *_intrinsics(recording.views[v].camera), number(rig["residual_px"][v], 2),
            number(rig["rotation_std_deg"][v], 2), number(rig["center_std_mm"][v]),
        )
        for v in views
    ]  # fmt: skip
    head = (
        "camera", "focal length, px", "principal point, px", "lens",
        "residual, px", "rotation s.d., °", "centre s.d., mm",
    )  # fmt: skip
    origin = {
        "given": "Principal point and lens are as given",
        "assumed": "No intrinsics were given: the principal point is taken to be in the middle, and no distortion",
    }
    note = f"{origin[capture.intrinsics]}. Standard deviations come from the adjustment."
    return Table(f"The cameras of {recording.name}", head, rows, note)


def _intrinsics(camera: Camera) -> tuple[str, str, str]:
    (fx, _, cx), (_, fy, cy), _ = camera.K
    focal = number(fx) if np.isclose(fx, fy, rtol=1e-3) else f"{number(fx)} / {number(fy)}"
    lens = "fisheye" if camera.fisheye else f"{np.count_nonzero(camera.dist)} coefficients"
    return focal, f"{number(cx)}, {number(cy)}", lens if camera.dist.any() or camera.fisheye else "pinhole"


def _rig_table(report_data: ReportData, rigs: Store) -> Table:
    """One line for each rig; recordings whose cameras were found together share it."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for recording in report_data.capture.recordings:
        if recording.name not in rigs:
            why = rigs.attrs.get("rejected", {}).get(recording.name, "not calibrated")
            lines.setdefault((recording.rig, why, *["–"] * 6), []).append(recording.name)
            continue
        group = rigs[recording.name]
        medians = [_median(group[name]) for name in ("residual_px", "rotation_std_deg", "center_std_mm")]
        errors = recording_rig_error(report_data.capture, rigs, recording.name)
        off = f"{number(errors[0], 2)}° / {number(errors[1])} mm" if np.isfinite(errors).all() else "not known"
        scale = str(group.attrs.get("scale", "–"))
        line = (recording.rig, *(number(x, 2) for x in medians), _epipolar(group), _focal(group), scale, off)
        lines.setdefault(line, []).append(recording.name)
    rows = [(line[0], ", ".join(names), *line[1:]) for line, names in lines.items()]
    head = (
        "rig", "recordings", "residual, px", "rotation s.d., °", "centre s.d., mm", "epipolar error, px",
        "focal length", "scale", "off the given rig",
    )  # fmt: skip
    note = (
        "Medians over cameras (and frames, where each has a rig of its own). Epipolar error: how far a joint lies from"
        " its line, before and after adjustment. Scale: what fixed it."
    )
    return Table("By rig", head, rows, note)


def _epipolar(rig: RecordingGroup) -> str:
    before, after = (_median(rig[name]) for name in ("epipolar_start_px", "epipolar_px"))
    return f"{number(before, 2)} → {number(after, 2)}"


def _focal(rig: RecordingGroup) -> str:
    factor, std = rig.attrs.get("focal_scale", 1.0), rig.attrs.get("focal_std", 0.0)
    return "as given" if std == 0 else f"× {number(factor, 3)} ± {number(100 * std)} %"


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
