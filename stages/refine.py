"""Train the refinement unit on truth or labels and refine the predictions of the test recordings."""

from pathlib import Path

from pipeline.capture_paths import CapturePaths
from pipeline.files import write_placeholder
from pipeline.params.refine import RefineParams, RefineSource
from pipeline.params.settings import has_settings, read_settings
from pipeline.params.train import TrainParams
from pipeline.stage import run


def main(source: RefineSource, settings: Path, data: Path, models: Path, reports: Path, weights: Path) -> None:
    paths = CapturePaths(data, models, reports)
    if not has_settings(settings, "refine"):
        write_placeholder(paths.refined(source), f"refine.sources does not name {source}")
        return
    # Imported only here, as torch takes seconds to load.
    from pipeline.learning.refinement.refine import refine_or_explain

    params = read_settings(settings, "refine", RefineParams)
    train_params = read_settings(settings, "train", TrainParams)
    refine_or_explain(source, paths, weights, params, train_params)


if __name__ == "__main__":
    run(main)
