"""Peak memory: all processes of a stage together, in the same unit on every system."""

import resource
import subprocess
import sys
import time
from types import SimpleNamespace

from pipeline import memory
from pipeline.memory import PeakMemory, own_peak_bytes

CHILD_MIB = 150
# A child that fills memory, says so, and waits until its input ends.
CHILD = f"import sys; held = b'x' * ({CHILD_MIB} << 20); print('full', flush=True); sys.stdin.read()"


def test_children_that_run_at_the_same_time_add_up():
    before = memory.tree_bytes() / 2**20
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout.readline() == b"full\n"
        time.sleep(memory.MIN_AGE_S)
        with PeakMemory() as peak:
            pass  # one look at the processes is enough
    finally:
        for child in children:
            child.communicate()
    assert before + 2 * CHILD_MIB < peak.mib < before + 2 * CHILD_MIB + 100


def test_children_one_after_the_other_do_not(monkeypatch):
    monkeypatch.setattr(memory, "INTERVAL_S", 0.02)
    monkeypatch.setattr(memory, "own_peak_bytes", lambda: 0)
    before = memory.tree_bytes() / 2**20
    with PeakMemory() as peak:
        for _ in range(2):
            child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert child.stdout.readline() == b"full\n"
            time.sleep(memory.MIN_AGE_S + 0.2)
            child.communicate()
    assert before + CHILD_MIB < peak.mib < before + 2 * CHILD_MIB


def test_a_process_that_has_not_started_its_program_is_not_counted(monkeypatch):
    """Until then it shares all memory of its parent."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"full\n"
        time.sleep(memory.MIN_AGE_S)
        counted = memory.tree_bytes()
        monkeypatch.setattr(memory, "MIN_AGE_S", 1e6)
        assert memory.tree_bytes() < counted - CHILD_MIB * 2**20


def test_a_short_peak_of_the_process_itself_is_seen(monkeypatch):
    monkeypatch.setattr(memory, "tree_bytes", lambda: 0)
    monkeypatch.setattr(memory, "own_peak_bytes", lambda: 7 * 2**20)
    with PeakMemory() as peak:
        pass
    assert peak.mib == 7


def test_the_unit_is_the_systems(monkeypatch):
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=3 * 2**20))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert own_peak_bytes() == 3 * 2**20
    monkeypatch.setattr(sys, "platform", "linux")
    assert own_peak_bytes() == 3 * 2**30
