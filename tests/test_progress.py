"""Progress in a log: every item is passed on, with lines at intervals and one at the end."""

import logging

import pytest

from pipeline import progress as module
from pipeline.progress import progress


@pytest.fixture
def clock(monkeypatch, caplog):
    """A clock that a test moves; stderr is not a terminal."""
    caplog.set_level(logging.INFO, "epiline")
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: False, raising=False)
    return now


def consume(clock, items, seconds_per_item, **kwargs):
    found = []
    for item in progress(items, "Frames", unit="video", **kwargs):
        found.append(item)
        clock[0] += seconds_per_item
    return found


def test_lines_with_rate_and_time_left(clock, caplog):
    assert consume(clock, [1, 2, 3, 4, 5], 6.0) == [1, 2, 3, 4, 5]
    assert caplog.messages == [
        "Frames: 2/5 videos, 0.2 videos/s, 18 s left",
        "Frames: 4/5 videos, 0.2 videos/s, 6 s left",
        "Frames: 5 videos in 30.0 s",
    ]


def test_without_a_length_no_time_left_is_known(clock, caplog):
    assert consume(clock, iter("abc"), 10.0) == ["a", "b", "c"]
    assert caplog.messages[0] == "Frames: 1 videos, 0.1 videos/s"


def test_a_given_total_is_used(clock, caplog):
    consume(clock, iter("abc"), 10.0, total=3)
    assert caplog.messages[0] == "Frames: 1/3 videos, 0.1 videos/s, 20 s left"


def test_no_items(clock, caplog):
    assert consume(clock, [], 1.0) == []
    assert caplog.messages == ["Frames: 0 videos in 0.0 s"]
