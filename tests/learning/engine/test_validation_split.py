import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.learning.engine.validation_split import validation_mask

RECORDINGS = np.repeat(["a", "b"], 40)
SUBJECTS = np.repeat(["S1", "S2"], 40)
FRAMES = np.tile(np.arange(40), 2)


def test_the_last_frames_of_every_recording_are_for_validation():
    mask = validation_mask(RECORDINGS, SUBJECTS, FRAMES, [])
    assert set(FRAMES[mask]) == {38, 39}
    assert mask.reshape(2, 40).sum(1).tolist() == [2, 2]


def test_chosen_subjects_are_for_validation():
    assert (validation_mask(RECORDINGS, SUBJECTS, FRAMES, ["S2"]) == (SUBJECTS == "S2")).all()


@pytest.mark.parametrize("chosen", [["S3"], ["S1", "S2"]])
def test_subjects_that_leave_nothing_to_split_are_refused(chosen):
    with pytest.raises(UserError, match=r"validation_subjects = .*, but the subjects to train on are \['S1', 'S2'\]"):
        validation_mask(RECORDINGS, SUBJECTS, FRAMES, chosen)
