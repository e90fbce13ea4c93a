"""The pose structure score (PSS): whether a pose falls in the same cluster of poses as the true pose.

Kocabas et al., Self-Supervised Learning of 3D Human Pose using Multi-view Geometry, CVPR 2019, section 3.4. The paper
does not define the normalisation; `score.py` defines it, and every reference stores it. docs/metrics.md describes how
to freeze and share a reference; `epiline pss --help` lists the commands that inspect references.
"""

from pipeline.pss.fit import fit_reference
from pipeline.pss.layout import pose_map
from pipeline.pss.references import fit_references, read_reference_alerts, read_references, write_references
from pipeline.pss.score import Reference, clusters, normalised, pss
from pipeline.pss.sources import has_truth

__all__ = [
    "Reference", "clusters", "fit_reference", "fit_references", "has_truth", "normalised", "pose_map", "pss",
    "read_reference_alerts", "read_references", "write_references",
]  # fmt: skip
