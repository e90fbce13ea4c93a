"""Paths of the files of a capture; no other module names them. In dvc.yaml, `vars` is the corresponding place."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CapturePaths:
    """The paths below the folders `data`, `models` and `reports`."""

    data: Path
    models: Path
    reports: Path

    @property
    def capture(self) -> Path:
        """Folder of the manifest and the truth of the original footage."""
        return self.data / "capture"

    @property
    def frames(self) -> Path:
        """Folder of the manifest, the packed frames and their truth."""
        return self.data / "frames"

    @property
    def truth(self) -> Path:
        """The true joints of the packed frames; missing if the footage has no truth."""
        return self.frames / "truth.zarr"

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
        """Folder of the rigs and labels made with the cameras given with the footage."""
        return self.data / "baseline"

    @property
    def predictions(self) -> Path:
        """The network's predictions."""
        return self.data / "predictions.zarr"

    def refined(self, source: str) -> Path:
        """Folder of the refinement unit trained on a source (truth or labels), and of its predictions."""
        return self.data / "refined" / source

    @property
    def detector(self) -> Path:
        """The weights of the 2D detector that the stage pretrain trains."""
        return self.models / "detector.pt"

    @property
    def network(self) -> Path:
        """The checkpoint of the 3D network."""
        return self.models / "pose3d.pt"

    @property
    def pss(self) -> Path:
        """The references of the pose structure score."""
        return self.models / "pss.npz"

    @property
    def plots(self) -> Path:
        """Folder of the tables and curves that DVC plots."""
        return self.reports / "plots"

    @property
    def resources(self) -> Path:
        """Folder of the time and peak memory of each stage."""
        return self.reports / "resources"

    def curve(self, stage: str) -> Path:
        """The training curve of a stage."""
        return self.plots / f"{stage}.csv"
