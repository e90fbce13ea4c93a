"""The parameters of training: those of the other model have no effect."""


def test_the_volumetric_network_has_nothing_of_the_lifting_one(params):
    assert params.train.unused() == {"lifting"}


def test_random_weights_need_no_file(changed):
    assert changed(train__init="random").train.unused() == {"lifting", "weights", "backbone_lr"}


def test_the_lifting_network_has_nothing_of_crops_and_backbones(changed):
    unused = changed(train__model="lifting").train.unused()
    assert {"init", "weights", "backbone", "input_px", "augment"} <= unused
    assert not unused & {"lifting", "lr", "epochs", "supervision", "weighting", "flip_test"}
