"""Alerts about a training: too little to learn from, joints without targets, nothing to test on."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from pipeline.alerts import Alert
from pipeline.errors import UserError
from pipeline.skeleton import JOINTS

FEW_SAMPLES = 500  # images, or frames for lifting; a network that is trained on fewer knows only these
FEW_TARGETS = 0.02  # share of the samples; a joint with targets in fewer of them is not learnt
SUBJECT = "3D network"


class NoTrainingDataError(UserError):
    """The footage gave nothing to train on, although the parameters allow it."""


def training_alerts(n_samples: int, target_share: Float[np.ndarray, "17"], *, has_test: bool) -> Iterator[Alert]:
    """The doubts about a training on some samples, in which each joint has a target in some share of them."""
    rare = [name for name, share in zip(JOINTS, target_share, strict=True) if share < FEW_TARGETS]
    if rare:
        yield Alert(
            kind="joints_not_trained", severity="warning", subject=SUBJECT,
            message=f"it did not learn {', '.join(rare)}; what it predicts of them has no meaning",
            evidence=f"they have labels in less than {100 * FEW_TARGETS:.0f} % of the training images",
            mend="Film the whole person.",
        )  # fmt: skip
    if n_samples < FEW_SAMPLES:
        yield Alert(
            kind="few_training_samples", severity="warning", subject=SUBJECT,
            message="it was trained on very few images", evidence=f"{n_samples} images with labels",
            mend="Film for longer, or more people.",
        )  # fmt: skip
    if not has_test:
        yield Alert(
            kind="no_test_recordings", severity="note", subject=SUBJECT,
            message="no recording was kept for testing, so its error on other people is not known",
            mend="Name some subjects in capture.test_subjects.",
        )  # fmt: skip


def not_trained(error: NoTrainingDataError) -> Alert:
    """The alert about a training that was not possible."""
    return Alert(
        kind="not_trained", severity="error", subject=SUBJECT, message="no network was trained",
        evidence=error.what.rstrip("."), mend=error.fix,
    )  # fmt: skip
