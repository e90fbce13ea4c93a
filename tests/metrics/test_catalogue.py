"""All metrics at once: the same figures as one by one, whatever the chunks."""

import numpy as np
import pytest

from pipeline import metrics
from pipeline.skeleton import N_JOINTS, joint
from tests.metrics.poses import moved, poses


def sequence(n=12):
    true = poses(1, n)
    predicted = moved(true, 3, 0.9) + 0.3 * poses(2, n)
    predicted[3] = np.nan
    predicted[5, joint("head")] = np.nan
    true[6, joint("l_wrist")] = np.nan
    return predicted, true, np.linspace(0, 1, n)


@pytest.mark.parametrize("protocol", ["standard", "epipolarpose-2019"])
@pytest.mark.parametrize("chunk", [1, 5, 2048])
def test_the_same_figures_as_one_by_one(monkeypatch, chunk, protocol):
    monkeypatch.setattr("pipeline.metrics.catalogue.POSES_PER_CHUNK", chunk)
    predicted, true, times = sequence()
    found = {name: metrics.mean(values) for name, values in metrics.measure(predicted, true, times, protocol).items()}
    expected = {
        "mpjpe_mm": metrics.mpjpe(predicted, true),
        "n_mpjpe_mm": metrics.n_mpjpe(predicted, true, protocol),
        "pa_mpjpe_mm": metrics.pa_mpjpe(predicted, true, protocol),
        "pck150": metrics.pck(predicted, true),
        "auc": metrics.auc(predicted, true),
        "bone_mm": metrics.mean(metrics.bone_errors(predicted, true)),
        "symmetry_mm": metrics.mean(metrics.symmetry_errors(predicted)),
        "velocity_mm_s": metrics.mean(metrics.velocity_errors(predicted, true, times)),
        "acceleration_mm_s2": metrics.mean(metrics.acceleration_errors(predicted, true, times)),
    }
    if protocol == "standard":
        for name, alignment in (("n_", "scale"), ("pa_", "similarity")):
            expected[f"{name}pck150"] = metrics.pck(predicted, true, alignment=alignment)
            expected[f"{name}auc"] = metrics.auc(predicted, true, alignment)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)
    assert set(found) == set(metrics.METRICS)


def test_protocols_differ_where_the_registry_says():
    predicted, true, times = sequence()
    ours, theirs = (metrics.measure(predicted, true, times, p) for p in ("standard", "epipolarpose-2019"))
    for name, metric in metrics.METRICS.items():
        same = np.array_equal(ours[name], theirs[name], equal_nan=True)
        assert same == (metric.protocols == ("standard",)), name


def test_what_needs_a_scale_is_what_a_scale_changes():
    predicted, true, times = sequence()
    ours, scaled = (metrics.measure(s * predicted, true, times) for s in (1.0, 1.5))
    for name, metric in metrics.METRICS.items():
        same = np.allclose(ours[name], scaled[name], equal_nan=True)
        assert same != metric.needs_scale, name


def test_a_perfect_prediction():
    _, true, times = sequence()
    for name, values in metrics.measure(true, true, times).items():
        best = 100 if metrics.METRICS[name].higher_is_better else 0
        # An alignment is exact to rounding alone, which the threshold of 0 mm does not allow.
        atol = 100 / 31 if name.endswith("_auc") else 1e-6
        if name != "symmetry_mm":
            np.testing.assert_allclose(values[np.isfinite(values)], best, atol=atol, err_msg=name)


@pytest.mark.parametrize(
    ("predicted", "times"), [((12, 16, 3), 12), ((11, 17, 3), 12), ((12, 17, 3), 11), ((12, 1, 17, 3), 12)]
)
def test_what_does_not_fit_is_refused_with_both_sides_named(predicted, times):
    with pytest.raises(ValueError, match=r"measure: \w+ is of shape .* but should be \("):
        metrics.measure(np.zeros(predicted), np.zeros((12, N_JOINTS, 3)), np.arange(times))


def test_joints_that_are_infinite_or_half_missing_are_refused():
    predicted, true, times = sequence()
    predicted[2, 3] = np.inf
    predicted[7, 4, 2] = np.nan
    true[8, 2, :2] = np.nan
    with pytest.raises(ValueError, match="2 predicted and 1 true joints are infinite or half missing"):
        metrics.measure(predicted, true, times)
