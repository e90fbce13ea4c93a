"""The paths of the report's inputs."""

import json
from pathlib import Path
from typing import get_args

from pipeline.capture_paths import CapturePaths
from pipeline.files import is_untrained, placeholder_reason
from pipeline.params.refine import RefineSource

REFINE_SOURCES: tuple[RefineSource, ...] = get_args(RefineSource)
# The stages whose seconds and peak memory are known when the report is written, in the order of the page.
MEASURED_STAGES = (
    "capture", "frames", "pretrain", "detect", "calibrate", "triangulate", "baseline", "pss", "train",
    *(f"refine_{source}" for source in REFINE_SOURCES),
)  # fmt: skip


class Files(CapturePaths):
    """The paths of a capture; optional results are left out if a stage made none."""

    @property
    def baseline_labels(self) -> Path | None:
        """The labels in the folder `baseline`; None if the stage made none."""
        return self.baseline / "labels.zarr" if _has_result(self.baseline) else None

    @property
    def has_predictions(self) -> bool:
        """Whether a network made predictions."""
        return _has_result(self.predictions)

    def refined_sources(self) -> list[RefineSource]:
        """The sources for which a refinement unit was trained."""
        return [source for source in REFINE_SOURCES if _has_result(self.refined(source))]

    def weights(self) -> list[Path]:
        """The trained networks."""
        networks = [self.detector, self.network]
        trained = [path for path in networks if path.exists() and not is_untrained(path)]
        return [*trained, *(self.refined(source) / "refiner.pt" for source in self.refined_sources())]

    def curves(self) -> dict[str, Path]:
        """The training curves by title."""
        curves = {"3D network": self.curve("train"), "2D detector": self.curve("pretrain")}
        refined = {f"Refinement on {source}": self.refined(source) / "curve.csv" for source in self.refined_sources()}
        return {title: path for title, path in {**curves, **refined}.items() if path.exists()}

    def stage_resources(self) -> dict[str, dict[str, float]]:
        """Seconds and peak memory of each stage before the report."""
        paths = {stage: self.resources / f"{stage}.json" for stage in MEASURED_STAGES}
        return {stage: json.loads(path.read_text()) for stage, path in paths.items() if path.exists()}


def _has_result(folder: Path) -> bool:
    return folder.is_dir() and placeholder_reason(folder) is None
