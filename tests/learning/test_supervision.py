"""Each kind of supervision gives the targets that it promises, and no others."""

from typing import get_args

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.learning.images.samples import split
from pipeline.learning.images.volumetric import VolumetricTask
from pipeline.learning.supervision import SUPERVISION, camera_reader
from pipeline.learning.train import METHODS
from pipeline.params.train import TrainParams
from pipeline.stores import LABELS, RIGS, TRUTH, create_store, open_store, reopen
from tests.world.labels import set_uncertainty
from tests.world.records import TRUTH_SUMMARY, camera_records, truth_record


@pytest.fixture
def shifted(world):
    """Labels that are 300 mm to the right of the truth in every camera."""
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        labels[name].person(0).write(0, {"joints_cam_mm": labels[name].person(0)["joints_cam_mm"] + [300.0, 0, 0]})
    return world


def _by_subject(world, params, **update):
    samples = world.samples(params.model_copy(update=update))
    return {name: samples[samples.subjects == name].joints_cam_mm for name in np.unique(samples.subjects)}


def test_subset_is_the_truth_of_the_named_subjects_alone(shifted, params):
    full = _by_subject(shifted, params, supervision="full")
    subset = _by_subject(shifted, params, supervision="subset", subjects=["S1"])
    assert list(subset) == ["S1"]
    np.testing.assert_array_equal(subset["S1"], full["S1"])


def test_mixed_is_their_truth_and_the_labels_of_the_others(shifted, params):
    full, own = (_by_subject(shifted, params, supervision=kind) for kind in ("full", "self"))
    mixed = _by_subject(shifted, params, supervision="mixed", subjects=["S0"])
    np.testing.assert_array_equal(mixed["S0"], full["S0"])
    np.testing.assert_array_equal(mixed["S1"], own["S1"])
    np.testing.assert_allclose(own["S1"] - full["S1"], np.broadcast_to([300.0, 0, 0], own["S1"].shape), atol=1e-2)


def test_the_parameters_choices_are_those_that_are_registered():
    assert get_args(TrainParams.model_fields["supervision"].annotation) == tuple(SUPERVISION)
    assert get_args(TrainParams.model_fields["model"].annotation) == tuple(METHODS)


def test_no_subject_is_an_error(world, params):
    with pytest.raises(UserError, match=r"No training recording, of S0, S1, has 2D poses and training targets"):
        world.samples(params.model_copy(update={"supervision": "subset", "subjects": ["S9"]}))


def test_true_2d_poses_make_exact_labels_with_the_rig_that_was_found(shifted, params):
    """With the true rig they are the truth; with one of twice the size, twice as far: the truth's 3D is not used."""
    full, gt2d = (_by_subject(shifted, params, supervision=kind) for kind in ("full", "gt2d"))
    for name in full:
        np.testing.assert_allclose(gt2d[name], full[name], atol=0.1)
    rigs = reopen(shifted.paths.rigs, RIGS)
    for name in rigs:
        rigs[name].write(0, {"t_cam_from_world_mm": 2 * rigs[name]["t_cam_from_world_mm"]})
    twice = _by_subject(shifted, params, supervision="gt2d")
    np.testing.assert_allclose(twice["S0"], 2 * full["S0"], rtol=1e-4)


def change_focal_found(world, factor):
    """Write rigs and labels again, as if calibration had found focal lengths of `factor` times those given."""
    for path, schema in ((world.paths.rigs, RIGS), (world.paths.labels, LABELS)):
        old = open_store(path, schema)
        held = {name: (old[name].record, {a.name: old[name][a.name] for a in schema.arrays}) for name in old}
        summary = old.summary
        with create_store(path, schema, summary) as new:
            for name, (record, arrays) in held.items():
                rig = record if schema is RIGS else record.rig
                found = camera_records([camera.scale_focal(factor) for camera in rig.intrinsics])
                rig = rig.model_copy(
                    update={"cameras": found, "focal_scale": [factor] * len(found), "focal": "approximate"}
                )
                record = rig if schema is RIGS else record.model_copy(update={"rig": rig})
                sizes = {"rig": 1, "frame": len(next(iter(arrays.values()))), "view": len(rig.cameras)}
                new.create(name, sizes, record).write(0, arrays)


