"""A small capture with every store of the chain, made without any stage: people who rotate in a ring of cameras.

Labels and predictions are the truth with known errors, so that every figure of the report is known in advance.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.capture import Capture, Recording, Rejected, View
from pipeline.files import write_absent
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.triangulation.labelling import Status, ViewStatus
from pipeline.params.pss import PssParams
from pipeline.pss import fit_references
from pipeline.report.data.files import MEASURED_STAGES, REFINE_SOURCES
from pipeline.skeleton import joint
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, TRUTH, Poses2dRecord, create_store
from pipeline.video.packing import pack_frames
from tests.records import (
    POSES2D_SUMMARY,
    PREDICTIONS_SUMMARY,
    RIGS_SUMMARY,
    TRUTH_SUMMARY,
    label_record,
    labels_summary,
    prediction_record,
    rig_record,
    truth_record,
)
from tests.report.people import N_FRAMES, SIZE_PX, motion, ring_camera

REJECTED = "<script>alert(1)</script>.mp4 ends after 3 of 400 frames"


@dataclass
class SyntheticCapture:
    """The folder of the capture, its manifest and its true joints."""

    root: Path
    capture: Capture
    joints_world_mm: dict[str, np.ndarray]

    @property
    def frames(self) -> Path:
        return self.root / "data" / "frames"

    @property
    def cameras(self) -> list[Camera]:
        return [ring_camera(angle) for angle in (0.0, 1.6, 3.1, 4.7)]


def make_capture(
    root: Path, *, truth: bool = True, extrinsics: bool = True, evaluation_view: bool = True, test: bool = True
) -> SyntheticCapture:
    """Write manifest, truth and all stores under `root/data`; the last of four views is for evaluation only."""
    world = SyntheticCapture(root, _manifest(extrinsics, evaluation_view, test), {})
    world.frames.mkdir(parents=True)
    world.capture.write(world.frames)
    for n, recording in enumerate(world.capture.recordings):
        world.joints_world_mm[recording.name] = motion(n)
    if truth:
        with create_store(world.frames / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
            for name, joints in world.joints_world_mm.items():
                group = store.create(name, {"frame": len(joints)}, truth_record()).person(0)
                group.write(0, {"joints_world_mm": joints})
    return world


def _manifest(extrinsics: bool, evaluation_view: bool, test: bool) -> Capture:
    recordings = []
    people = [("S1", "train"), ("S2", "train")] + [("S3", "test")] * test
    for subject, split in people:
        views = []
        for v, angle in enumerate((0.0, 1.6, 3.1, 4.7)):
            camera = ring_camera(angle)
            camera = camera if extrinsics else camera.with_extrinsics(None, None)
            last = evaluation_view and v == 3
            views.append(View.of(f"cam{v}", f"{subject}.cam{v}.jpegs", camera, evaluation_only=last))
        recordings.append(
            Recording(
                name=f"{subject}-turning", subject=subject, action="turning", split=split, rig="room", fps=12.5,
                n_frames=N_FRAMES, frame_numbers=list(range(0, 2 * N_FRAMES, 2)), views=views,
            )
        )  # fmt: skip
    rejected = [Rejected(recording="S9-jumping", reason=REJECTED)]
    return Capture(source="demo", recordings=recordings, rejected=rejected)


def write_poses2d(world: SyntheticCapture, error_px: float = 1.0, n_crashed: int = 0) -> None:
    """Detections: the projected truth, each joint moved right by `error_px`; frame 3 of view 0 has no person.

    The detector crashed on `n_crashed` images of the first view of each recording.
    """
    with create_store(world.root / "data" / "poses2d.zarr", POSES2D, POSES2D_SUMMARY) as store:
        for recording in world.capture.recordings:
            px = np.stack([c.project(world.joints_world_mm[recording.name]) for c in world.cameras], 1)
            px = px + np.array([error_px, 0])
            box = np.concatenate([px.min(2) - 5, px.max(2) + 5], -1)
            px[3, 0], box[3, 0] = np.nan, np.nan
            views = [view.name for view in recording.views]
            record = Poses2dRecord(
                persons=[recording.subject], views=views, found=dict.fromkeys(views, len(px)),
                crashed={**dict.fromkeys(views, 0), views[0]: n_crashed},
            )  # fmt: skip
            group = store.create(recording.name, {"frame": len(px), "view": px.shape[1]}, record).person(0)
            confidence = np.where(np.isfinite(px[..., 0]), 0.9, 0.0)
            group.write(0, {"joints_px": px, "confidence": confidence, "box_px": box})


def write_rigs(
    world: SyntheticCapture,
    rotated_deg: float = 0.0,
    scale: float = 1.0,
    scale_from: str = "bones",
    per_frame: bool = False,
) -> None:
    """The true rig, scaled, with its first camera rotated by `rotated_deg` about the vertical.

    With `per_frame` every frame has this rig, except the first half and the middle one, which have none.
    """
    with create_store(world.root / "data" / "rigs.zarr", RIGS, RIGS_SUMMARY) as store:
        for recording in world.capture.recordings:
            R = np.stack([c.R_cam_from_world for c in world.cameras])
            center = scale * np.stack([c.center_world_mm for c in world.cameras])
            R[0] = R[0] @ Rotation.from_rotvec([0, 0, np.radians(rotated_deg)]).as_matrix()
            t = -np.einsum("vij,vj->vi", R, center)
            unused = [v for v, view in enumerate(recording.views) if view.evaluation_only]
            R[unused], t[unused] = np.nan, np.nan
            n = recording.n_frames if per_frame else 1
            record = rig_record(world.cameras, mode="frame" if per_frame else "rig", scale=scale_from)
            group = store.create(recording.name, {"rig": n, "view": len(R)}, record)
            std = np.where(np.isfinite(t[:, 0]), 0.1, np.nan)
            rows = {
                "R_cam_from_world": R, "t_cam_from_world_mm": t, "rotation_std_deg": std,
                "center_std_mm": 20 * std, "residual_px": 12 * std,
                "center_covariance_mm2": std[:, None, None] * np.diag([30.0, 9.0, 1.0]),
            }  # fmt: skip
            arrays = {name: np.repeat(values[None], n, axis=0) for name, values in rows.items()}
            for values in arrays.values():
                values[: n // 2 + 1 if per_frame else 0] = np.nan
            group.write(0, arrays)


def write_labels(
    world: SyntheticCapture,
    scale: float = 1.0,
    scale_from: str = "bones",
    wrist_mm: float = 17.0,
    path: str = "labels.zarr",
) -> None:
    """Labels: the truth times `scale` in each camera's frame, left wrist `wrist_mm` off; frame 5 has no head.

    In the first view the left wrist of frame 7 is swapped with the right one, and that of frame 8 is an outlier.
    """
    with create_store(world.root / "data" / path, LABELS, labels_summary()) as store:
        for recording in world.capture.recordings:
            truth = world.joints_world_mm[recording.name].copy()
            truth[:, joint("l_wrist"), 2] += wrist_mm
            truth[5, joint("head")] = np.nan
            cam = scale * np.stack([c.to_camera(truth) for c in world.cameras], 1)
            used = [v for v, view in enumerate(recording.views) if not view.evaluation_only]
            unused = [v for v in range(len(recording.views)) if v not in used]
            cam[:, unused] = np.nan
            F, V, J = cam.shape[:3]
            status = np.full((F, J), Status.VALID, np.uint8)
            status[5, joint("head")] = Status.TOO_FEW_VIEWS
            view_status = np.full((F, V, J), ViewStatus.NO_POSE, np.uint8)
            view_status[:, used] = ViewStatus.USED
            view_status[7, used[0], joint("l_wrist")] = ViewStatus.SWAPPED
            view_status[8, used[0], joint("l_wrist")] = ViewStatus.OUTLIER
            record = label_record(recording.subject, world.cameras, scale=scale_from)
            group = store.create(recording.name, {"frame": F, "view": V}, record).person(0)
            group.write(0, {
                "joints_world_mm": scale * truth, "joints_cam_mm": cam, "status": status, "view_status": view_status,
                "uncertainty_mm": np.where(np.isfinite(truth[..., 0]), 8.0, np.nan),
            })  # fmt: skip


def write_predictions(world: SyntheticCapture, depth_mm: float = 34.0, path: str = "predictions.zarr") -> None:
    """Predictions of the test recordings: the truth, the right ankle `depth_mm` too far away along its ray."""
    with create_store(world.root / "data" / path, PREDICTIONS, PREDICTIONS_SUMMARY) as store:
        for recording in world.capture.recordings:
            if recording.split != "test":
                continue
            truth = world.joints_world_mm[recording.name]
            cam = np.stack([c.to_camera(truth) for c in world.cameras], 1)
            px = np.stack([c.project(truth) for c in world.cameras], 1)
            depth = cam[..., 2].copy()
            depth[..., joint("r_ankle")] += depth_mm
            root = cam[..., :1, 2]
            sizes = {"frame": len(px), "view": px.shape[1]}
            group = store.create(recording.name, sizes, prediction_record(recording)).person(0)
            group.write(0, {"joints_px": px, "relative_depth": (depth - root) / root})


def write_baseline(world: SyntheticCapture) -> None:
    """Labels of the known cameras: the truth without the head in frame 5."""
    write_labels(world, wrist_mm=0.0, path="baseline/labels.zarr")


def write_refined(world: SyntheticCapture, source: str) -> None:
    """What the refinement unit trained on a source made: predictions with half of the error, weights and a curve."""
    write_predictions(world, depth_mm=17.0, path=f"refined/{source}/predictions.zarr")
    folder = world.root / "data" / "refined" / source
    (folder / "refiner.pt").write_bytes(b"weights")
    (folder / "curve.csv").write_text("epoch,train_loss\n1,0.5\n2,0.25\n")


def write_resources(world: SyntheticCapture, *stages: str) -> None:
    """Seconds and memory of some stages, and two training curves."""
    folder = world.root / "reports" / "resources"
    folder.mkdir(parents=True, exist_ok=True)
    for n, stage in enumerate(stages, start=1):
        (folder / f"{stage}.json").write_text(json.dumps({"seconds": 10.0 * n, "peak_mib": 100 * n}))
    plots = world.root / "reports" / "plots"
    plots.mkdir(exist_ok=True)
    (plots / "train.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    (plots / "pretrain.csv").write_text("step,loss\n10,3.0\n20,2.0\n")


def write_frames(world: SyntheticCapture) -> None:
    """Packed frames: grey images with a bright square in each joint."""
    for recording in world.capture.recordings:
        for view, camera in zip(recording.views, world.cameras, strict=True):
            images = np.full((recording.n_frames, SIZE_PX[1], SIZE_PX[0], 3), 110, np.uint8)
            for image, px in zip(images, camera.project(world.joints_world_mm[recording.name]), strict=True):
                for x, y in px.round().astype(int):
                    image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = 250
            pack_frames(world.frames / view.file, iter(images), 90)


def write_all(root: Path, *, refined: tuple[str, ...] = (), **lacking: bool) -> SyntheticCapture:
    """Everything that the report reads, from all stages; refined predictions of the sources `refined`."""
    predictions, per_frame = lacking.pop("predictions", True), lacking.pop("per_frame", False)
    world = make_capture(root, **lacking)
    write_frames(world)
    write_poses2d(world)
    write_rigs(world, per_frame=per_frame)
    write_labels(world)
    if lacking.get("truth", True) and lacking.get("extrinsics", True):
        write_baseline(world)
    else:
        write_absent(root / "data" / "baseline", "the footage has no truth to measure by")
    if predictions:
        write_predictions(world)
    for source in REFINE_SOURCES:
        if source in refined:
            write_refined(world, source)
        else:
            write_absent(root / "data" / "refined" / source, f"refine.sources does not name {source}")
    write_resources(world, *MEASURED_STAGES)
    params = PssParams(reference="fit", frozen="", k=[3, 5], source="truth", seed=4)
    fit_references(world.frames, root / "data/labels.zarr", root / "models/pss.npz", params)
    return world
