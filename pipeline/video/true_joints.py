"""The true joints at the times of the packed frames. The truth has no influence on which frames are packed."""

import shutil
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Capture, Recording
from pipeline.geometry.resampling import resample
from pipeline.stores import TRUTH, TruthStore, create_store, open_store

# Joints are interpolated between rows at most this far apart: at 10 m/s2 the path bends by 12 mm between them, most of
# which the cubic follows.
MAX_GAP_S = 0.1
# Recordings in which less than this share of the frames has truth are named.
FULL = 0.99


def write_truth_of_frames(truth: Path, packed: Capture, folder: Path) -> list[Alert]:
    """Write `truth.zarr` into the folder, with the true joints of the kept recordings and frames.

    A recording of which no frame has a true joint is left out, and so is the store if no other is left. Returns alerts
    about the frames without truth.
    """
    source, path = open_store(truth, TRUTH), folder / "truth.zarr"
    alerts: list[Alert] = []
    with create_store(path, TRUTH, source.summary) as store:
        for recording in packed.recordings:
            if recording.name in source:
                alerts += _write(source, store, recording)
        has_truth = bool(list(store))
    if not has_truth:
        shutil.rmtree(path)
    return alerts


def _write(source: TruthStore, store: TruthStore, recording: Recording) -> list[Alert]:
    """Write the truth of one recording."""
    own = source[recording.name]
    person, at_s = own.person(0), recording.moments_s
    times_s = person["time_s"]
    joints = resample(person["joints_world_mm"], times_s, at_s, MAX_GAP_S)
    n_true = int(np.isfinite(joints).all(-1).any(-1).sum())
    if n_true:
        group = store.create(recording.name, {"frame": len(joints)}, own.record).person(0)
        for start, stop in group.shards():
            group.write(start, {"joints_world_mm": joints[start:stop], "time_s": at_s[start:stop]})
    if n_true >= FULL * len(at_s):
        return []
    spans = f"the file has {times_s[0]:.2f} to {times_s[-1]:.2f} s, the footage {at_s[0]:.2f} to {at_s[-1]:.2f} s"
    gaps = f"; rows more than {MAX_GAP_S:g} s apart are not interpolated"
    return [Alert(
        kind="truth_gaps" if n_true else "truth_elsewhere", severity="note" if n_true else "error",
        subject=recording.name,
        message=f"{n_true} of {len(at_s)} frames have true joints" if n_true else "no frame has a true joint",
        evidence=spans + gaps,
        mend="If the clocks differ, set capture.truth.start_s to the time of the first frame in the file.",
    )]  # fmt: skip
