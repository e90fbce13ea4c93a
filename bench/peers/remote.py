"""aniposelib, Pose2Sim and Caliscope, called in the environment that `make bench-peers` makes for them."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.geometry.simulation import Capture

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-peers" / "bin" / "python"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}  # fmt: skip


def available() -> bool:
    """Whether the peers are installed."""
    return PYTHON.exists()


def call(task: str, captures: Sequence[Capture], repeats: int) -> tuple[list[np.ndarray], float]:
    """Run a task of worker.py: its points for each capture, and the CPU seconds of one round over all captures.

    Raises RuntimeError with the last output of a failed task.
    """
    names = ("px", "confidence", "K", "R", "t", "noise_px")
    stacked = {name: np.stack([getattr(capture, name) for capture in captures]) for name in names}
    found = _run("worker.py", task, {**stacked, "repeats": repeats})
    return list(found["made"]), float(found["cpu_s"])


def caliscope_rig(
    px: np.ndarray, K: np.ndarray, dist: np.ndarray, size_px: np.ndarray, trim_percent: float
) -> tuple[np.ndarray, np.ndarray, str]:
    """Caliscope's cameras R (V, 3, 3), t (V, 3) from pixels (F, V, P, 2), in an arbitrary unit, and why it has none.

    `trim_percent` of each camera's observations are removed as outliers; its own default is 2.5. Raises RuntimeError
    with the last output if the task fails otherwise.
    """
    arrays = {"px": px, "K": K, "dist": dist, "size_px": size_px}
    found = _run("caliscope_worker.py", str(trim_percent), arrays)
    return found["R"], found["t"], str(found["reason"])


def _run(script: str, task: str, arrays: dict[str, Any]) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **arrays)
        command = [PYTHON, HERE / script, task, source, target]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | ONE_THREAD)
        if done.returncode:
            raise RuntimeError(f"{task} failed: {done.stderr[-1000:]}")
        with np.load(target) as found:
            return dict(found)
