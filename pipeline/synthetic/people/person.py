"""A rendered person: bone lengths and girths, appearance and style of motion, drawn at random."""

from dataclasses import dataclass

import numpy as np

Colour = np.ndarray  # (3,) RGB, 0-1, approximately linear

# Cloth patterns, numbered as `pipeline.synthetic.render.paint` draws them.
PATTERNS = {"plain": 0, "hoops": 1, "stripes": 2, "checks": 3, "dots": 4, "mottled": 5}
HAIR_STYLES = ("short", "long", "bun", "bald", "cap")


@dataclass(frozen=True)
class Build:
    """Bone lengths in mm; girths as factors of the average body's girths."""

    height: float
    thigh: float
    shank: float
    ankle: float  # height of the ankle joint above the sole
    foot: float  # from heel to toe
    hip: float  # from the pelvis joint to a hip joint
    pelvis_spine: float
    spine_thorax: float
    thorax_neck: float
    neck_head: float
    shoulder_out: float  # from the thorax sideways to a shoulder joint
    shoulder_down: float
    upper_arm: float
    forearm: float
    hand: float
    girth: float
    waist: float
    limb_girth: float
    bust: float

    @property
    def leg(self) -> float:
        """Length of thigh and shank together, in mm."""
        return self.thigh + self.shank

    @property
    def arm(self) -> float:
        """Length of upper arm and forearm together, in mm."""
        return self.upper_arm + self.forearm


@dataclass(frozen=True)
class Look:
    """Skin, hair and clothes; colours are (3,) RGB, 0-1."""

    skin: Colour
    hair: Colour
    hair_style: str
    eyes: Colour
    beard: float  # 0 none, 1 full
    glasses: bool
    shirt: Colour
    shirt_accent: Colour
    shirt_pattern: int
    shirt_period_mm: float
    shirt_front: int  # 0 plain, 1 buttons, 2 print, 3 open jacket
    shirt_back: int  # 0 plain, 1 block, 2 yoke
    sleeve: float  # covered share of the arm: 0.25 for a T-shirt, 1 for long sleeves
    sleeves: np.ndarray  # (2, 3) colour of the left and the right sleeve
    sleeve_accents: np.ndarray  # (2, 3) colour of the left and the right sleeve's band
    trousers: Colour
    trouser_legs: np.ndarray  # (2, 3) colour of the left and the right leg
    trousers_accent: Colour
    trousers_pattern: int
    trouser: float  # covered share of the leg: 0.45 for shorts, 1 for long trousers
    side_stripe: bool
    shoe: Colour
    sole: Colour
    watch: bool


@dataclass(frozen=True)
class Style:
    """Individual style of motion."""

    speed_mm_s: float
    tempo: float  # 1 is average; larger is faster
    arm_swing: float
    lean_rad: float
    slouch_rad: float
    stance_mm: float  # distance between the feet
    toe_out_rad: float
    handedness: float  # probability that a one-handed action uses the right hand
    sway: float
    elbow_out: float


@dataclass(frozen=True)
class Person:
    """One person: body shape, appearance and style of motion."""

    build: Build
    look: Look
    style: Style


def draw_person(rng: np.random.Generator) -> Person:
    """Draw a person."""
    return Person(_draw_build(rng), draw_look(rng), _draw_style(rng))


def _draw_build(rng: np.random.Generator) -> Build:
    height = float(np.clip(rng.normal(1730, 95), 1500, 1950))
    leg = rng.normal(1, 0.02)
    trunk = 1 - (leg - 1) * 0.9
    feminine = rng.random()

    def share(fraction: float, spread: float = 0.02) -> float:
        return float(height * fraction * np.clip(rng.normal(1, spread), 1 - 2.5 * spread, 1 + 2.5 * spread))

    ankle, thigh, shank = share(0.043), share(0.245) * leg, share(0.243) * leg
    pelvis_spine, spine_thorax = share(0.143) * trunk, share(0.166) * trunk
    thorax_neck = share(0.070)
    rest = height - ankle - thigh - shank - pelvis_spine - spine_thorax - thorax_neck - 0.001 * height
    return Build(
        height=height, thigh=thigh, shank=shank, ankle=ankle, foot=share(0.152), hip=share(0.050 + 0.003 * feminine),
        pelvis_spine=pelvis_spine, spine_thorax=spine_thorax, thorax_neck=thorax_neck,
        neck_head=float(np.clip(rest, 0.074 * height, 0.092 * height)),
        shoulder_out=share(0.108 - 0.010 * feminine), shoulder_down=share(0.024), upper_arm=share(0.168),
        forearm=share(0.146), hand=share(0.104), girth=float(np.clip(rng.normal(1, 0.11), 0.8, 1.35)),
        waist=float(rng.uniform(0.84, 1.05)), limb_girth=float(np.clip(rng.normal(1, 0.09), 0.8, 1.25)),
        bust=float(feminine),
    )  # fmt: skip


