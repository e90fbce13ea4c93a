"""aniposelib and Pose2Sim, called in the environment that `make bench-peers` makes for them."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.geometry.simulation import Capture

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv-peers" / "bin" / "python"


def available() -> bool:
    """Whether the peers are installed."""
    return PYTHON.exists()


def call(task: str, captures: Sequence[Capture], repeats: int) -> tuple[list[np.ndarray], float]:
    """What a task of worker.py makes of captures, (F, J, 3) in mm of each, and the CPU seconds of a round over them.

    Raises RuntimeError with the end of what a task that failed had to say.
    """
    stacked = {name: np.stack([getattr(c, name) for c in captures]) for name in ("px", "confidence", "K", "R", "t")}
    noise_px = np.array([capture.noise_px for capture in captures])
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **stacked, noise_px=noise_px, repeats=repeats)
        command = [PYTHON, HERE / "worker.py", task, source, target]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{task} failed: {done.stderr[-1000:]}")
        with np.load(target) as found:
            return list(found["points"]), float(found["cpu_s"])
