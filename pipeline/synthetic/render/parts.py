"""The body's surface: rounded cones and ellipsoids attached to joints and segments, with their textures."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline.skeleton import joint
from pipeline.synthetic.people.body import SIDES, SIGNS, BodyPoses, cross, rotate, rotation, unit
from pipeline.synthetic.people.person import Look, Person
from pipeline.synthetic.render import kernels
from pipeline.synthetic.render.paint import (
    BELLY,
    BREAST,
    CLOTH,
    FACE,
    HAIR,
    HIPS,
    LEG,
    PAINT_COLUMNS,
    SHIRT,
    SHOE,
    SKIN,
)


@dataclass
class _Surface:
    """Collects the parts of a body over T frames with the texture of each, and builds the table for ray casting."""

    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)  # start, axis, forward, end; each (T, 3)
    shapes: list[tuple[float, ...]] = field(default_factory=list)  # scales along x, y, z; radii at start and end
    paints: list[np.ndarray] = field(default_factory=list)

    def cone(
        self, start: np.ndarray, end: np.ndarray, radii: tuple[float, float], forward: np.ndarray, paint: np.ndarray,
        squash: tuple[float, float] = (1.0, 1.0),
    ) -> None:  # fmt: skip
        """Add a rounded cone from `start` to `end` (T, 3); `squash` scales it along `forward` and sideways."""
        self.parts.append((start, end - start, forward, end))
        self.shapes.append((*squash, 1.0, *radii))
        self.paints.append(paint)

    def ellipsoid(
        self, center: np.ndarray, R: np.ndarray, radii: tuple[float, float, float], paint: np.ndarray
    ) -> None:
        """Add an ellipsoid with semi-axes `radii` in mm along the columns of R (T, 3, 3)."""
        self.parts.append((center, R[:, :, 2], R[:, :, 0], center))
        self.shapes.append((*radii, 1.0, 1.0))
        self.paints.append(paint)

    def table(self) -> np.ndarray:
        """Build the parts (T, P, N_COLUMNS) for `kernels.cast_rays`."""
        start, z, forward, end = (np.stack(vectors, 1) for vectors in zip(*self.parts, strict=True))
        shapes = np.array(self.shapes)
        length = np.linalg.norm(end - start, axis=-1)
        z = unit(z)
        x = unit(forward - (forward * z).sum(-1, keepdims=True) * z)
        table = np.empty((*length.shape, kernels.N_COLUMNS))
        axes = np.stack([x, cross(z, x), z], -2) / shapes[:, :3, None]
        table[..., 0:9] = axes.reshape(*length.shape, 9)
        table[..., kernels.ORIGIN : kernels.ORIGIN + 3], table[..., kernels.LENGTH] = start, length
        table[..., kernels.RADIUS0], table[..., kernels.RADIUS1] = shapes[:, 3], shapes[:, 4]
        table[..., kernels.END : kernels.END + 3] = end
        table[..., kernels.BOUND] = shapes[:, :3].max(-1) * shapes[:, 3:].max(-1)
        return table


def _paint(kind: int, first: np.ndarray, second: np.ndarray | None = None, third: np.ndarray | None = None,
           *numbers: float) -> np.ndarray:  # fmt: skip
    """Build a row of the texture table: kind, three colours, then parameters that depend on the kind."""
    row = np.zeros(PAINT_COLUMNS)
    row[0] = kind
    row[1:4], row[4:7], row[7:10] = first, first if second is None else second, first if third is None else third
    row[10 : 10 + len(numbers)] = numbers
    return row


def make_parts(person: Person, bodies: BodyPoses) -> tuple[np.ndarray, np.ndarray]:
    """Build the surface of a person in T frames: parts (T, P, N_COLUMNS) and their textures (P, PAINT_COLUMNS)."""
    surface = _Surface()
    _trunk(surface, person, bodies)
    _head(surface, person, bodies)
    for side in (0, 1):
        _arm(surface, person, bodies, side)
        _leg(surface, person, bodies, side)
    return surface.table(), np.stack(surface.paints)


def _trunk(surface: _Surface, person: Person, bodies: BodyPoses) -> None:
    build, look, j = person.build, person.look, bodies.joints_mm
    k, g = build.height / 1750, build.girth
    pelvis, spine, thorax = (j[:, joint(name)] for name in ("pelvis", "spine", "thorax"))
    hips, seat = (_paint(HIPS, look.trousers, look.trousers_accent, look.shirt, look.trousers_pattern, 90, pocket)
                  for pocket in (0, 1))  # fmt: skip
    belly, breast, shirt = (_shirt(look, core, k) for core in (BELLY, BREAST, 0))

    def off(R: np.ndarray, x: float, y: float, z: float) -> np.ndarray:
        return rotate(R, np.array([x, y, z]) * k)

    surface.ellipsoid(pelvis + off(bodies.pelvis, -2, 0, 24), bodies.pelvis, (106 * g * k, 156 * g * k, 118 * k), hips)
    for sign in SIGNS:
        buttock = pelvis + off(bodies.pelvis, -34 * g, 60 * sign, -26)
        surface.ellipsoid(buttock, bodies.pelvis, (80 * g * k, 80 * g * k, 92 * k), seat)
    forward = bodies.chest[:, :, 0]
    waist = 140 * g * build.waist * k
    surface.cone(
        pelvis + off(bodies.pelvis, 4, 0, 62), spine + off(bodies.chest, 4, 0, 20), (waist * 1.04, waist), forward,
        belly, (0.76, 1.04),
    )  # fmt: skip
    surface.cone(
        spine + off(bodies.chest, 4, 0, 10), thorax + off(bodies.chest, 2, 0, -120), (waist, 144 * g * k),
        forward, breast, (0.76, 1.08),
    )  # fmt: skip
    for side, sign in enumerate(SIGNS):
        shoulder = j[:, joint(SIDES[side] + "shoulder")]
        inner = thorax + off(bodies.chest, 4, 40 * sign, -66)
        surface.cone(inner, shoulder + off(bodies.chest, 0, -16 * sign, -10), (80 * k, 58 * k), forward, shirt)
        surface.cone(
            thorax + off(bodies.chest, -10, 16 * sign, -6), shoulder + off(bodies.chest, -4, -24 * sign, 8),
            (46 * k, 40 * k), forward, shirt,
        )  # fmt: skip
        if build.bust > 0.55:
            center = thorax + off(bodies.chest, 62 * g, 62 * sign, -165)
            surface.ellipsoid(center, bodies.chest, (52 * k, 66 * k, 62 * k), shirt)


def _shirt(look: Look, core: float, k: float) -> np.ndarray:
    """Texture of the shirt; buttons and prints are on the trunk (`core`) only, and the belly part ends at the belt."""
    return _paint(
        SHIRT, look.shirt, look.shirt_accent, look.skin, look.shirt_pattern, look.shirt_period_mm, look.shirt_front,
        look.shirt_back, core, *look.trousers, -35 * k,
    )  # fmt: skip


def _head(surface: _Surface, person: Person, bodies: BodyPoses) -> None:
    look, j = person.look, bodies.joints_mm
    k = 0.5 * (person.build.height / 1750 + 1)
    top, neck, thorax = (j[:, joint(name)] for name in ("head", "neck", "thorax"))
    skin = _paint(SKIN, look.skin)
    face = _paint(FACE, look.skin, look.hair, look.eyes, look.beard, look.glasses, HAIR_LINES[look.hair_style])

    def at(x: float, y: float, z: float) -> np.ndarray:
        return np.asarray(top + rotate(bodies.head, np.array([x, y, z]) * k))

    low, high = rotate(bodies.chest, np.array([-4.0, 0, -20])), rotate(bodies.head, np.array([-22.0, 0, 0]))
    surface.cone(thorax + low, neck + high, (60 * k, 54 * k), bodies.chest[:, :, 0], skin)
    surface.ellipsoid(at(-4, 0, -98), bodies.head, (98 * k, 77 * k, 98 * k), face)
    surface.ellipsoid(at(22, 0, -140), bodies.head, (70 * k, 60 * k, 90 * k), face)
    surface.cone(at(88, 0, -112), at(100, 0, -142), (9 * k, 14 * k), bodies.head[:, :, 0], skin)
    for sign in SIGNS:
        surface.ellipsoid(at(-2, 77 * sign, -122), bodies.head, (20 * k, 9 * k, 32 * k), skin)
    _hair(surface, look, bodies, at, k)


HAIR_LINES = {"short": 0.42, "long": 0.38, "bun": 0.5, "bald": 2.0, "cap": 0.4}


def _hair(surface: _Surface, look: Look, bodies: BodyPoses, at: Callable[..., np.ndarray], k: float) -> None:
    hair = _paint(HAIR, look.hair)
    if look.hair_style == "bald":
        return
    if look.hair_style == "cap":
        cap = _paint(CLOTH, look.shirt_accent)
        surface.ellipsoid(at(-6, 0, -82), bodies.head, (104 * k, 84 * k, 88 * k), cap)
        surface.ellipsoid(at(95, 0, -72), bodies.head, (66 * k, 66 * k, 9 * k), cap)
        return
    surface.ellipsoid(at(-15, 0, -86), bodies.head, (98 * k, 83 * k, 92 * k), hair)
    if look.hair_style == "long":
        surface.cone(at(-52, 0, -110), at(-62, 0, -250), (74 * k, 58 * k), bodies.head[:, :, 0], hair, (0.6, 1.1))
    if look.hair_style == "bun":
        surface.ellipsoid(at(-118, 0, -70), bodies.head, (38 * k, 40 * k, 38 * k), hair)


def _arm(surface: _Surface, person: Person, bodies: BodyPoses, side: int) -> None:
    build, look, j = person.build, person.look, bodies.joints_mm
    k, g, sign = build.height / 1750, build.limb_girth, SIGNS[side]
    shoulder, elbow, wrist = (j[:, joint(SIDES[side] + name)] for name in ("shoulder", "elbow", "wrist"))
    upper_share = build.upper_arm / build.arm
    accent = look.sleeve_accents[side]

    def sleeve(start: float, share: float) -> np.ndarray:
        # Length of the sleeve along this part, in mm.
        cut = (look.sleeve - start) / share * build.arm * share
        return _paint(CLOTH, look.sleeves[side], accent, look.skin, look.shirt_pattern, look.shirt_period_mm, cut,
                      look.shirt_accent[0], look.shirt_accent[1], look.shirt_accent[2])  # fmt: skip

    forward = bodies.chest[:, :, 0]
    surface.ellipsoid(
        shoulder + rotate(bodies.chest, np.array([0, -4.0 * sign, -10])), bodies.chest,
        (58 * g * k, 56 * g * k, 62 * g * k), _paint(CLOTH, look.shirt, look.shirt, look.shirt, 0, 1, 1e6),
    )  # fmt: skip
    surface.cone(shoulder, elbow, (50 * g * k, 40 * g * k), forward, sleeve(0, upper_share))
    bend = unit(wrist - elbow)
    surface.cone(elbow, wrist, (40 * g * k, 27 * g * k), unit(elbow - shoulder), sleeve(upper_share, 1 - upper_share))
    _hand(surface, person, wrist, bend, unit(cross(unit(elbow - shoulder), bend)), bodies.palm_rad[:, side], side)


def _hand(
    surface: _Surface, person: Person, wrist: np.ndarray, along: np.ndarray, hinge: np.ndarray, palm_rad: np.ndarray,
    side: int,
) -> None:  # fmt: skip
    look, k, sign = person.look, person.build.hand / 182, SIGNS[side]
    hinge = unit(hinge - (hinge * along).sum(-1, keepdims=True) * along + 1e-6)
    other = cross(along, hinge)
    R = np.stack([hinge, other, along], -1) @ rotation("z", palm_rad + (0 if sign > 0 else np.pi))
    skin = _paint(SKIN, look.skin)
    if look.watch and side == 0:
        surface.cone(wrist - 34 * along, wrist - 12 * along, (32 * k, 31 * k), hinge, _paint(CLOTH, look.hair * 0.5,
                     None, None, 0, 1, 1e6))  # fmt: skip
    surface.ellipsoid(wrist + 48 * k * along, R, (17 * k, 42 * k, 54 * k), skin)
    curl = rotate(R, np.array([22.0, 0, 145]) * k)
    surface.cone(wrist + 84 * k * along, wrist + curl, (13 * k, 10 * k), R[:, :, 0], skin, (1.0, 2.9))
    thumb = rotate(R, np.array([10.0, 30, 30]) * k), rotate(R, np.array([22.0, 62, 88]) * k)
    surface.cone(wrist + thumb[0], wrist + thumb[1], (15 * k, 10 * k), R[:, :, 0], skin)


def _leg(surface: _Surface, person: Person, bodies: BodyPoses, side: int) -> None:
    build, look, j = person.build, person.look, bodies.joints_mm
    k, g, sign = build.height / 1750, 0.5 * (build.limb_girth + build.girth), SIGNS[side]
    hip, knee, ankle = (j[:, joint(SIDES[side] + name)] for name in ("hip", "knee", "ankle"))
    cut = look.trouser * (build.leg + 0.3 * build.ankle)
    stripe = sign if look.side_stripe else 0.0

    def leg(start: float) -> np.ndarray:
        cloth = look.trouser_legs[side]
        return _paint(LEG, cloth, look.trousers_accent, look.skin, look.trousers_pattern, 90, cut - start, stripe)

    thigh = unit(knee - hip)
    # Derived from the left directions, so that the frame stays continuous when the thigh points forward.
    front = unit(cross(bodies.pelvis[:, :, 1] + bodies.feet[:, side, :, 1], thigh))
    loose = 1.08 if look.trouser > 0.6 else 1.0
    surface.cone(hip, knee, (86 * g * k, 52 * g * k), front, leg(0))
    surface.cone(knee, ankle, (50 * g * k, 36 * g * k * loose), front, leg(build.thigh))
    calf = knee + 0.28 * (ankle - knee) - 18 * k * front
    along = unit(ankle - knee)
    R = np.stack([front, cross(along, front), along], -1)
    surface.ellipsoid(calf, R, (44 * g * k, 46 * g * k, 120 * k), leg(build.thigh + 0.28 * build.shank - 0))
    _shoe(surface, person, bodies.feet[:, side], ankle, side)


def _shoe(surface: _Surface, person: Person, R: np.ndarray, ankle: np.ndarray, side: int) -> None:
    build, look, sign = person.build, person.look, SIGNS[side]
    k = build.foot / 266
    shoe = _paint(SHOE, look.shoe, look.sole, look.shirt_accent, sign)
    sole = build.ankle

    def at(x: float, y: float, z: float) -> np.ndarray:
        return np.asarray(ankle + rotate(R, np.array([x * k, y * k, z])))

    up = R[:, :, 2]
    surface.cone(at(-28, 0, 40 * k - sole), at(150, 0, 29 * k - sole), (40 * k, 29 * k), up, shoe, (1.0, 1.22))
    surface.cone(at(0, 0, 8 - 0.2 * sole), at(70, 0, 44 * k - sole), (42 * k, 36 * k), up, shoe)