SKINS = np.array([[0.93, 0.76, 0.66], [0.87, 0.68, 0.55], [0.76, 0.55, 0.42], [0.58, 0.40, 0.29], [0.38, 0.25, 0.18]])
HAIRS = np.array([[0.08, 0.06, 0.05], [0.22, 0.13, 0.08], [0.42, 0.27, 0.14], [0.72, 0.56, 0.32], [0.55, 0.55, 0.55]])
CLOTHS = np.array([
    [0.92, 0.92, 0.90], [0.12, 0.12, 0.14], [0.13, 0.18, 0.35], [0.22, 0.38, 0.65], [0.65, 0.12, 0.13],
    [0.15, 0.40, 0.22], [0.85, 0.66, 0.15], [0.50, 0.50, 0.52], [0.80, 0.42, 0.18], [0.45, 0.22, 0.48],
    [0.60, 0.75, 0.85], [0.85, 0.60, 0.65], [0.35, 0.33, 0.20], [0.70, 0.62, 0.48], [0.10, 0.45, 0.48],
])  # fmt: skip
TROUSERS = np.array([
    [0.10, 0.10, 0.12], [0.16, 0.20, 0.32], [0.25, 0.32, 0.46], [0.45, 0.45, 0.46], [0.62, 0.54, 0.40],
    [0.30, 0.24, 0.18], [0.75, 0.73, 0.68], [0.28, 0.30, 0.20], [0.45, 0.14, 0.16],
])  # fmt: skip


def _near(rng: np.random.Generator, colours: np.ndarray, spread: float = 0.06) -> Colour:
    colour = colours[rng.integers(len(colours))]
    return np.asarray(np.clip(colour * rng.uniform(0.8, 1.2) + rng.normal(0, spread, 3), 0.03, 0.97))


def _unlike(rng: np.random.Generator, colours: np.ndarray, other: Colour) -> Colour:
    draws = [_near(rng, colours) for _ in range(4)]
    return max(draws, key=lambda colour: float(np.abs(colour - other).sum()))


def _sides(rng: np.random.Generator, colours: np.ndarray, colour: Colour, share: float) -> np.ndarray:
    """Colours (2, 3) of the left and right side; they differ with probability `share`."""
    return np.stack([colour, _unlike(rng, colours, colour) if rng.random() < share else colour])


def draw_look(rng: np.random.Generator) -> Look:
    """Draw skin, hair and clothes."""
    skin = np.clip(SKINS[rng.integers(len(SKINS))] * rng.uniform(0.9, 1.08) + rng.normal(0, 0.015, 3), 0.1, 0.97)
    shirt, trousers = _near(rng, CLOTHS), _near(rng, TROUSERS)
    accent = _unlike(rng, CLOTHS, shirt)
    # Sleeves often differ from the trunk, so that arms stand out, and from each other, so that left and right differ.
    sleeves = _sides(rng, CLOTHS, _unlike(rng, CLOTHS, shirt) if rng.random() < 0.6 else shirt, 0.35)
    accents = np.stack([_unlike(rng, CLOTHS, sleeve) if rng.random() < 0.35 else sleeve for sleeve in sleeves])
    return Look(
        skin=skin, hair=_near(rng, HAIRS, 0.02),
        hair_style=str(rng.choice(HAIR_STYLES, p=[0.45, 0.22, 0.1, 0.1, 0.13])),
        eyes=rng.uniform(0.1, 0.4, 3), beard=float(rng.choice([0.0, 0.0, 0.6, 1.0])), glasses=bool(rng.random() < 0.2),
        shirt=shirt, shirt_accent=accent,
        shirt_pattern=int(rng.choice(list(PATTERNS.values()), p=[0.4, 0.14, 0.12, 0.12, 0.07, 0.15])),
        shirt_period_mm=float(rng.uniform(35, 130)), shirt_front=int(rng.integers(4)), shirt_back=int(rng.integers(3)),
        sleeve=float(rng.choice([rng.uniform(0.18, 0.36), rng.uniform(0.9, 0.97)])),
        sleeves=sleeves, sleeve_accents=accents,
        trousers=trousers, trouser_legs=_sides(rng, TROUSERS, trousers, 0.25),
        trousers_accent=_unlike(rng, CLOTHS, trousers),
        trousers_pattern=int(rng.choice([0, 5, 3, 2], p=[0.5, 0.35, 0.07, 0.08])),
        trouser=float(rng.choice([rng.uniform(0.36, 0.52), rng.uniform(0.9, 0.97)], p=[0.33, 0.67])),
        side_stripe=bool(rng.random() < 0.25), shoe=_near(rng, CLOTHS), sole=_near(rng, CLOTHS[[0, 1, 7, 13]]),
        watch=bool(rng.random() < 0.4),
    )  # fmt: skip


def _draw_style(rng: np.random.Generator) -> Style:
    return Style(
        speed_mm_s=float(rng.uniform(650, 1050)), tempo=float(rng.uniform(0.8, 1.25)),
        arm_swing=float(rng.uniform(0.5, 1.2)), lean_rad=float(rng.normal(0.03, 0.04)),
        slouch_rad=float(rng.normal(0.06, 0.06)), stance_mm=float(rng.uniform(150, 290)),
        toe_out_rad=float(rng.uniform(0.02, 0.3)), handedness=float(rng.choice([0.3, 0.5, 0.7, 0.85])),
        sway=float(rng.uniform(0.5, 1.6)), elbow_out=float(rng.uniform(-0.15, 0.35)),
    )  # fmt: skip
