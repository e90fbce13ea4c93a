"""Which samples are kept out of the training to judge it by; never the test's."""

import numpy as np

from pipeline.errors import UserError

# Share of every recording's frames, at its end, that is kept out of the training where no subject is.
HELD_OUT = 0.05


def validation(recordings: np.ndarray, subjects: np.ndarray, frames: np.ndarray, chosen: list[str]) -> np.ndarray:
    """Whether each sample (N,) is of the chosen subjects, or with none chosen of the last frames of its recording.

    Names of recordings and subjects and frame numbers are (N,). Raises UserError where a chosen subject is not there,
    or no other is.
    """
    known = set(subjects.tolist())
    if not known > set(chosen):
        what = f"train.held_out_subjects = {chosen}, but the subjects to train on are {sorted(known)}"
        raise UserError(what, fix="Name some of them, not all.")
    if chosen:
        return np.isin(subjects, chosen)
    apart = np.zeros(len(frames), bool)
    for name in np.unique(recordings):
        here = recordings == name
        apart |= here & (frames >= np.quantile(frames[here], 1 - HELD_OUT))
    return apart
