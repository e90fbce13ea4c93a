"""The bench of time offsets: takes out of step with known offsets, and figures of what was found."""

import numpy as np
import pytest

from bench.sync.__main__ import Result, offset_errors, summary
from bench.sync.real import halved, shifted
from bench.sync.takes import animated_scenes, take_out_of_step
from bench.trust.runs import Outcome
from bench.trust.takes.detector import Noise
from pipeline.skeleton import N_JOINTS

EXACT = Noise(0, 0, 0, 0, outliers=0)


@pytest.fixture(scope="module")
def scene():
    return next(animated_scenes(1))


def test_late_views_show_the_person_as_late_as_said(scene):
    offsets = [0.0, 7.0, 2.5, 0.0]
    take = take_out_of_step(scene, offsets, 0, seconds=2.0, noise=EXACT)
    px, truth = take.arrays["joints_px"], take.truth
    for v in (0, 1):
        seen = truth.cameras[v].project(truth.joints_world_mm)
        n = int(offsets[v])
        np.testing.assert_allclose(px[n:, v], seen[: len(seen) - n], atol=1e-6)
    assert px.shape == (60, 4, N_JOINTS, 2)


def test_real_recipes_move_views_by_the_offsets_they_state(scene):
    take = take_out_of_step(scene, [0.0] * 4, 0, seconds=2.0, noise=EXACT)
    late, usual, expected = shifted(take)
    assert expected == [0, 0, 7, 0]
    np.testing.assert_array_equal(late.arrays["joints_px"][7:, 2], usual.arrays["joints_px"][:-7, 2])
    late, usual, expected = halved(take)
    assert expected == [0, -0.5, 0, -0.5]
    assert late.recording.fps == take.recording.fps / 2
    np.testing.assert_array_equal(
        late.arrays["joints_px"][:, 1], take.arrays["joints_px"][1::2, 1][: len(usual.arrays["joints_px"])]
    )


def test_figures():
    one = Result(np.array([0.1, -0.1]), np.array([0.1, 0.1]), 0, (1.0, 5.0), (1.0, 5.0))
    lost = Result(np.zeros(0), np.zeros(0), 4, (np.inf, np.inf), (1.0, 5.0))
    figures = summary([one, lost])
    assert figures["offset_median_frames"] == figures["offset_p95_frames"] == 0.1
    assert figures["offset_squared_error_over_variance"] == 1.0
    assert figures["rig_over_synchronous"] == 1.0
    assert (figures["offsets_not_found"], figures["rigs_not_found"]) == (4, 1)
    assert offset_errors(Outcome("no rig", []), np.zeros(4))[2] == 4
