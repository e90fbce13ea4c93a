"""The cases on real footage: its own detections altered, against the run on the unaltered ones."""

from functools import partial
from pathlib import Path

from bench.trust.cases import Case, Scenes, common_cases, in_modes
from bench.trust.judge import HEADER, Judge, Judged
from bench.trust.takes import recipes
from bench.trust.takes.footage import read_prepared

ASSUMED_PX = 1280.0  # a focal length that one would assume for the webcams: the width of their images


def real_scenes(data: Path, prepared: Path, names: list[str]) -> Scenes:
    """The prepared sets; the balancing person stands for the room."""
    scenes = {name: read_prepared(prepared, name, data) for name in names if name != "static"}
    return scenes | ({"room": scenes["pose2sim"]} if "pose2sim" in scenes else {})


def real_cases(scenes: Scenes) -> list[Case]:
    """The cases that the sets at hand can show."""
    found = common_cases() if "room" in scenes else []
    if "room" in scenes:
        # The pictures are cut below the hips; what the detector guessed there is kept as if it had seen it.
        cropped = partial(recipes.cut_below, share=0.55)
        found += in_modes("rig known", 8, "legs outside the pictures", cropped)
    if "people" in scenes:
        found += in_modes("rig known", 12, "several people", scene="people", is_hopeless=True)
    if "webcams" in scenes:
        assumed = partial(recipes.same_intrinsics, focal_px=ASSUMED_PX)
        found += in_modes("rig", 13, "close webcams", scene="webcams")
        unknown = {"mode": "rig", "focal": "unknown"}
        name = "assumed intrinsics, different lenses"
        found.append(Case(14, name, "webcams", assumed, unknown, is_alone=True))
    return found


def run(data: Path, prepared: Path, names: list[str]) -> list[Judged]:
    """Judge the cases and print them one by one."""
    print(f"\nReal footage\n{HEADER}")
    scenes = real_scenes(data, prepared, names)
    return Judge(scenes).run(real_cases(scenes))
