"""Matches videos with the cameras of a calibration by their names, which programs write in different ways.

The strictest rule that finds a camera counts: the same name; the same but for letter case, separators and leading zeros
(Cam_01, cam1); the same in what distinguishes it from the other names (port_1, cam1, int_cam1_img); or one name as a
part of the other (26578, walk_Miqus_26578).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.errors import UserError

# Words that only say that something is a camera or its video: names may differ in them and mean the same.
GENERIC = frozenset({"c", "cam", "camera", "kamera", "port", "view", "video", "vid", "device", "int", "img"})

Fits = Callable[[str, str], bool]  # whether a video and a camera are the same, by their names


@dataclass(frozen=True)
class CameraMatch:
    """The camera of each video, by their names."""

    camera_of: dict[str, str]
    by_order: bool = False  # whether only the order of the names tells which camera is which

    @property
    def renamed(self) -> str:
        """The pairs whose names differ, as text; empty if there are none."""
        return ", ".join(f"{video} is {camera}" for video, camera in self.camera_of.items() if video != camera)


def match_cameras(videos: Sequence[str], cameras: Sequence[str], *, has_names: bool = True) -> CameraMatch:
    """The camera of each video; the names of the videos differ, and so do those of the cameras.

    Without `has_names`, the cameras are known by their order alone. Names are also matched by their order if all are
    numbered and the numbers of videos and cameras start differently.
    Raises UserError if a video has several cameras or none, and if several videos have one camera.
    """
    found: dict[str, str] = {}
    for rule in (_same, _similar, _distinguishing, _part):
        fits = rule(videos, cameras)
        free = [camera for camera in cameras if camera not in found.values()]
        found |= _pairs([video for video in videos if video not in found], free, fits)
    if len(found) == len(videos):
        return CameraMatch({video: found[video] for video in videos})
    if len(videos) == len(cameras) and (not has_names or _start_differently(videos, cameras)):
        in_order = zip(sorted(videos, key=_natural), sorted(cameras, key=_natural), strict=True)
        return CameraMatch(dict(in_order), by_order=True)
    missing = ", ".join(video for video in videos if video not in found)
    fix = f"Name each video after a camera of the calibration: {', '.join(cameras)}."
    raise UserError(f"{missing} has no camera", fix=fix)


def _pairs(videos: Sequence[str], cameras: Sequence[str], fits: Fits) -> dict[str, str]:
    possible = {video: [camera for camera in cameras if fits(video, camera)] for video in videos}
    pairs: dict[str, str] = {}
    for video, several in possible.items():
        rivals = [other for other in videos if set(possible[other]) & set(several)]
        if len(several) > 1 or len(rivals) > 1:
            what = f"{' and '.join(rivals)} may be {' or '.join(several)}"
            raise UserError(what, fix="Name each video exactly as its camera in the calibration.")
        if several:
            pairs[video] = several[0]
    return pairs


def _same(videos: Sequence[str], cameras: Sequence[str]) -> Fits:
    return lambda video, camera: video == camera


def _similar(videos: Sequence[str], cameras: Sequence[str]) -> Fits:
    return lambda video, camera: bool(_words(video)) and _joined(_words(video)) == _joined(_words(camera))


def _distinguishing(videos: Sequence[str], cameras: Sequence[str]) -> Fits:
    (own, said), (others, also_said) = _distinct(videos), _distinct(cameras)
    is_other = said - GENERIC and also_said - GENERIC and not said & also_said  # as left1, left2 and right1, right2
    return lambda video, camera: bool(own[video]) and own[video] == others[camera] and not is_other


def _part(videos: Sequence[str], cameras: Sequence[str]) -> Fits:
    def fits(video: str, camera: str) -> bool:
        a, b = _words(video), _words(camera)
        short, long = (a, b) if len(a) < len(b) else (b, a)
        return bool(short) and any(long[i : i + len(short)] == short for i in range(len(long) - len(short) + 1))

    return fits


def _words(name: str) -> list[str]:
    """Words in lower case, and numbers without leading zeros.

    >>> _words("Cam_01-Left"), _words("vid1-camA")
    (['cam', '1', 'left'], ['vid', '1', 'cam', 'a'])
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return [str(int(word)) if word.isdecimal() else word for word in re.findall(r"\d+|[^\W\d_]+", apart)]


def _joined(words: Sequence[str]) -> str:
    """A name from its words, in which only numbers are separated from each other."""
    return re.sub(r"(?<!\d) | (?!\d)", "", " ".join(words))


def _distinct(names: Sequence[str]) -> tuple[dict[str, list[str]], set[str]]:
    """The words of each name without those at the start and at the end that all names have, and those words."""
    words = {name: _words(name) for name in names}
    if len(names) < 2:
        return words, set()
    start = _n_common(list(words.values()))
    rest = {name: own[start:] for name, own in words.items()}
    end = _n_common([own[::-1] for own in rest.values()])
    first = words[names[0]]
    common = {word for word in first[:start] + first[len(first) - end :] if not word.isdecimal()}
    return {name: own[: len(own) - end] for name, own in rest.items()}, common


def _n_common(several: list[list[str]]) -> int:
    """How many words at the start all lists have."""
    n = 0
    for at_n in zip(*several, strict=False):
        if len(set(at_n)) > 1:
            break
        n += 1
    return n


def _start_differently(videos: Sequence[str], cameras: Sequence[str]) -> bool:
    """Whether videos and cameras are numbered without a gap, from different numbers on."""
    starts = []
    for names in (videos, cameras):
        own = list(_distinct(names)[0].values())
        if not all(len(words) == 1 and words[0].isdecimal() for words in own):
            return False
        numbers = sorted(int(words[0]) for words in own)
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            return False
        starts.append(numbers[0])
    return starts[0] != starts[1]


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """A key that sorts names with their numbers as numbers."""
    return [(word.isdecimal(), int(word) if word.isdecimal() else 0, word) for word in _words(name)]
