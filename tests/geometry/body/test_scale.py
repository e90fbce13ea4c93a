"""Scale from people: exact people, noise, segments seen too rarely, and standard deviations that hold."""

import numpy as np
import pytest

from pipeline.geometry.body.proportions import ANKLE_SHARE, LIMBS, STATURE_MM
from pipeline.geometry.body.scale import bone_scale, height_scale, mean_scale, scale_from_bones
from pipeline.geometry.body.segment_lengths import segment_lengths
from pipeline.geometry.camera.reprojection import covariance
from pipeline.geometry.triangulation.methods import robust
from pipeline.skeleton import BONES, JOINTS, joint
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person
from tests.world.cameras import observed, ring
from tests.world.people import people

STATURE = (408 + 428 + 258 + 258 + 120 + 110) / (1 - ANKLE_SHARE)  # of the people below


def scale_of(joints, scatter=None):
    return scale_from_bones([[segment_lengths(joints, scatter)]])


def test_scale_from_bones():
    joints = people(50, swing=0.2)  # built with mean adult proportions
    assert bone_scale(joints / 7) == pytest.approx(7, rel=0.005)
    joints[:, joint("l_knee")] = np.nan  # the other side is enough
    joints[::2] *= np.nan
    assert bone_scale(joints / 7) == pytest.approx(7, rel=0.005)
    nobody = scale_of(joints * np.nan)
    assert np.isnan([nobody.factor, nobody.std]).all()


def test_scale_from_the_height():
    scale = height_scale(people(50) / 7, STATURE)
    assert scale.factor == pytest.approx(7)
    assert 0.03 < scale.std < 0.04


def test_a_height_and_the_arms_alone():
    joints = people(50)
    joints[:, [joint(f"{side}_{name}") for side in "lr" for name in ("hip", "knee", "ankle")]] = np.nan
    scale, guessed = height_scale(joints / 7, 1.1 * STATURE_MM), scale_of(joints / 7)
    assert scale.factor == pytest.approx(1.1 * 7, rel=1e-6)
    assert scale.std < guessed.std


def test_noise_does_not_bias_the_scale():
    joints, (R, t) = people(400), ring(4)
    points_norm, sigma = observed(joints, R, t, noise_px=8)
    points = robust(points_norm, sigma, R, t)
    scatter = covariance(points, np.full_like(sigma, 0.008), R, t)[..., *np.triu_indices(3)]
    biased = np.median([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in BONES], axis=1)
    true = np.array([np.linalg.norm(joints[0, a] - joints[0, b]) for a, b in BONES])
    assert np.median(biased / true) > 1.01
    assert bone_scale(points, scatter) == pytest.approx(bone_scale(joints), rel=0.004)
    assert height_scale(points, STATURE, scatter).factor == pytest.approx(1, abs=0.006)


def test_a_limb_seen_in_few_frames_does_not_count():
    joints = people(100, swing=0.2)
    legs = [joint(f"{side}_{name}") for side in "lr" for name in ("knee", "ankle")]
    short = joints.copy()
    short[:, legs] = joints[:, [joint("l_hip"), joint("l_hip"), joint("r_hip"), joint("r_hip")]] + 0.5 * (
        joints[:, legs] - joints[:, [joint("l_hip"), joint("l_hip"), joint("r_hip"), joint("r_hip")]]
    )
    short[3:, legs] = np.nan
    arms_alone = short.copy()
    arms_alone[:, legs] = np.nan
    assert scale_of(short) == scale_of(arms_alone)
    assert scale_of(arms_alone).std > scale_of(joints).std


def test_a_wrong_limb_loses_weight_and_raises_the_uncertainty():
    joints = people(100, swing=0.2)
    joints[:, joint("l_ankle")] += 0.4 * (joints[:, joint("l_knee")] - joints[:, joint("l_ankle")])
    joints[:, joint("r_ankle")] += 0.4 * (joints[:, joint("r_knee")] - joints[:, joint("r_ankle")])
    wrong, right = scale_of(joints), scale_of(people(100, swing=0.2))
    assert abs(np.log(wrong.factor)) < 0.08
    assert wrong.std > right.std


