"""Test-time adaptation: training a lifting network on unlabelled footage of a rig with known cameras.

Jain et al. 2022: the losses in the images need no labels, only detections and the rig, given or self-calibrated. So a
network can be trained on the footage whose poses it has to estimate. The command is `epiline adapt`.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from pipeline.capture import Recording, read_capture
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.checkpoints import load_network, save_network
from pipeline.learning.engine.loop import train
from pipeline.learning.images.predict import write_predictions
from pipeline.learning.lifting.losses import Objective
from pipeline.learning.lifting.method import predict_recording
from pipeline.learning.lifting.multi_view_frames import concatenate
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.learning.lifting.recordings import recording_frames
from pipeline.learning.lifting.task import LiftingSchedule, LiftingTask
from pipeline.learning.supervision import PoseTargets
from pipeline.params.train import LoopParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import POSES2D, RIGS, PredictionsSummary, RigStore, open_store

ADAPTED = "pose3d.pt"
OBJECTIVE = Objective(
    labels=0.0, reprojection=1.0, transform=1.0, consistency=1.0, squared=False, confidence="target",
    root="least_squares", root_relative=False,
)  # fmt: skip
# The command's options replace some of these. The paper's learning rate, 4e-5, takes many more steps.
LOOP = LoopParams(
    epochs=20, batch_size=64, lr=1e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01, clip_grad_norm=5.0, ema=0.0,
    keep="last", patience=0, seed=0,
)  # fmt: skip


def adapt(
    model: Path, frames: Path, poses2d: Path, rigs: Path, out: Path, split: Literal["train", "test"], params: LoopParams
) -> None:
    """Adapt a network to the recordings of a split; write the network and its predictions into the folder `out`.

    No label is read, and views kept for evaluation are not trained on. Batch statistics are not updated.
    Raises UserError if the checkpoint is not of a lifting network, if no recording of the split has a rig, or if a rig
    has no scale.
    """
    if (out / ADAPTED).resolve() == model.resolve():
        raise UserError(f"The adapted network would replace {model}", fix="Choose another folder for the results.")
    network, metadata = load_network(model, LiftingNetwork)
    detections, rig_store = open_store(poses2d, POSES2D), open_store(rigs, RIGS)
    capture = read_capture(frames)
    recordings = [r for r in capture.recordings if r.split == split and r.name in detections and r.name in rig_store]
    if not recordings:
        what = f"None of the {len(capture.recordings)} recordings is of the split {split!r} and has a rig"
        raise UserError(what, where=str(rigs), fix="See which recordings calibrate rejected, or choose another split.")
    parts = [recording_frames(r, detections[r.name], without_labels(r, rig_store)) for r in recordings]
    training = concatenate(parts)
    rows = torch.nonzero(training.has_person)[:, 0]
    schedule = LiftingSchedule(network.architecture.frames, virtual_views=0, pretraining=0, freeze_after=0)
    out.mkdir(parents=True, exist_ok=True)
    train(network, LiftingTask(training, rows, rows, OBJECTIVE, schedule), params, out / "adapt.csv")
    save_network(out / ADAPTED, network, **{**metadata, "adapted_to": [r.name for r in recordings]})

    def cameras(recording: Recording) -> list[Camera]:
        return rig_store[recording.name].record.intrinsics

    summary = PredictionsSummary(split=split, supervision="adapted", refined_by=None, alerts=[])
    write_predictions(
        lambda r: predict_recording(network, r, cameras(r), detections, flip_test=True), cameras, recordings,
        out / "predictions.zarr", summary,
    )  # fmt: skip


def without_labels(recording: Recording, rigs: RigStore) -> PoseTargets:
    """The rig of a recording, without labels.

    Raises UserError if the rig has no scale.
    """
    rig = rigs[recording.name]
    if rig.record.scale == "none":
        what = "The network's poses are in millimetres, but nothing fixed the scale of the rig"
        raise UserError(what, where=recording.name, fix="Set calibrate.scale to bones or height.")
    nothing = np.full((recording.n_frames, len(recording.views), N_JOINTS, 3), np.nan)
    return PoseTargets(
        nothing, nothing[:, 0, :, 0], rig["R_cam_from_world"], rig["t_cam_from_world_mm"], rig.record.intrinsics,
        rig.record.view_times,
    )  # fmt: skip
