"""PCK as a function of its threshold."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import predicted_test
from pipeline.report.data.report_data import Alternatives, ReportData, joined


def pck_curves(data: ReportData, alternatives: Alternatives) -> dict[str, np.ndarray]:
    """PCK in percent at each of `metrics.AUC_THRESHOLDS_MM`, by the name of the curve; empty without truth."""
    groups = {
        "labels": (data.select("train") if data.has_scale else [], "label_cam_mm"),
        "network": (predicted_test(data), "predicted_cam_mm"),
        "network, new view": (predicted_test(data, evaluation_only=True), "predicted_cam_mm"),
        **{
            f"refined on {source}": (predicted_test(refined), "predicted_cam_mm")
            for source, refined in alternatives.refined.items()
        },
    }
    curves = {}
    for name, (views, array) in groups.items():
        poses, true = joined(views, array), joined(views, "true_cam_mm")
        values = metrics.mean(metrics.pck_curve(poses, true, metrics.AUC_THRESHOLDS_MM), axis=0)
        if np.isfinite(values).all():
            curves[name] = values
    return curves
