"""The parts of a recording that time offsets are looked for in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.frame_sampling import spread_windows
from pipeline.geometry.verification.time_offset import TimeOffsets, find_time_offsets
from pipeline.labels.observations import assumed_cameras, observe, observe_landmarks, open_detections
from pipeline.params.calibrate import CalibrateParams

# At most this many windows of this many seconds, and of at least this many frames, are read.
WINDOWS, WINDOW_S, WINDOW_FRAMES = 6, 10.0, 64
# A long recording is also looked at in this many parts, of at least this many seconds and frames.
PARTS, PART_S, PART_FRAMES = 3, 2.0, 40


@dataclass(frozen=True)
class Sampled:
    """All landmarks in windows spread over a recording."""

    points_norm: np.ndarray  # (F, L, V, 2)
    sigma: np.ndarray  # (F, L, V)
    window: np.ndarray  # (F,) number of the window
    frames: np.ndarray  # (F,) of the recording
    fps: float

    @property
    def has_detections(self) -> np.ndarray:
        """Which views (V,) have any."""
        seen: np.ndarray = np.isfinite(self.sigma).any((0, 1))
        return seen

    def offsets(self, search_s: float, seed: int) -> TimeOffsets:
        """The time offsets of the views, of at most `search_s` seconds."""
        return find_time_offsets(
            self.points_norm, self.sigma, self.window, fps=self.fps, seed=seed, search_s=search_s
        )  # fmt: skip

    def parts(self) -> "list[Sampled]":
        """The parts of a long recording; none of a short one."""
        n = len(self.frames)
        if n < PARTS * max(PART_S * self.fps, PART_FRAMES):
            return []
        return [self._taken(rows) for rows in np.array_split(np.arange(n), PARTS)]

    def _taken(self, rows: np.ndarray) -> "Sampled":
        window = self.window[rows] - self.window[rows[0]]
        return Sampled(self.points_norm[rows], self.sigma[rows], window, self.frames[rows], self.fps)


def read_sampled(recording: Recording, poses2d: Path, params: CalibrateParams) -> Sampled:
    """Read the windows of a recording, at the times of its views."""
    poses = open_detections(poses2d, recording)
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    length = max(WINDOW_FRAMES, round(WINDOW_S * recording.fps))
    spans = spread_windows(poses.n_rows, WINDOWS, length)
    if poses.n_rows <= WINDOWS * length:
        spans = [(0, poses.n_rows)]
    parts, least = [], params.min_confidence
    for rows in spans:
        observed = observe(recording, cameras, poses, rows, min_confidence=least)
        parts.append(observe_landmarks(recording, cameras, poses, rows, observed, min_confidence=least))
    points_norm, sigma = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    window = np.repeat(np.arange(len(parts)), [len(part[1]) for part in parts])
    frames = np.concatenate([np.arange(*rows) for rows in spans])
    return Sampled(points_norm, sigma, window, frames, recording.fps)
