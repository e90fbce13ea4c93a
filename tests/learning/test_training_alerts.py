"""What is doubtful about a training."""

import numpy as np

from pipeline.learning.training_alerts import FEW_SAMPLES, NoTrainingDataError, not_trained, training_alerts
from pipeline.skeleton import N_JOINTS, joint


def test_a_training_on_much_is_not_doubted():
    assert not list(training_alerts(FEW_SAMPLES, np.ones(N_JOINTS), has_test=True))


def test_every_doubt_is_one_alert():
    share = np.ones(N_JOINTS)
    share[joint("l_knee")] = 0.01
    alerts = list(training_alerts(FEW_SAMPLES - 1, share, has_test=False))
    assert [alert.kind for alert in alerts] == ["joints_not_trained", "few_training_samples", "no_test_recordings"]
    assert "l_knee" in alerts[0].message


def test_the_error_becomes_an_alert_with_its_advice():
    alert = not_trained(NoTrainingDataError("None of 3 images has a label", fix="Film again."))
    assert str(alert) == "error: 3D network: no network was trained (None of 3 images has a label). Film again."
