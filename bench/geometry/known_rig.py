"""Triangulation with a known rig: accuracy and speed of every method on the same detections."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import Errors, Table, cpu_seconds
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from bench.peers import opencv, remote
from pipeline.geometry.triangulation import methods as triangulation

try:
    from bench.peers import colmap
except ImportError:
    colmap = None  # type: ignore[assignment]

NOTE = """Error in mm, not aligned, 5 px of noise, 5 % outliers, four views five metres away; "clean": no outliers;
PA: PA-MPJPE, a frame without labels counted as 150 mm. One row uses no extrinsics; all other methods use the
true ones. Frames of 17 joints per second of CPU time, one thread, without undistortion. Ours, OpenCV and aniposelib's
linear method take all points at once; Pose2Sim and pycolmap take one point per call, so they run in a Python loop, and
much of the difference in speed is batching. The inlier thresholds, 4 standard deviations for pycolmap and 3 for
Pose2Sim (15 px, its default), are the best ones for each library here."""

# Takes captures and a number of repeats; returns the points (F, J, 3) of each capture and the CPU time of one round.
Call = Callable[[Sequence[Capture], int], tuple[list[np.ndarray], float]]


@dataclass(frozen=True)
class Method:
    """A row of the table: one method of triangulation."""

    key: str
    name: str
    call: Call
    fast: bool = True  # timed on one long capture
    share: float = 1.0  # share of the frames that the method is run on; below 1 for slow methods
    in_world: bool = True  # false: the points are in another world frame, so only aligned errors are measured
    full_only: bool = False


def here(function: Callable[[Capture], np.ndarray]) -> Call:
    """A method that runs in this process."""

    def call(captures: Sequence[Capture], repeats: int) -> tuple[list[np.ndarray], float]:
        points: list[np.ndarray] = []

        def round_() -> None:
            points[:] = [function(capture) for capture in captures]

        return points, cpu_seconds(round_, repeats)

    return call


def there(task: str) -> Call:
    """A method that runs in the environment of aniposelib and Pose2Sim."""
    return lambda captures, repeats: remote.call(task, captures, repeats)


def oracle(capture: Capture) -> np.ndarray:
    """Points (F, J, 3) by maximum likelihood with the outliers known and left out."""
    outlier = np.swapaxes(capture.outlier, 1, 2)
    sigma = np.where(outlier, np.inf, capture.noise_px / capture.K[:, 0, 0])
    return triangulation.robust(capture.points_norm, sigma, capture.R, capture.t)


def methods() -> Iterator[Method]:
    """The methods whose libraries are installed."""
    yield Method("linear", "ours: linear", here(ours.linear))
    yield Method("robust", "ours: robust", here(ours.robust))
    yield Method("robust_bones", "ours: robust + own bone lengths", here(ours.robust_bones))
    yield Method("self", "ours: the same, rig found from the people", here(ours.without_extrinsics), in_world=False)
    yield Method("pairs", "ours: pairs, geometric median (the paper)", here(ours.pairwise_median))
    yield Method("oracle", "oracle: outliers known", here(oracle))
    yield Method("opencv", "OpenCV optimal pairs, geometric median", here(opencv.pairs), fast=False)
    if colmap is not None:
        yield Method("pycolmap", "pycolmap LO-RANSAC", here(colmap.robust), fast=False)
    if remote.available():
        yield Method("aniposelib", "aniposelib triangulate", there("anipose_linear"))
        yield Method("pose2sim", "Pose2Sim best cameras", there("pose2sim_best"), fast=False)
        yield Method("", "Pose2Sim weighted", there("pose2sim_weighted"), fast=False, full_only=True)
        yield Method("", "aniposelib ransac", there("anipose_ransac"), fast=False, share=0.02, full_only=True)
        yield Method("", "aniposelib optim (bones)", there("anipose_optim"), fast=False, share=0.1, full_only=True)


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table and return its figures for the summary."""
    spoiled = scenes.film(sizes.captures, sizes.frames, noise_px=NOISE_PX, outliers=OUTLIERS)
    clean = scenes.film(sizes.captures, sizes.frames, noise_px=NOISE_PX, outliers=0.0) if sizes.full else []
    [long] = scenes.film(1, sizes.long_frames, noise_px=NOISE_PX, outliers=OUTLIERS)
    table = Table(
        "Triangulation with a known rig", NOTE, ["method", "mean", "99th pct", "PA", "joints %", "clean", "frames/s"]
    )
    found: dict[str, tuple[Errors, float]] = {}
    for method in methods():
        if sizes.full or not method.full_only:
            frames = max(round(method.share * sizes.frames), 1)
            parts = [c.first(frames) for c in spoiled], [c.first(frames) for c in clean]
            found[method.key] = _row(table, method, *parts, long, sizes.repeats)
    return _figures(found)


def _row(
    table: Table, method: Method, spoiled: list[Capture], clean: list[Capture], long: Capture, repeats: int
) -> tuple[Errors, float]:
    """Print a row and return the errors and the rate."""
    points, seconds = method.call(spoiled, 1)
    errors = Errors.of(points, [capture.joints_world_mm for capture in spoiled])
    without = Errors.of(method.call(clean, 1)[0], [c.joints_world_mm for c in clean]).mean if clean else None
    if method.fast:
        rate = len(long.px) / method.call([long], repeats)[1]
    else:
        rate = sum(len(capture.px) for capture in spoiled) / seconds
    world = (errors.mean, errors.p99) if method.in_world else (None, None)
    table.row(method.name, *world, errors.pa, 100 * errors.given, without if method.in_world else None, rate)
    return errors, rate


def _figures(found: dict[str, tuple[Errors, float]]) -> dict[str, float]:
    figures = {
        "robust_mm": found["robust"][0].mean, "robust_bones_mm": found["robust_bones"][0].mean,
        "linear_frames_per_s": found["linear"][1], "robust_frames_per_s": found["robust"][1],
    }  # fmt: skip
    for own, peer in (("robust", "pycolmap"), ("robust", "pose2sim"), ("linear", "aniposelib")):
        if peer in found:
            figures[f"{own}_over_{peer}"] = found[own][1] / found[peer][1]
    for peer in ("pycolmap", "pose2sim"):
        if peer in found:
            figures[f"self_best_over_{peer}_pa"] = found["self"][0].pa / found[peer][0].pa
    return figures
