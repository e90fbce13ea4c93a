"""The sections on what came in and what was made of it: capture, detector, rig and labels."""

import numpy as np

from pipeline.frames import PackedFrames
from pipeline.report.blocks import Block, Card, Chart, Gallery, Section, Table, View3D, number
from pipeline.report.breakdown import detector_rows, joint_errors_mm, label_px, pose_errors_mm, residuals_percent
from pipeline.report.evaluate import VALID, Figures, recording_rig_error
from pipeline.report.figures import heat_map, joint_bars, named_bars, spread_bars
from pipeline.report.images import overlay
from pipeline.report.look import COLOURS
from pipeline.report.material import Material, Seen
from pipeline.report.scenes import pose_scene, rig_scene
from pipeline.stores import Store

APART_S = 1.0  # worst frames closer in time than this are the same event
PEOPLE_IN_RIG = 6


def capture_section(material: Material) -> Section:
    """Who was filmed, by which cameras, and what could not be used."""
    recordings = material.capture.recordings
    rows = [
        (
            r.name, r.subject, r.action, r.split, str(len(r.cameras(labelling=True))),
            str(len(r.views) - len(r.cameras(labelling=True))), str(r.n_frames), number(r.fps),
        )
        for r in recordings
    ]  # fmt: skip
    head = ("recording", "subject", "action", "split", "views", "evaluation views", "frames a view", "frames/s")
    blocks: list[Block] = [Table("Recordings", head, rows)]
    if material.capture.rejected:
        rejected = [(one.recording, one.reason) for one in material.capture.rejected]
        blocks.append(Table("Rejected", ("recording", "why"), rejected))
    frames = sum(r.n_frames * len(r.views) for r in recordings)
    people = len({r.subject for r in recordings})
    source = material.capture.source
    lead = f"Recordings: {len(recordings)}, people: {people}, images: {frames:,}. Source: “{source}”."
    return Section("capture", "Capture", lead, blocks)


