"""The figures of `reports/metrics.json`: how good the labels, the rig, the detector and the network are.

A figure that does not apply, for want of truth, of a known scale or of predictions, is absent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline import metrics
from pipeline.capture import Capture
from pipeline.geometry.align import rig_error
from pipeline.report.material import Material, Seen, joined
from pipeline.skeleton import N_JOINTS
from pipeline.stores import Store
from pipeline.structure import Reference, pss

VALID = 1  # a label's status
Figures = dict[str, Any]


def evaluate(material: Material, known: Material | None, rigs: Store) -> Figures:
    """All figures but the costs; `known` has the labels that the true extrinsics would have given."""
    test, new_view = material.select("test"), material.select("test", evaluation_only=True)
    return absent_removed({
        "labels": label_figures(material),
        "labels_known": label_figures(known) if known is not None else {},
        "rig": rig_figures(material.capture, rigs),
        "detector": detector_figures([s for s in material.seen if not s.view.evaluation_only]),
        "test": network_figures(test, material.references),
        "test_new_view": network_figures(new_view, material.references),
        "test_labels": agreement_figures(test, material),
    })  # fmt: skip


def label_figures(material: Material) -> Figures:
    """The training recordings' labels against the truth, in the frames of the cameras that made them."""
    train = material.select("train")
    predicted, true = joined(train, "label_cam_mm"), joined(train, "true_cam_mm")
    figures = pose_figures(predicted, true, material.references, metric=material.metric)
    return {**figures, "coverage": coverage(material)}


def coverage(material: Material) -> float:
    """Percentage of the joints of the training frames that have a valid label."""
    names = {s.recording.name: s.recording.n_frames for s in material.select("train")}
    valid = [np.sum(material.status[name] == VALID) / N_JOINTS for name in names if name in material.status]
    return 100 * sum(valid) / max(sum(names.values()), 1)


def network_figures(seen: list[Seen], references: list[Reference]) -> Figures:
    """The predictions against the truth, placed at the true depth of the root as the paper does.

    Where no person was found, PCK and AUC count the joints as missed; the other figures leave the frame out.
    """
    seen = [one for one in seen if np.isfinite(one.predicted_px).any()]
    predicted, true = joined(seen, "predicted_cam_mm"), joined(seen, "true_cam_mm")
    figures = pose_figures(predicted, true, references, metric=True)
    figures["pck150"] = mean(metrics.pck(predicted, true))
    figures["auc"] = mean(metrics.auc(predicted, true))
    return figures


def agreement_figures(test: list[Seen], material: Material) -> Figures:
    """The predictions against the labels of recordings that the network has not seen, where there is no truth."""
    if any(seen.has_truth for seen in material.seen):
        return {}
    predicted, labels = joined(test, "predicted_cam_mm"), joined(test, "label_cam_mm")
    return pose_figures(predicted, labels, material.references, metric=material.metric)


def pose_figures(predicted: np.ndarray, true: np.ndarray, references: list[Reference], *, metric: bool) -> Figures:
    """MPJPE (if the scale is known), N-MPJPE, PA-MPJPE in mm and PSS in percent of poses (pose, joint, 3)."""
    figures = {
        "mpjpe_mm": mean(metrics.mpjpe(predicted, true)) if metric else np.nan,
        "n_mpjpe_mm": mean(metrics.n_mpjpe(predicted, true)),
        "pa_mpjpe_mm": mean(metrics.pa_mpjpe(predicted, true)),
    }
    for reference in references:
        figures[f"pss{reference.k}"] = 100 * mean(pss(reference, predicted, true))
    return figures


def detector_figures(seen: list[Seen]) -> Figures:
    """The detections against the true joints as each view sees them, and how often a person was found."""
    detected, true = joined(seen, "detected_px"), joined(seen, "true_px")
    known = np.isfinite(true).any((1, 2))
    found = np.isfinite(detected[known]).any((1, 2))
    return {
        "error_px": mean(metrics.joint_errors(detected, true)),
        "error_box_percent": mean(metrics.box_errors_percent(detected, true)),
        "swap_percent": mean(metrics.swaps_percent(detected, true)),
        "found_percent": 100 * mean(found.astype(float)),
    }


def rig_figures(capture: Capture, rigs: Store) -> Figures:
    """The cameras found against the manifest's, after a similarity alignment: means over recordings and cameras.

    Where every frame has a rig of its own, a recording counts with the median of its frames.
    """
    errors = [e for r in capture.recordings if r.name in rigs for e in [recording_rig_error(capture, rigs, r.name)]]
    rotation, center = metrics.mean(np.array(errors).reshape(-1, 2), axis=0)
    return {"rotation_deg": rotation, "centre_mm": center}


def recording_rig_error(capture: Capture, rigs: Store, name: str) -> tuple[float, float]:
    """Rotation error in degrees and centre error in mm of a recording's labelling cameras; NaN where not known."""
    recording = next(r for r in capture.recordings if r.name == name)
    views = [v for v in recording.cameras(labelling=True) if recording.views[v].camera.known]
    if not views:
        return np.nan, np.nan
    cameras = [recording.views[v].camera for v in views]
    R_true = np.stack([c.R_cam_from_world for c in cameras if c.R_cam_from_world is not None])
    centers_true = np.stack([c.center_world_mm for c in cameras])
    R, t = rigs[name]["R_cam_from_world"][:, views], rigs[name]["t_cam_from_world_mm"][:, views]
    centers = -np.einsum("rvji,rvj->rvi", R, t)
    errors = np.array([rig_error(a, b, R_true, centers_true) for a, b in zip(R, centers, strict=True)])
    errors = errors[np.isfinite(errors).all(1)]
    rotation, center = np.median(errors, axis=0) if len(errors) else (np.nan, np.nan)
    return float(rotation), float(center)


def mean(values: np.ndarray) -> float:
    """Mean of all that is not missing."""
    return float(metrics.mean(values, axis=None))


def absent_removed(figures: Mapping[str, Any], digits: int = 2) -> Figures:
    """The figures sorted and rounded, without those that are missing and without groups that are then empty."""
    kept: Figures = {}
    for name, value in sorted(figures.items()):
        if isinstance(value, Mapping):
            value = absent_removed(value, digits)
            if value:
                kept[name] = value
        elif np.isfinite(value):
            kept[name] = round(float(value), digits)
    return kept
