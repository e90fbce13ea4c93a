"""Clocks that run at different rates."""

import numpy as np
import pytest

from pipeline.geometry.verification.time_offset import Solution, TimeOffsets
from pipeline.labels.synchronisation.drift import Part, drift_left

STEP = np.array([True, True, True])


def part(first: int, offsets: list[float], std: float = 0.05) -> Part:
    """A part of 100 frames with these offsets, each with an error of its own."""
    n = len(offsets)
    influences = np.zeros((n, n, 2))
    influences[..., 0] = std * np.eye(n) / np.sqrt(2)
    solution = Solution(np.array(offsets), influences.reshape(n, -1), np.zeros((n, 2)), np.zeros((n, 2)), 1.0, 0.0)
    unknown = np.full(n, np.nan)
    found = TimeOffsets(np.array(offsets), unknown, unknown, unknown, np.ones(n, bool), np.ones(n, bool), solution)
    return Part(np.arange(first, first + 100), found)


def test_a_line_through_the_parts_is_found():
    parts = [part(first, [0, 0, 2e-3 * (first + 49.5) - 1]) for first in (0, 500, 900)]
    found = drift_left(parts, np.array([True, True, False]), 1000)
    assert set(found) == {2}
    np.testing.assert_allclose(found[2].rows(np.array([0.0, 999])), [-1, 999 + 2e-3 * 999 - 1])


def test_a_view_that_drifts_from_all_others_is_found_among_the_reference_views():
    parts = [part(first, [0, 2e-3 * (first - 500), 0]) for first in (0, 450, 900)]
    assert set(drift_left(parts, STEP, 1000)) == {1}


@pytest.mark.parametrize("offsets", [(0.0, 0.02, -0.01), (0.0, 3.0, 0.0)])
def test_noise_and_steps_are_no_drift(offsets):
    parts = [part(first, [0, 0, offset]) for first, offset in zip((0, 450, 900), offsets, strict=True)]
    assert drift_left(parts, STEP, 1000) == {}


def test_short_recordings_have_no_parts():
    assert drift_left([], STEP, 100) == {}
