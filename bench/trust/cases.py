"""The cases: what can be wrong with footage without anyone seeing it, each as a recipe and a mode of calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.trust.takes import recipes, scenes
from bench.trust.takes.recipes import Altered
from bench.trust.takes.take import Take
from pipeline.geometry.camera.model import Camera
from pipeline.synthetic.cameras import look_at

Scenes = dict[str, Take]
# What the cameras aim at that see no legs, and how much longer their focal lengths are.
CHEST_MM, CLOSER = np.array([0.0, 0.0, 1500.0]), 1.8


Recipe = Callable[[Take], Altered]


@dataclass(frozen=True)
class Case:
    """One case: a scene, what is done to it, and how it is calibrated."""

    number: int  # in docs/trust.md; 0: nothing is wrong
    name: str
    scene: str
    recipe: Recipe
    calibrate: dict[str, Any]
    is_alone: bool = False  # whether there is no unaltered run to compare with
    is_hopeless: bool = False  # whether labels that pass for valid are wrong, though there is no truth to show it
    views: Sequence[int] | None = None  # only these
    people: Callable[[], list[np.ndarray]] | None = None  # the joints of everybody, where it may be anyone's labels


def common_cases() -> list[Case]:
    """The cases that any take of four views can be altered to; those that live in files are in bench/trust/files.py."""
    late, turned = partial(recipes.late, views=[2]), partial(recipes.turned, view=1, degrees=3.0)
    exchanged = partial(recipes.exchanged, order=[0, 1, 3, 2])
    other_person, swapped = partial(recipes.mirrored_person, views=[0, 1]), partial(recipes.swapped_sides, view=0)
    squares, metres = partial(recipes.other_unit, factor=12.5), partial(recipes.other_unit, factor=1e-3)
    return [
        *in_modes("rig adjust known", 0, "as filmed"),
        *in_modes("rig", 0, "as filmed, two views", views=(0, 1)),
        *in_modes("rig", 1, "one of four late by 0.1 s", partial(late, seconds=0.1)),
        *in_modes("rig known", 1, "one of four late by 0.2 s", partial(late, seconds=0.2)),
        *in_modes("rig", 1, "one of four late by 0.42 s", partial(late, seconds=0.42)),
        *in_modes("rig", 1, "one of two late by 0.2 s", partial(late, views=[1], seconds=0.2), views=(0, 1)),
        *in_modes("rig known", 2, "frames dropped, each view elsewhere", recipes.dropped),
        *in_modes("rig adjust known", 3, "intrinsics of images twice as large", recipes.other_size),
        *in_modes("adjust known", 4, "translations: board squares as metres", squares),
        *in_modes("adjust known", 4, "translations: metres as millimetres", metres),
        *in_modes("adjust known", 5, "two videos exchanged", exchanged),
        *in_modes("rig known", 7, "another person in two of four views", other_person),
        *in_modes("rig known", 9, "two views, sides swapped in one", swapped, views=(0, 1)),
        *in_modes("known", 15, "one given camera turned by 3 degrees", turned),
    ]


def simulated_cases(seed: int, seconds: float) -> list[Case]:
    """The cases that need a scene of their own."""
    guessed = partial(recipes.guessed_outside, seed=seed)
    seen_once = partial(recipes.limb_seen_once, row=20)
    people = partial(two_people, seed, seconds)
    found = [
        *in_modes("rig known", 8, "legs outside the pictures", guessed, scene="close"),
        *in_modes("rig", 11, "upper body, a leg seen once", seen_once, scene="desk", is_alone=True),
        *in_modes("rig known", 12, "two people, each view sees either", scene="two people", people=people),
        *in_modes("rig", 13, "close webcams", scene="desk"),
        *in_modes("rig", 13, "close webcams, a coarse detector", scene="desk, coarse"),
    ]
    for scene, focal in (("desk", 780.0), ("zooms", 1400.0)):
        assumed = partial(recipes.same_intrinsics, focal_px=focal)
        name, unknown = f"assumed intrinsics, different lenses ({scene})", {"mode": "rig", "focal": "unknown"}
        found.append(Case(14, name, scene, assumed, unknown, is_alone=True))
    return found


def in_modes(modes: str, number: int, name: str, recipe: Recipe = recipes.unaltered, **fields: Any) -> list[Case]:
    """A case in several modes of calibration."""
    alone = {"is_alone": fields.get("is_alone", recipe is recipes.unaltered)}
    return [
        Case(number, name, recipe=recipe, calibrate={"mode": mode}, **({"scene": "room"} | fields | alone))
        for mode in modes.split()
    ]


def simulated_scenes(seed: int = 0, seconds: float = 5.0) -> Scenes:
    """The simulated takes that the cases are made from."""
    zooms = [
        camera.scale_focal(factor) for camera, factor in zip(scenes.room_cameras(seed), (1, 1.4, 1, 1.4), strict=True)
    ]
    return {
        "room": scenes.room(seed, seconds),
        "close": close(seed, seconds),
        "desk": scenes.desk(seed, seconds),
        "desk, coarse": scenes.desk(seed, seconds, scenes.Noise().scaled(1.6)),
        "zooms": scenes.take_of(scenes.walker(seed, seconds), zooms, seed),
        "two people": either_person(seed, seconds),
    }


def close(seed: int, seconds: float) -> Take:
    """A person whose legs are outside the images of all cameras; the detector finds them nevertheless."""
    raised = [_aimed(camera.scale_focal(CLOSER), CHEST_MM) for camera in scenes.room_cameras(seed)]
    return scenes.take_of(scenes.walker(seed, seconds), raised, seed)


def _aimed(camera: Camera, aim_mm: np.ndarray) -> Camera:
    assert camera.has_extrinsics
    return camera.with_extrinsics(*look_at(camera.center_world_mm, aim_mm))


def two_people(seed: int, seconds: float) -> list[np.ndarray]:
    """The joints (F, J, 3) of two people who stand beside each other and move."""
    people = [scenes.walker(seed + i, seconds, "reach") for i in range(2)]
    shift = people[0][:, :1, :2].mean(0) - people[1][:, :1, :2].mean(0)
    people[1][..., :2] += shift + np.array([700.0, 300.0])
    return people


def either_person(seed: int, seconds: float) -> Take:
    """Two people; in each view the detector takes one of them for a while, then maybe the other."""
    people = two_people(seed, seconds)
    take = scenes.take_of(people[0], scenes.room_cameras(seed), seed)
    rng, n = np.random.default_rng([seed, 17]), len(people[0])
    other = np.repeat(rng.random((n // 25 + 1, take.n_views)) < 0.5, 25, axis=0)[:n]
    return scenes.with_other_person(take, people[1], other, seed)
