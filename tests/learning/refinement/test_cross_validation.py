from pipeline.learning.images.samples import training_recordings
from pipeline.learning.images.volumetric import Volumetric
from pipeline.learning.refinement import refine
from pipeline.learning.train import METHODS
from tests.learning.refinement.conftest import refine_world


def test_poses_come_from_networks_that_do_not_know_the_subject(world, params, monkeypatch):
    seen = []

    class Spy(Volumetric):
        def predict(self, recording):
            seen.append((recording.subject, *self._params.validation_subjects))
            return super().predict(recording)

    monkeypatch.setitem(METHODS, "volumetric", Spy)
    world.train(params)
    for changes, expected in (
        ({}, [("S0", "S0"), ("S1", "S1")]),
        ({"validation_subjects": ["S1"]}, [("S1", "S1")]),
        ({"supervision": "subset", "subjects": ["S0"]}, [("S1",)]),
    ):
        seen.clear()
        refine_world(world, params.model_copy(update=changes), "truth")
        assert sorted(seen) == expected


def test_one_subject_is_better_than_none(world, params, monkeypatch):
    world.train(params)
    monkeypatch.setattr(refine, "training_recordings", lambda *reported: training_recordings(*reported)[:1])
    assert refine_world(world, params, "truth")["refine_truth"]["after"]["n_mpjpe_mm"] > 0