def test_noisy_limbs_weigh_less():
    """Forearms 20 % too long, seen with a scatter of 3 or of 60 mm: the scatter costs them their weight."""
    rng = np.random.default_rng(0)
    joints = people(100, swing=0.2)
    errors = []
    for scatter_mm in (3.0, 60.0):
        noisy = joints.copy()
        for side in "lr":
            elbow, wrist = noisy[:, joint(f"{side}_elbow")], noisy[:, joint(f"{side}_wrist")]
            noisy[:, joint(f"{side}_wrist")] = elbow + 1.2 * (wrist - elbow) + rng.normal(0, scatter_mm, elbow.shape)
        errors.append(abs(np.log(scale_of(noisy).factor)))
    assert errors[1] < errors[0]


def test_several_subjects_average_the_stature_but_not_the_detector():
    one = segment_lengths(people(60, swing=0.2))
    alone, three, same = (scale_from_bones(group) for group in ([[one]], [[one]] * 3, [[one] * 3]))
    assert three.std < 0.8 * alone.std
    assert three.std > 0.02
    assert same.std == pytest.approx(alone.std, rel=0.02)


def test_standard_deviations_hold_for_people_of_varied_build():
    """Rendered people, whose builds differ as those of adults do, and a detector that places joints elsewhere."""
    z, whole = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        joints = animate(draw_person(rng), "reach" if seed % 2 else "walk", 3.0, 12.5, rng).bodies.joints_mm
        joints = joints + rng.normal(0, 10, joints.shape)
        scale = scale_of(joints)
        z.append(np.log(scale.factor) / scale.std)
        whole.append(scale.std)
    assert 0.4 < np.mean(np.square(z)) < 1.6
    assert np.abs(z).max() < 3
    assert 0.055 < np.mean(whole) < 0.08


@pytest.mark.parametrize("seen", [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"), ()])
def test_standard_deviations_hold_for_the_stated_spread(seen):
    """Lengths drawn from the stated population, measured with errors of the detector's placement."""
    rng, z = np.random.default_rng(3), []
    base = people(30, swing=0.0)
    for _ in range(150):
        stature = np.exp(rng.normal(0, 0.055))
        joints = base * stature
        for start, end, _ in LIMBS:
            stretch = np.exp(rng.normal(0, 0.035))
            for side in "lr":
                a, b = joint(f"{side}_{start}"), joint(f"{side}_{end}")
                moved = (stretch - 1) * (joints[:, b] - joints[:, a])
                below = [b] + [joint(f"{side}_{e}") for s, e, _ in LIMBS if s == end]
                joints[:, below] += moved[:, None]
        for name, std in (("hip", 40), ("shoulder", 25), ("knee", 25), ("elbow", 20), ("ankle", 20), ("wrist", 20)):
            offset = rng.normal(0, std, 3)
            joints[:, [joint(f"l_{name}"), joint(f"r_{name}")]] += offset
        hidden = [j for j in range(17) if seen and not any(part in JOINTS[j] for part in seen)]
        joints[:, hidden] = np.nan
        scale = scale_of(joints)
        z.append(np.log(scale.factor) / scale.std)
    assert 0.6 < np.mean(np.square(z)) < 1.5


def test_mean_of_scales():
    joints = people(50)
    scales = [height_scale(joints / 7, STATURE), height_scale(joints / 7, 1.02 * STATURE)]
    mean = mean_scale([*scales, scale_of(joints * np.nan)])
    assert mean.factor == pytest.approx(7 * 1.01, rel=1e-3)
    assert mean.std == pytest.approx(scales[0].std, rel=0.05)
    assert np.isnan(mean_scale([]).factor)


def test_infinite_joints_are_refused():
    joints = people(5)
    joints[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="joints has 1 infinite"):
        segment_lengths(joints)
