"""A world of stick figures that is ready for training: learnable in seconds, its frames kept as plain arrays."""

from pathlib import Path

import torch

from pipeline.capture import read_capture
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.images.networks import Architecture, PoseNetwork
from pipeline.learning.images.samples import Samples, training_samples
from pipeline.learning.supervision import target_reader
from pipeline.learning.train import train_network
from pipeline.params.train import TrainParams
from pipeline.stores import POSES2D, open_store
from tests.world.capture import World, stick_figure_world
from tests.world.detections import write_poses2d
from tests.world.frames import write_array_frames
from tests.world.labels import write_exact_labels
from tests.world.rigs import write_rigs


class TrainingWorld(World):
    """A world and what training makes of it."""

    def train(self, params: TrainParams) -> None:
        """Train a network and predict with it, as the stage train does."""
        train_network(self.paths, self.paths.detector, params)

    def samples(self, params: TrainParams) -> Samples:
        """The samples that an image network is trained on."""
        capture, poses2d = read_capture(self.paths.frames), open_store(self.paths.poses2d, POSES2D)
        needs_scale = params.crop == "metric"
        return training_samples(capture, poses2d, target_reader(params, self.paths), needs_scale=needs_scale)


def write_training_world(root: Path) -> TrainingWorld:
    """Stick figures with frames, exact detections, rigs and labels of all views, and an untrained detector."""
    world = TrainingWorld(**vars(stick_figure_world(root)))
    write_array_frames(world)
    write_poses2d(world)
    write_rigs(world, for_evaluation=True)
    write_exact_labels(world)
    torch.manual_seed(0)
    network = PoseNetwork(Architecture("slim", 8, 1))
    save_network(world.paths.detector, network, input_px=64, margin=1.25, trained_on="nothing")
    return world
