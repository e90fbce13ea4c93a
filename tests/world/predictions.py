"""The network's predictions of a world: its true joints with a known error, and the same refined."""

from pathlib import Path

from pipeline.skeleton import joint
from pipeline.stores import PREDICTIONS, create_store
from tests.world.capture import World
from tests.world.records import PREDICTIONS_SUMMARY, prediction_record


def write_predictions(world: World, depth_mm: float = 34.0, path: Path | None = None) -> None:
    """Predictions of the test recordings: the truth, the right ankle `depth_mm` too far away along its ray."""
    with create_store(path or world.paths.predictions, PREDICTIONS, PREDICTIONS_SUMMARY) as store:
        for recording in world.capture.recordings:
            if recording.split != "test":
                continue
            px = world.joints_px(recording.name)
            true_depth = world.joints_cam_mm(recording.name)[..., 2]
            depth, root = true_depth.copy(), true_depth[..., :1]
            depth[..., joint("r_ankle")] += depth_mm
            sizes = {"frame": len(px), "view": px.shape[1]}
            group = store.create(recording.name, sizes, prediction_record(recording)).person(0)
            group.write(0, {"joints_px": px, "relative_depth": (depth - root) / root})


def write_refined(world: World, source: str) -> None:
    """Refinement on a source: predictions with half of the network's error, weights and a curve."""
    folder = world.paths.refined(source)
    write_predictions(world, depth_mm=17.0, path=folder / "predictions.zarr")
    (folder / "refiner.pt").write_bytes(b"weights")
    (folder / "curve.csv").write_text("epoch,train_loss\n1,0.5\n2,0.25\n")
