"""Selection of the validation samples among the training samples; test recordings are in neither."""

import numpy as np
from jaxtyping import Bool, Int, Shaped

from pipeline.errors import UserError

# Share of the frames, at the end of every recording, that is for validation if there are no validation subjects.
VALIDATION_SHARE = 0.05


def validation_mask(
    recordings: Shaped[np.ndarray, " sample"],
    subjects: Shaped[np.ndarray, " sample"],
    frames: Int[np.ndarray, " sample"],
    validation_subjects: list[str],
) -> Bool[np.ndarray, " sample"]:
    """Whether each sample is for validation: samples of validation subjects, or without these, the last frames.

    Recordings and subjects are names. Raises UserError if a validation subject has no samples, or if only validation
    subjects have samples.
    """
    known = set(subjects.tolist())
    if not known > set(validation_subjects):
        what = f"train.validation_subjects = {validation_subjects}, but the subjects to train on are {sorted(known)}"
        raise UserError(what, fix="Name some of them, not all.")
    if validation_subjects:
        return np.isin(subjects, validation_subjects)
    mask = np.zeros(len(frames), bool)
    for name in np.unique(recordings):
        own = recordings == name
        mask |= own & (frames >= np.quantile(frames[own], 1 - VALIDATION_SHARE))
    return mask
