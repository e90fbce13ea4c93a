"""The section on the calibrated cameras."""

from collections.abc import Sequence

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Capture, Recording
from pipeline.geometry.camera.model import Camera
from pipeline.report.data.evaluate import Figures, recording_rig_error
from pipeline.report.data.report_data import ReportData
from pipeline.report.data.rig_reliability import rig_reliability
from pipeline.report.page.blocks import Block, Chart, Section, Table, View3D, number
from pipeline.report.page.charts import heat_map
from pipeline.report.page.epipolar import epipolar_view
from pipeline.report.page.scenes import PlacedCamera, rig_scene
from pipeline.report.page.theme import joint_title
from pipeline.stores import RIGS, RecordingGroup, RigRecord, RigStore

PEOPLE_IN_RIG = 6
NEARLY_ALL = 0.9  # share of the most joints that any pose has, which the shown poses have
MAX_PAIRS, MAX_ROWS = 15, 30  # pairs of views that are listed, and views whose residuals are shown
STRONGEST = 5.0  # the strongest colour of a residual, in medians of all residuals; larger ones have it too


def rig_section(data: ReportData, rigs: RigStore, figures: Figures, alerts: Sequence[Alert] = ()) -> Section:
    """Positions and uncertainties of the calibrated cameras, and the epipolar lines of one frame."""
    recording = next((r for r in data.capture.recordings if r.name in rigs), None)
    if recording is None:
        return Section("rig", "Rig", "")
    group = rigs[recording.name]
    usable = np.flatnonzero(np.isfinite(group["t_cam_from_world_mm"]).all(-1).sum(-1) >= 2)
    row = int(usable[len(usable) // 2]) if len(usable) else 0  # with a rig per frame, the middle one of the rigs found
    arrays = {array.name: group[array.name][row] for array in RIGS.arrays}
    blocks = _images(data, recording, group.record, arrays)
    blocks += [_rig_table(data, rigs), *_left_out_table(data, rigs, alerts), *_reliability_table(data, rigs)]
    records = _one_per_pool(rigs)
    blocks += [*_pair_table(records), *_residual_map(records)]
    lead = _lead(recording, group.record, group.n_rows, figures)
    return Section("rig", "Rig", lead, blocks)


def _lead(recording: Recording, record: RigRecord, n_rigs: int, figures: Figures) -> str:
    lead = f"The cameras of {recording.name}"
    lead += f", one of {n_rigs} rigs found frame by frame." if n_rigs > 1 else "."
    if figures:
        return (
            f"{lead} Compared with the extrinsics given with the footage, after a similarity alignment, their mean"
            f" errors are {number(figures['rotation_deg'], 2)}° and {number(figures['centre_mm'])} mm."
        )
    if record.mode == "known":
        return f"{lead} They are used as given, so their errors are not known; see the residuals."
    return f"{lead} The footage came without extrinsics, so the errors of the cameras are not known; see the residuals."


def _images(data: ReportData, recording: Recording, record: RigRecord, rig: dict[str, np.ndarray]) -> list[Block]:
    """The rig in 3D, the epipolar lines of a frame, and a table of the cameras."""
    R, t, covariance = rig["R_cam_from_world"], rig["t_cam_from_world_mm"], rig["center_covariance_mm2"]
    centers = -np.einsum("vji,vj->vi", R, t)
    indices = [v for v in recording.view_indices(for_labels=True) if np.isfinite(centers[v]).all()]
    if len(indices) < 2:
        return []
    found = [PlacedCamera(recording.views[v].name, R[v], centers[v], covariance[v]) for v in indices]
    given = [
        PlacedCamera(recording.views[v].name, camera.R_cam_from_world, camera.center_world_mm)
        for v in indices
        if (camera := recording.views[v].camera).R_cam_from_world is not None and record.mode != "known"
    ]
    scene, magnification = rig_scene(_some_labels(data, recording.name, R, t), found, given if len(given) > 1 else [])
    note = "Drag to rotate. The skeletons are labels of a few moments."
    if magnification:
        note += f" Ellipsoids: two standard deviations of the camera centres, magnified {magnification:,} times."
    lines = epipolar_view([view for view in data.of_recording(recording.name) if view.index in indices], R, t)
    blocks: list[Block] = [View3D("Cameras and people", scene, note)]
    return [*blocks, *([lines] if lines else []), _camera_table(data.capture, record, rig, indices)]


def _some_labels(data: ReportData, name: str, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A few labels (pose, joint, 3) spread over a recording, in the world of its rig."""
    view = next(view for view in data.of_recording(name) if np.isfinite(t[view.index]).all())
    n_joints = np.isfinite(view.label_cam_mm).all(-1).sum(-1)
    best = np.flatnonzero((n_joints > 0) & (n_joints >= NEARLY_ALL * n_joints.max(initial=0)))
    chosen = best[np.linspace(0, len(best) - 1, min(PEOPLE_IN_RIG, len(best))).astype(int)]
    return np.asarray((view.label_cam_mm[chosen] - t[view.index]) @ R[view.index])


def _camera_table(capture: Capture, record: RigRecord, rig: dict[str, np.ndarray], indices: list[int]) -> Table:
    rows = [
        (
            record.cameras[v].view, *_intrinsics(record.cameras[v].camera, record.focal_std[v]),
            number(rig["residual_px"][v], 2),
            number(rig["rotation_std_deg"][v], 2), number(rig["center_std_mm"][v]),
        )
        for v in indices
    ]  # fmt: skip
    head = (
        "camera", "focal length, px", "principal point, px", "lens",
        "residual, px", "rotation s.d., °", "centre s.d., mm",
    )  # fmt: skip
    origin = {
        "given": "Principal point and lens are as given",
        "assumed": "No intrinsics were given: the principal point is assumed in the middle, without distortion",
    }
    note = f"{origin[capture.intrinsics]}. Standard deviations are those of the adjustment."
    return Table("Cameras", head, rows, note)


def _intrinsics(camera: Camera, focal_std: float | None) -> tuple[str, str, str]:
    (fx, _, cx), (_, fy, cy), _ = camera.K
    focal = number(fx) if np.isclose(fx, fy, rtol=1e-3) else f"{number(fx)} / {number(fy)}"
    lens = "fisheye" if camera.fisheye else f"{np.count_nonzero(camera.dist)} coefficients"
    return (
        _with_std(focal, focal_std, 100, " %"),
        f"{number(cx)}, {number(cy)}",
        lens if camera.dist.any() or camera.fisheye else "pinhole",
    )


def _rig_table(data: ReportData, rigs: RigStore) -> Table:
    """One line for each rig; recordings whose cameras were calibrated together share it."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for recording in data.capture.recordings:
        if recording.name not in rigs:
            reason = rigs.summary.rejected.get(recording.name, "not calibrated")
            lines.setdefault((recording.rig, reason, *["–"] * 7), []).append(recording.name)
            continue
        group = rigs[recording.name]
        medians = [_median(group[name]) for name in ("residual_px", "rotation_std_deg", "center_std_mm")]
        errors = recording_rig_error(recording, rigs)
        error = f"{number(errors[0], 2)}° / {number(errors[1])} mm" if np.isfinite(errors).all() else "not known"
        line = (
            recording.rig,
            *(number(x, 2) for x in medians),
            _epipolar(group),
            _focal(group.record),
            _with_std(group.record.scale, group.record.scale_std, 100, " %"),
            _with_std(group.record.gravity, group.record.gravity_std_deg, 1, "°"),
            error,
        )
        lines.setdefault(line, []).append(recording.name)
    rows = [(line[0], ", ".join(names), *line[1:]) for line, names in lines.items()]
    head = (
        "rig", "recordings", "residual, px", "rotation s.d., °", "centre s.d., mm", "epipolar error, px",
        "focal length", "scale from", "vertical from", "error against the given rig",
    )  # fmt: skip
    note = (
        "Medians over cameras (and over frames, where each frame has a rig). Epipolar error: distance of a joint from"
        " its epipolar line, before and after the adjustment. ±: one standard deviation."
    )
    return Table("By rig", head, rows, note)


def _with_std(source: str, std: float | None, factor: float, unit: str) -> str:
    """What a quantity was found from, with its standard deviation if that is known and not zero."""
    return f"{source} ± {number(factor * std)}{unit}" if std else source


def _left_out_table(data: ReportData, rigs: RigStore, alerts: Sequence[Alert]) -> list[Block]:
    """The labelling views without a pose, and what the alerts say about each of them."""
    rows: dict[tuple[str, str], list[str]] = {}
    for name in rigs:
        for view in rigs[name].record.views_left_out:
            about = [
                a for a in alerts if a.subject.endswith(f", {view}") and a.subject.startswith((f"{name},", "rig "))
            ]
            why = "; ".join(dict.fromkeys(f"{a.message} ({a.evidence})" if a.evidence else a.message for a in about))
            rows.setdefault((view, why or "it shares too little with the other views"), []).append(name)
    lines = [(view, ", ".join(names), why) for (view, why), names in rows.items()]
    return [Table("Views left out", ("view", "recordings", "why"), lines, words=True)] if lines else []


def _reliability_table(data: ReportData, rigs: RigStore) -> list[Block]:
    """What each rig states about its uncertainty beside its difference from the given extrinsics."""
    found = rig_reliability(data.capture, rigs)
    rows = [
        (
            one.quantity, one.rig, f"{number(one.stated, 2)} {one.unit}",
            f"{number(one.found, 2)} {one.unit}", number(one.ratio, 2),
        )
        for one in found
    ]  # fmt: skip
    note = (
        "Found: the difference from the extrinsics given with the footage after a similarity alignment, root mean"
        " square over the cameras; for the scale, the difference of the sizes. Ratios above 2 show that too little is"
        " stated, if the given extrinsics are true."
    )
    head = ("quantity", "rig", "stated s.d.", "found", "found / stated")
    return [Table("Stated and found", head, rows, note)] if rows else []


def _one_per_pool(rigs: RigStore) -> list[RigRecord]:
    """The record of one recording of each pool."""
    return list({tuple(rigs[name].record.pool): rigs[name].record for name in rigs}.values())


def _name_of(record: RigRecord) -> str:
    n_more = len(record.pool) - 1
    return record.pool[0] + (f" and {n_more} more" if n_more else "")


def _pair_table(records: Sequence[RigRecord]) -> list[Block]:
    """What the pairs of views share, the poorest first; with the rig if there are several."""
    found = [(pair, record) for record in records for pair in record.view_graph.pairs]
    found.sort(key=lambda one: one[0].points)
    rows = [
        (
            " – ".join(pair.views), *([_name_of(record)] if len(records) > 1 else []), f"{pair.points:,}",
            f"{pair.frames:,}", *(number(100 * share, 0) for share in pair.spread),
        )
        for pair, record in found[:MAX_PAIRS]
    ]  # fmt: skip
    head = (
        "pair of views", *(["recordings"] if len(records) > 1 else []), "points", "frames", "% of the first image",
        "% of the second image",
    )  # fmt: skip
    weak = [f"{view} shares hardly anything" for record in records for view in record.view_graph.isolated]
    weak += [f"only {b} links {a}" for record in records for a, b in record.view_graph.bridged.items()]
    note = (
        "Before the calibration: points that the detector marks in both views, frames with at least five of them, and"
        " the box that holds the middle nine tenths of them in each image."
    )
    note += f" {len(found) - MAX_PAIRS} more pairs share more." if len(found) > MAX_PAIRS else ""
    note += f" {'; '.join(weak)}." if weak else ""
    return [Table("What pairs of views share, the poorest first", head, rows, note)] if rows else []


def _residual_map(records: Sequence[RigRecord]) -> list[Block]:
    """The residual of each landmark in each view, of the views with the largest ones if there are many."""
    rows: list[tuple[float, str, dict[str, float]]] = []
    for record in records:
        names = [joint_title(name) for name in record.residuals.landmarks]
        for view, camera in enumerate(record.cameras):
            of_view = record.residuals.by_view[view]
            values = {n: v for n, own in zip(names, record.residuals.by_landmark, strict=True) if (v := own[view])}
            if of_view is not None:
                title = camera.view if len(records) == 1 else f"{_name_of(record)}, {camera.view}"
                rows.append((of_view, title, {"all": of_view, **values}))
    if len(rows) > MAX_ROWS:
        rows = sorted(rows, key=lambda row: -row[0])[:MAX_ROWS]
    columns = list(dict.fromkeys(name for _, _, values in rows for name in values))
    if not columns:
        return []
    grid = np.array([[values.get(name, np.nan) for name in columns] for _, _, values in rows])
    note = "After the calibration: medians of the distances of all detections, outliers included, from the projections"
    note += " of the triangulated points."
    top = STRONGEST * float(np.nanmedian(grid))
    chart = heat_map(grid, [title for _, title, _ in rows], columns, "px", most_top=top)
    return [Chart("Residual by view and landmark, px", chart, note, wide=True)]


def _epipolar(rig: RecordingGroup[RigRecord]) -> str:
    before, after = (_median(rig[name]) for name in ("epipolar_start_px", "epipolar_px"))
    return f"{number(before, 2)} → {number(after, 2)}"


def _focal(record: RigRecord) -> str:
    """The smallest and the largest factor on the given focal lengths, and the largest standard deviation."""
    if record.focal == "exact":
        return "as given"
    low, high = (number(value, 3) for value in (min(record.focal_scale), max(record.focal_scale)))
    std = max((std for std in record.focal_std if std is not None), default=float("nan"))
    return f"× {low if low == high else f'{low} to {high}'} ± {number(100 * std)} %"


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
