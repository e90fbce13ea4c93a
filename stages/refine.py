"""Train the refinement unit on truth or labels and refine the predictions of the test recordings."""

from pathlib import Path

from pipeline.files import atomic_write, write_absent
from pipeline.params.refine import RefineParams, RefineSource
from pipeline.params.settings import has_settings, read_settings
from pipeline.params.train import TrainParams
from pipeline.stage import run


def main(
    source: RefineSource, settings: Path, frames: Path, poses2d: Path, rigs: Path, labels: Path, weights: Path,
    network: Path, predictions: Path, refined: Path,
) -> None:  # fmt: skip
    if not has_settings(settings, "refine"):
        write_absent(refined, f"refine.sources does not name {source}")
        return
    # Imported only here, as torch takes seconds to load.
    from pipeline.learning.refinement.refine import refine_predictions
    from pipeline.learning.supervision import CapturePaths

    params = read_settings(settings, "refine", RefineParams)
    train_params = read_settings(settings, "train", TrainParams)
    with atomic_write(refined) as aside:
        aside.mkdir()
        refine_predictions(
            source, CapturePaths(frames, labels, rigs), poses2d, weights, network, predictions,
            aside / "refiner.pt", aside / "predictions.zarr", aside / "figures.json", aside / "curve.csv",
            params, train_params,
        )  # fmt: skip


if __name__ == "__main__":
    run(main)
