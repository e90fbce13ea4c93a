"""Colours and names in the report, the same in images, charts and 3D; the colours are safe for the colour-blind."""

from pipeline.skeleton import BONES, JOINTS

COLOURS = {
    "truth": "#009E73", "label": "#0072B2", "prediction": "#D55E00", "detection": "#AA3377", "refined": "#B8860B",
}  # fmt: skip
INK, FAINT, PAPER = "#1c2430", "#d5dae1", "#ffffff"
TINT = 0.45  # share of white in the lighter tint
SIDES = {"l": "left", "r": "right"}


def joint_title(name: str) -> str:
    """A joint's name in words."""
    side, _, part = name.partition("_")
    return f"{SIDES[side]} {part}" if part else name


LEFT_BONES = [b for b, (_, child) in enumerate(BONES) if JOINTS[child].startswith("l_")]
JOINT_TITLES = [joint_title(name) for name in JOINTS]


def lighter(colour: str) -> str:
    """A lighter tint of a colour, for the left side of a body, so that swapped sides are visible."""
    return "#" + "".join(f"{round(part + TINT * (255 - part)):02x}" for part in rgb(colour))


def rgb(colour: str) -> tuple[int, int, int]:
    """The parts of a colour #rrggbb, 0-255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


# Colours of the predictions refined on each source, in charts.
REFINED_COLOURS = {"truth": COLOURS["refined"], "labels": lighter(COLOURS["refined"])}