def detector_section(material: Material, figures: Figures) -> Section:
    """What the frozen detector saw."""
    rows: list[tuple[str, ...]] = [
        (name, number(found), number(error, 2)) for name, found, error in detector_rows(material)
    ]
    head: tuple[str, ...] = ("view", "person found, % of frames", "error, % of the box")
    if "error_px" not in figures:
        head, rows = head[:2], [row[:2] for row in rows]
    first = material.capture.recordings[0].name
    views = [one for one in material.seen if one.recording.name == first]
    cards = [card for one in views if (card := _detection_card(one, one.recording.n_frames // 2)) is not None]
    lead = "The 2D detector was not trained on this capture; everything after it rests on what it finds."
    if "error_px" in figures:
        lead += (
            f" Its joints lie {number(figures['error_px'])} px or {number(figures['error_box_percent'], 2)} % of the"
            f" person's box from the truth; {number(figures['swap_percent'])} % of left-right pairs are exchanged."
        )
    blocks: list[Block] = [Gallery(f"One moment of {first}", cards), Table("By view", head, rows)]
    return Section("detector", "Detector", lead, blocks)


def _detection_card(seen: Seen, frame: int) -> Card | None:
    skeletons = {"truth": seen.true_px[frame], "detection": seen.detected_px[frame]}
    image = overlay(_image(seen, frame), skeletons)
    return Card(f"{seen.view.name}, frame {frame}", image) if image else None


def rig_section(material: Material, rigs: Store, figures: Figures) -> Section:
    """Where the cameras were found to stand."""
    recording = next((r for r in material.capture.recordings if r.name in rigs), None)
    if recording is None:
        return Section("rig", "Rig", "")
    group = rigs[recording.name]
    R, t = group["R_cam_from_world"], group["t_cam_from_world_mm"]
    usable = np.flatnonzero(np.isfinite(t).all(-1).sum(-1) >= 2)
    row = usable[len(usable) // 2] if len(usable) else 0  # in frame mode, the middle one's of the frames that have one
    centers = -np.einsum("vji,vj->vi", R[row], t[row])
    views = [v for v in recording.cameras(labelling=True) if np.isfinite(centers[v]).all()]
    found = [(recording.views[v].name, R[row, v], centers[v]) for v in views]
    known = [(recording.views[v].name, recording.views[v].camera) for v in views]
    true = [(n, c.R_cam_from_world, c.center_world_mm) for n, c in known if c.R_cam_from_world is not None]
    lead = f"The cameras of {recording.name}"
    lead += f", one of {len(R)} rigs found frame by frame." if len(R) > 1 else "."
    if figures:
        lead += (
            f" Against the rig the footage came with, after a similarity alignment, they are off by"
            f" {number(figures['rotation_deg'], 2)}° and {number(figures['centre_mm'])} mm on average."
        )
    blocks: list[Block] = []
    if len(found) > 1:
        some = _some_poses(material, recording.name, R[row], t[row])
        note = "Drag to turn. The skeletons are labels of a few moments."
        blocks.append(View3D("Cameras and people", rig_scene(some, found, true if len(true) > 1 else []), note))
    blocks.append(_rig_table(material, rigs))
    return Section("rig", "Rig", lead, blocks)


def _some_poses(material: Material, name: str, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A few labels spread over a recording, in the world of its rig."""
    seen = next(s for s in material.seen if s.recording.name == name and np.isfinite(t[s.v]).all())
    complete = np.flatnonzero(np.isfinite(seen.label_cam_mm).all((1, 2)))
    chosen = complete[np.linspace(0, len(complete) - 1, min(PEOPLE_IN_RIG, len(complete))).astype(int)]
    return (seen.label_cam_mm[chosen] - t[seen.v]) @ R[seen.v]


def _rig_table(material: Material, rigs: Store) -> Table:
    rows: list[tuple[str, ...]] = []
    for recording in material.capture.recordings:
        if recording.name not in rigs:
            rows.append((recording.name, recording.rig, "not calibrated", "", "", ""))
            continue
        group = rigs[recording.name]
        medians = [float(np.nanmedian(x)) if np.isfinite(x).any() else np.nan for x in (
            group["residual_px"], group["rotation_std_deg"], group["center_std_mm"])]  # fmt: skip
        errors = recording_rig_error(material.capture, rigs, recording.name)
        off = f"{number(errors[0], 2)}° / {number(errors[1])} mm" if np.isfinite(errors).all() else "–"
        rows.append((recording.name, recording.rig, *(number(x, 2) for x in medians), off))
    head = ("recording", "rig", "residual, px", "rotation s.d., °", "centre s.d., mm", "off the given rig")
    return Table("By recording", head, rows, "Medians over cameras; standard deviations come from the adjustment.")


def label_section(material: Material, figures: Figures, known: Figures, rejected: dict[str, int], n: int) -> Section:
    """The label audit: how many, how far from the images and from the truth, what was rejected, the worst frames."""
    seen = [s for s in material.seen if not s.view.evaluation_only]
    train = material.select("train")
    blocks: list[Block] = []
    if "n_mpjpe_mm" in figures:
        blocks.append(_label_table(figures, known))
    views = {name: [s for s in seen if s.view.name == name] for name in dict.fromkeys(s.view.name for s in seen)}
    residuals = {name: np.concatenate([residuals_percent(s) for s in group]) for name, group in views.items()}
    if any(np.isfinite(values).any() for values in residuals.values()):
        flat = {name: values.ravel() for name, values in residuals.items()}
        title, note = (
            "Residual by view",
            "Distance of detections from projected labels; box: quartiles, whiskers: 5–95 %.",
        )
        blocks.append(Chart(title, spread_bars(flat, "% of the box height", COLOURS["label"]), note))
    series = _joint_series(train, np.concatenate(list(residuals.values())))
    blocks.append(Chart(series[0], joint_bars({"labels": (COLOURS["label"], series[1])}, series[2])))
    rows = {s.recording.name: 100 * np.mean(material.status[s.recording.name] != VALID, axis=0)
            for s in seen if s.recording.name in material.status}  # fmt: skip
    if rejected:
        blocks.append(Chart("Joints without a label, by reason", named_bars(dict(rejected), "joints")))
        blocks.append(
            Chart(
                "Where labels are missing", heat_map(np.stack(list(rows.values())), list(rows), "% missing"), wide=True
            )
        )
    blocks.append(Gallery("Worst frames", _worst_cards(train or seen, n), "The label drawn over the detection."))
    lead = f"{number(figures['coverage'])} % of the joints of the training frames have a label."
    return Section("labels", "Labels", lead, blocks)


def _label_table(figures: Figures, known: Figures) -> Table:
    columns = [("these labels", figures), ("with the true cameras", known)]
    columns = [(name, one) for name, one in columns if one]
    rows = [
        (FIGURE_TITLES[key], *(number(one.get(key)) for _, one in columns)) for key in FIGURE_TITLES if key in figures
    ]
    rows += [
        (f"PSS@{key[3:]}, %", *(number(one.get(key)) for _, one in columns)) for key in figures if key[:3] == "pss"
    ]
    note = "Training recordings against the truth, in the frames of the cameras that made the labels."
    return Table("Against the truth", ("", *(name for name, _ in columns)), rows, note)


FIGURE_TITLES = {
    "mpjpe_mm": "MPJPE, mm", "n_mpjpe_mm": "N-MPJPE, mm", "pa_mpjpe_mm": "PA-MPJPE, mm", "pck150": "PCK@150 mm, %",
    "auc": "AUC, %", "coverage": "coverage, %",
}  # fmt: skip


def _joint_series(train: list[Seen], residuals: np.ndarray) -> tuple[str, np.ndarray, str]:
    if any(s.has_truth for s in train):
        return "Error by joint", joint_errors_mm(train, "label_cam_mm", "true_cam_mm"), "mm (scale-aligned)"
    known = np.isfinite(residuals)
    medians = [np.median(r[k]) if k.any() else np.nan for r, k in zip(residuals.T, known.T, strict=True)]
    return "Residual by joint", np.array(medians), "% of the box height (median)"


def _worst_cards(seen: list[Seen], n: int) -> list[Card]:
    ranked: list[tuple[float, int, Seen]] = []
    for one in seen:
        off = pose_errors_mm(one, "label_cam_mm", "true_cam_mm") if one.has_truth else _median(residuals_percent(one))
        ranked += [(float(off[frame]), int(frame), one) for frame in np.flatnonzero(np.isfinite(off))]
    ranked.sort(key=lambda found: -found[0])
    chosen: list[tuple[float, int, Seen]] = []
    for badness, frame, one in ranked:
        apart = APART_S * one.recording.fps
        if all(one.recording.name != c.recording.name or abs(frame - i) >= apart for _, i, c in chosen):
            chosen.append((badness, frame, one))
        if len(chosen) == n:
            break
    return [_worst_card(*found) for found in chosen]


def _worst_card(badness: float, frame: int, seen: Seen) -> Card:
    skeletons = {"truth": seen.true_px[frame], "detection": seen.detected_px[frame], "label": label_px(seen)[frame]}
    off = f"{number(badness)} mm" if seen.has_truth else f"{number(badness)} % of the box height"
    poses = {"truth": seen.true_cam_mm[frame], "label": seen.label_cam_mm[frame]}
    caption = f"{seen.recording.name}, {seen.view.name}, frame {frame}: {off}"
    return Card(caption, overlay(_image(seen, frame), skeletons), pose_scene(poses))


def _median(values: np.ndarray) -> np.ndarray:
    some = np.isfinite(values).any(1)
    return np.where(some, np.nanmedian(np.where(some[:, None], values, 0), axis=1), np.nan)


def _image(seen: Seen, frame: int) -> np.ndarray:
    return PackedFrames(seen.view.file)[frame]
