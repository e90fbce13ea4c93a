"""A training step of the volumetric network with real loading, compared with the same step on tensors in memory.

    python -m bench.learning.steps [--quick] [--json FILE] [--backbone resnet50 --input-px 256 --depth-bins 64]
                                   [--batch 32] [--steps 48] [--turns 7]

`step_over_bare` is the time of a step on tensors in memory divided by the time of a step that cuts and augments crops:
1 means that loading costs nothing. The two are measured alternately in one run, and the median of their ratios is
reported; the crop cache is full, as after the first pass. `first_pass` is the same with an empty cache. On a CPU, which
also does the loading, processor time is measured instead of wall time; on a GPU the peak memory is reported too.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from pipeline.learning.engine.device import choose_device, to_device
from pipeline.learning.engine.loader import shuffled
from pipeline.learning.images.networks import Architecture, PoseNetwork
from pipeline.learning.images.samples import Samples
from pipeline.learning.images.volumetric import VolumetricTask
from pipeline.params.file import read_params
from pipeline.params.train import TrainParams
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.video.packing import pack_frames

FRAME_PX, PERSON_PX = 320, 160
BATCHES = 8  # kept in memory
Batch = tuple[np.ndarray, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="three turns of 16 steps")
    parser.add_argument("--batch", type=int, default=32, help="images a step")
    parser.add_argument("--steps", type=int, default=48, help="steps a turn")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--backbone", default="slim")
    parser.add_argument("--input-px", type=int, default=64)
    parser.add_argument("--depth-bins", type=int, default=16)
    args = parser.parse_args()
    architecture = Architecture(args.backbone, 32 if args.backbone == "slim" else 0, args.depth_bins)
    params = read_params().train.model_copy(update={"input_px": args.input_px, "depth_bins": args.depth_bins})
    turns, steps = (3, 16) if args.quick else (args.turns, args.steps)
    with tempfile.TemporaryDirectory() as folder:
        samples = made_samples(Path(folder), BATCHES * args.batch)
        figures = measured(samples, architecture, params, turns, steps)
    for name, value in figures.items():
        print(f"{name}: {value:.3g}")
    if args.json:
        args.json.write_text(json.dumps(figures) + "\n")


def measured(
    samples: Samples, architecture: Architecture, params: TrainParams, turns: int, steps: int
) -> dict[str, float]:
    batch = len(samples) // BATCHES
    task = VolumetricTask(samples, samples, params)
    step = stepper(architecture, task)
    kept = list(loaded(task, batch, BATCHES))
    timed(step, kept[:4])
    bare_s, ratios, first_pass = [], [], []
    for _ in range(turns):
        bare_s.append(timed(step, (kept[i % BATCHES] for i in range(steps))) / steps)
        ratios.append(bare_s[-1] / (timed(step, loaded(task, batch, steps)) / steps))
        fresh = VolumetricTask(samples, samples, params)
        first_pass.append(bare_s[-1] / (timed(step, loaded(fresh, batch, BATCHES)) / BATCHES))
    figures = {
        "step_over_bare": float(np.median(ratios)),
        "first_pass": float(np.median(first_pass)),
        "bare_images_per_s": batch / float(np.median(bare_s)),
    }
    if choose_device().type == "cuda":
        figures["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return figures


def loaded(task: VolumetricTask, batch: int, n: int) -> Iterator[Batch]:
    orders = shuffled(np.arange(len(task)), batch, n, (0,))
    return task.batches(orders, (0, 1), first=0, shard=(0, 1))


def stepper(architecture: Architecture, task: VolumetricTask) -> Callable[[Batch], None]:
    network = to_device(PoseNetwork(architecture), choose_device()).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4, fused=True)

    def step(batch: Batch) -> None:
        loss = task.loss(network, batch, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def timed(step: Callable[[Batch], None], batches: Iterable[Batch]) -> float:
    """Wall-clock seconds on a GPU, which loading must keep busy; CPU seconds of all threads on a CPU."""
    gpu = choose_device().type == "cuda"
    clock = time.perf_counter if gpu else time.process_time
    start = clock()
    for batch in batches:
        step(batch)
    if gpu:
        torch.cuda.synchronize()
    return clock() - start


def made_samples(folder: Path, n: int) -> Samples:
    """Random frames with the texture of real ones, packed as by the pipeline, and poses at random positions."""
    rng = np.random.default_rng(0)
    grain = (rng.integers(0, 256, (20, 20, 3), np.uint8) for _ in range(n))
    frames = (cv2.resize(small, (FRAME_PX, FRAME_PX), interpolation=cv2.INTER_CUBIC) for small in grain)
    pack_frames(folder / "view.jpegs", frames, 92)
    center = rng.uniform(FRAME_PX * 0.4, FRAME_PX * 0.6, (n, 2))
    joints_px = center[:, None] + rng.normal(0, PERSON_PX / 5, (n, N_JOINTS, 2))
    joints_cam_mm = np.concatenate([joints_px * 10, rng.normal(4000, 200, (n, N_JOINTS, 1))], -1)
    return Samples(
        files=np.full(n, str(folder / "view.jpegs")), frames=np.arange(n), recordings=np.full(n, "bench"),
        subjects=np.full(n, "bench"), center_px=center, side_px=np.full(n, 1.25 * PERSON_PX),
        detected_root_px=joints_px[:, ROOT],
        focal_px=np.full(n, 400.0), joints_px=joints_px, joints_cam_mm=joints_cam_mm,
        uncertainty_mm=np.full((n, N_JOINTS), 10.0),
    )  # fmt: skip


if __name__ == "__main__":
    main()
