"""The elements of a page, which the template renders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

WIDE_COLUMNS, WIDE_COLUMNS_OF_WORDS = 4, 3  # a table with more columns takes the whole width of the page


@dataclass(frozen=True)
class Chart:
    """A chart: plotly's JSON."""

    title: str
    data: str
    note: str = ""
    wide: bool = False
    kind: str = "chart"


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the row; the last `marked` rows, which are highlighted, are of this run.

    `words` states that the cells hold text instead of figures.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    words: bool = False
    marked: int = 0
    kind: str = "table"

    @property
    def wide(self) -> bool:
        """Whether the table needs the whole width of the page."""
        return len(self.head) > (WIDE_COLUMNS_OF_WORDS if self.words else WIDE_COLUMNS)

    def markdown(self) -> str:
        """The table in Markdown, without title and note."""
        sides = ["---"] * len(self.head) if self.words else ["---", *["---:"] * (len(self.head) - 1)]
        strong = [[f"**{cell}**" for cell in row] for row in self.rows[len(self.rows) - self.marked :]]
        lines = [self.head, sides, *self.rows[: len(self.rows) - self.marked], *strong]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@dataclass(frozen=True)
class View3D:
    """A scene of the 3D viewer."""

    title: str
    data: dict[str, Any]
    note: str = ""
    wide: bool = True
    kind: str = "view3d"


@dataclass(frozen=True)
class Playback:
    """Moving skeletons beside their images (`sequences.playback`)."""

    title: str
    data: dict[str, Any]
    note: str = ""
    wide: bool = True
    kind: str = "playback"


@dataclass(frozen=True)
class EpipolarView:
    """The views of one frame, with the epipolar lines of each joint (`epipolar.epipolar_view`)."""

    title: str
    data: dict[str, Any]
    note: str = ""
    wide: bool = True
    kind: str = "epipolar"


@dataclass(frozen=True)
class Card:
    """A caption with an image (a data URI), a scene, or both side by side."""

    caption: str
    image: str | None = None
    scene: dict[str, Any] | None = None


@dataclass(frozen=True)
class Gallery:
    """Cards; `small` cards have no legend."""

    title: str
    cards: Sequence[Card]
    note: str = ""
    small: bool = False
    wide: bool = True
    kind: str = "gallery"


@dataclass(frozen=True)
class Rows:
    """Cards side by side, a row for each case and a column for each kind of pose."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Card]]
    note: str = ""
    wide: bool = True
    kind: str = "rows"


Block = Chart | Rows | Table | View3D | Playback | EpipolarView | Gallery


@dataclass(frozen=True)
class Section:
    """A section of the page; sections without blocks are left out."""

    id: str
    title: str
    lead: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """A question of the first screen, and its answer as a figure, lines of text and images.

    `flag` is a caution about the figure, which is then shown less prominently.
    """

    question: str
    figure: str
    unit: str
    lines: Sequence[str]
    link: str
    cards: Sequence[Card] = ()
    flag: str = ""


class Finding(Protocol):
    """Something to state on the first screen, such as a group of alerts."""

    @property
    def severity(self) -> str:
        """How bad it is: error, warning or note."""

    @property
    def subjects(self) -> str:
        """What it is about."""

    @property
    def message(self) -> str:
        """What was found."""

    @property
    def evidence(self) -> str:
        """The figures that it was found by; may be empty."""

    @property
    def mend(self) -> str:
        """What to do about it; may be empty."""


@dataclass(frozen=True)
class Verdict:
    """The top of the first screen: whether the results can be relied on, and what speaks against it."""

    worst: str  # severity: error, warning, note or none
    title: str
    findings: Sequence[Finding]
    more: str = ""  # about the findings that are not shown


def number(value: float | None, digits: int = 1) -> str:
    """A figure as text; a dash if it is missing."""
    return "–" if value is None or value != value else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    """A share in percent as text; only the exact values 0 and 100 are written as 0 and 100."""
    if value is not None and 99.95 <= value < 100:
        return "99.9"
    return "<0.1" if value is not None and 0 < value < 0.05 else number(value)
