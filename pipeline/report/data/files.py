"""Where the stages put what the report reads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pipeline.files import why_absent
from pipeline.learning.engine.checkpoints import is_untrained
from pipeline.params.refine import RefineSource

REFINE_SOURCES: tuple[RefineSource, ...] = get_args(RefineSource)
# The stages whose seconds and peak memory are known when the report is written, in the order of the page.
MEASURED_STAGES = (
    "capture", "frames", "pretrain", "detect", "calibrate", "triangulate", "baseline", "pss", "train",
    *(f"refine_{source}" for source in REFINE_SOURCES),
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """The paths below the three folders that the stage is given."""

    data: Path
    models: Path
    reports: Path

    @property
    def frames(self) -> Path:
        """Manifest, packed frames and truth."""
        return self.data / "frames"

    @property
    def poses2d(self) -> Path:
        """The detections."""
        return self.data / "poses2d.zarr"

    @property
    def rigs(self) -> Path:
        """The calibrated cameras."""
        return self.data / "rigs.zarr"

    @property
    def labels(self) -> Path:
        """The labels."""
        return self.data / "labels.zarr"

    @property
    def baseline(self) -> Path:
        """Folder of the labels made with the cameras that the footage came with."""
        return self.data / "baseline"

    @property
    def baseline_labels(self) -> Path | None:
        """Those labels; None where the stage made none."""
        return self.baseline / "labels.zarr" if _has_result(self.baseline) else None

    @property
    def predictions(self) -> Path:
        """The network's predictions."""
        return self.data / "predictions.zarr"

    def refined(self, source: RefineSource) -> Path:
        """Folder of what the refinement unit trained on a source made."""
        return self.data / "refined" / source

    def refined_sources(self) -> list[RefineSource]:
        """The sources for which a refinement unit was trained."""
        return [source for source in REFINE_SOURCES if _has_result(self.refined(source))]

    @property
    def pss(self) -> Path:
        """The references of the pose structure score."""
        return self.models / "pss.npz"

    def weights(self) -> list[Path]:
        """The trained networks."""
        networks = [self.models / "detector.pt", self.models / "pose3d.pt"]
        trained = [path for path in networks if path.exists() and not is_untrained(path)]
        return [*trained, *(self.refined(source) / "refiner.pt" for source in self.refined_sources())]

    def curves(self) -> dict[str, Path]:
        """The training curves, by the title of what was trained."""
        curves = {
            "3D network": self.reports / "plots" / "train.csv",
            "2D detector": self.reports / "plots" / "pretrain.csv",
        }
        refined = {f"Refinement on {source}": self.refined(source) / "curve.csv" for source in self.refined_sources()}
        return {title: path for title, path in {**curves, **refined}.items() if path.exists()}

    def resources(self) -> dict[str, dict[str, float]]:
        """Seconds and peak memory of each stage before the report."""
        paths = {stage: self.reports / "resources" / f"{stage}.json" for stage in MEASURED_STAGES}
        return {stage: json.loads(path.read_text()) for stage, path in paths.items() if path.exists()}


def _has_result(folder: Path) -> bool:
    return folder.is_dir() and why_absent(folder) is None
