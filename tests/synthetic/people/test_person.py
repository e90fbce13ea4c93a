"""People differ in build and appearance, and have plausible proportions."""

import numpy as np
import pytest

from pipeline.synthetic.people.person import draw_person


def test_eight_people_differ_in_build_and_clothes():
    eight = [draw_person(np.random.default_rng(seed)) for seed in range(8)]
    assert np.ptp([p.build.height for p in eight]) > 120
    assert np.ptp([p.build.girth for p in eight]) > 0.1
    assert len({tuple(np.round(p.look.shirt, 2)) for p in eight}) == 8


def test_the_parts_of_a_body_add_up_to_its_height():
    for seed in range(20):
        build = draw_person(np.random.default_rng(seed)).build
        trunk = build.pelvis_spine + build.spine_thorax + build.thorax_neck + build.neck_head
        assert build.ankle + build.leg + trunk == pytest.approx(build.height, rel=0.04)
        assert build.arm == build.upper_arm + build.forearm
