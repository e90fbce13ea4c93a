"""The section of playable sequences."""

import numpy as np

from pipeline.report.sections.sequences import sequence_section
from tests.world.people import N_FRAMES


def test_the_network_in_one_view_and_labels_in_all(shown):
    network, labels = (block.data for block in sequence_section(shown.data).blocks)
    assert [len(network["videos"]), len(labels["videos"])] == [1, 3]
    assert all(len(video["images"]) == N_FRAMES for video in labels["videos"])
    assert [layer["name"] for layer in network["scene"]["layers"]][1:] == ["truth", "label", "prediction"]
    assert len(network["videos"][0]["layers"]) == 3


def test_skeletons_lie_in_the_images(shown):
    video = sequence_section(shown.data).blocks[0].data["videos"][0]
    px = np.array(video["layers"][0]["frames"], float).reshape(N_FRAMES, -1, 2)
    assert (px >= 0).all()
    assert (px < video["size"]).all()


def test_without_truth_labels_are_shown_alone(shown_without_truth):
    labels = sequence_section(shown_without_truth.data).blocks[1].data
    assert [layer["name"] for layer in labels["scene"]["layers"]][1:] == ["label"]