def test_the_focal_length_found_changes_labels_and_not_the_truth(world, params):
    kinds = {kind: params.model_copy(update={"supervision": kind}) for kind in ("full", "self", "gt2d")}
    before = {kind: world.samples(changed) for kind, changed in kinds.items()}
    change_focal_found(world, 1.1)
    after = {kind: world.samples(changed) for kind, changed in kinds.items()}
    for name in ("focal_px", "joints_px", "joints_cam_mm"):
        np.testing.assert_array_equal(getattr(after["full"], name), getattr(before["full"], name))
    for kind in ("self", "gt2d"):
        np.testing.assert_allclose(after[kind].focal_px, 1.1 * before[kind].focal_px)
    # The true joints stay where they are in the images; in 3D they shrink by the factor of the focal lengths.
    off_px = np.linalg.norm(after["gt2d"].joints_px - before["full"].joints_px, axis=-1)
    assert off_px.max() < 1
    np.testing.assert_array_equal(after["self"].joints_cam_mm, before["self"].joints_cam_mm)
    recording = read_capture(world.paths.frames).recordings[0]
    given, found = (camera_reader(kinds[kind], world.paths)(recording)[0].K[0, 0] for kind in ("full", "self"))
    assert found == pytest.approx(1.1 * given)


def test_true_2d_poses_of_evaluation_views_are_not_used(world, params):
    """Spoil the pose of the view kept for evaluation: the labels stay."""
    rigs = reopen(world.paths.rigs, RIGS)
    for name in rigs:
        t = rigs[name]["t_cam_from_world_mm"]
        t[:, 2] += 500
        rigs[name].write(0, {"t_cam_from_world_mm": t})
    full, gt2d = (_by_subject(world, params, supervision=kind) for kind in ("full", "gt2d"))
    np.testing.assert_allclose(gt2d["S0"], full["S0"], atol=0.1)


@pytest.mark.parametrize("kind", ["full", "subset", "mixed", "gt2d"])
def test_without_truth_they_say_so(world, params, kind):
    world.paths.truth.rename(world.paths.frames / "gone.zarr")
    with pytest.raises(UserError, match=f"supervision = {kind} requires the truth"):
        world.samples(params.model_copy(update={"supervision": kind}))


def write_truth(world, joints_of, *, is_aligned, names):
    with create_store(world.paths.truth, TRUTH, TRUTH_SUMMARY.model_copy(update={"is_aligned": is_aligned})) as store:
        for name in names:
            own = joints_of(world.joints_world_mm[name])
            store.create(name, {"frame": len(own)}, truth_record()).person(0).write(0, {"joints_world_mm": own})


@pytest.mark.parametrize("kind", ["full", "gt2d"])
def test_truth_with_a_world_of_its_own_makes_the_same_targets(world, params, kind):
    """It is placed by the labels, which are exact here, and seen by the cameras that were found."""
    before = _by_subject(world, params, supervision=kind)
    turned = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    write_truth(world, lambda joints: joints @ turned + 9000, is_aligned=True, names=world.joints_world_mm)
    after = _by_subject(world, params, supervision=kind)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=0.1)
    found = camera_reader(params.model_copy(update={"supervision": kind}), world.paths)
    recording = read_capture(world.paths.frames).recordings[0]
    rigs = open_store(world.paths.rigs, RIGS)
    np.testing.assert_array_equal(found(recording)[0].K, rigs[recording.name].record.intrinsics[0].K)


def test_recordings_without_truth_do_not_train_on_it(world, params):
    write_truth(world, lambda joints: joints, is_aligned=False, names=["S1"])
    assert list(_by_subject(world, params, supervision="full")) == ["S1"]


def test_validation_subjects_do_not_train(world, params):
    trained, validation = split(world.samples(params), ["S1"])
    assert set(trained.subjects) == {"S0"}
    assert set(validation.subjects) == {"S1"}
    for wrong in (["S2"], ["S0", "S1"]):
        with pytest.raises(
            UserError, match=r"validation_subjects = .*, but the subjects to train on are \['S0', 'S1'\]"
        ):
            split(world.samples(params), wrong)


def test_uncertain_labels_count_less_where_that_is_wanted(world, params):
    """A joint of three times the others' deviation weighs a fifth: 1 / (9 + 1) over 1 / (1 + 1)."""
    set_uncertainty(world, joint=5, uncertainty_mm=30.0)

    def weights(**update):
        samples = world.samples(params.model_copy(update=update))
        task = VolumetricTask(samples, samples, params.model_copy(update=update))
        return next(task.batches([np.arange(8)], (0,), first=0, shard=(0, 1)))[2]

    weighed = np.sort(weights(weighting="uncertainty"), axis=1)
    np.testing.assert_allclose(weighed[:, 0] / weighed[:, 1], 0.2, rtol=1e-5)
    assert weighed.mean() == pytest.approx(1, abs=1e-5)
    assert (weights() == 1).all()
    assert (weights(weighting="uncertainty", supervision="full") == 1).all()
