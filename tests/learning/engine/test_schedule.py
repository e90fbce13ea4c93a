from typing import get_args

import numpy as np

from pipeline.learning.engine.schedule import Schedule, learning_rate
from pipeline.params.train import LoopParams


def test_the_learning_rate_warms_up_and_falls():
    rates = [learning_rate(2.0, step, 200, warm_up=0.05) for step in range(200)]
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == 2.0
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert 0.02 <= rates[-1] < 0.03
    assert learning_rate(1.0, 0, 1, warm_up=0.05) == 1.0


def test_without_warm_up_the_first_step_has_the_peak():
    assert learning_rate(1.0, 0, 100, warm_up=0.0) == 1.0


def test_the_papers_steps():
    """A tenth after 90 and again after 120 of 140 epochs, here of ten steps each."""
    rates = [learning_rate(1.0, step, 1400, warm_up=0.05, schedule="step") for step in range(1400)]
    np.testing.assert_allclose([rates[i] for i in (899, 900, 1199, 1200)], [1, 0.1, 0.1, 0.01])


def test_the_parameters_choices_are_the_schedules():
    assert get_args(LoopParams.model_fields["schedule"].annotation) == get_args(Schedule)
