"""The tables of the papers with this run's figures, and which of the figures are comparable."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.params.file import Params
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.files import REFINE_SOURCES
from pipeline.report.data.parts import refined_part
from pipeline.report.page.blocks import Block, Section, Table, number

# Sources. Kocabas et al., Self-Supervised Learning of 3D Human Pose using Multi-view Geometry, CVPR 2019;
# Li et al., Geometry-Driven Self-Supervised Method for 3D Human Pose Estimation, AAAI 2020;
# Jain et al., 3D Pose Estimation Using 2D Supervision, 2022.
COLUMNS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "pss50", "pss100")
TITLES = ("MPJPE, mm", "N-MPJPE, mm", "PA-MPJPE, mm", "PSS@50, %", "PSS@100, %")


@dataclass(frozen=True)
class Published:
    """A row of a paper's table: the figures of `COLUMNS`, None if the paper has none."""

    name: str
    paper: str
    figures: Sequence[float | None]


LABELS = (
    Published("true 2D poses, cameras known", "Kocabas", (4.38, 2.87, 2.13, 98.93, 97.16)),
    Published("true 2D poses, cameras unknown", "Kocabas", (None, 22.46, 15.06, 98.83, 96.03)),
    Published("2D network trained on Human3.6M, cameras known", "Kocabas", (28.37, 26.28, 25.19, 95.08, 94.2)),
    Published("2D network trained on MPII, cameras known", "Kocabas", (45.86, 37.79, 36.83, 90.06, 85.96)),
)
NETWORKS = (
    Published("trained on the truth", "Kocabas", (51.83, 51.58, 45.04, 84.44, 78.67)),
    Published("trained on labels, cameras known", "Kocabas", (76.6, 75.25, 67.45, 73.09, 64.03)),
    Published("trained on labels, cameras unknown", "Kocabas", (None, 77.75, 70.67, 70.67, 62.05)),
    Published("trained on labels of true 2D poses", "Kocabas", (55.08, 54.9, 47.91, 83.9, 78.69)),
    Published("trained on labels, then refined on the truth", "Kocabas", (60.56, 60.04, 47.48, 80.42, 75.41)),
    Published("transform re-projection, lifting 2D poses", "Li", (59.0, None, 45.7, None, None)),
    Published("the same with virtual views", "Li", (57.0, None, 44.1, None, None)),
    Published("2D supervision, lifting true 2D poses", "Jain", (67.32, None, None, None, None)),
)
OURS = {
    "labels": (LABELS, (("labels_known", "cameras known"), ("labels", "as this run made them"))),
    "networks": (
        NETWORKS,
        (
            ("test", "unseen people"),
            *((refined_part("test", source), f"unseen people, refined on {source}") for source in REFINE_SOURCES),
            ("test_new_view", "unseen people and view"),
        ),
    ),
}


def comparability(params: Params) -> tuple[tuple[str, str, str, str], ...]:
    """The conditions in the papers and in a run with these parameters, and whether the two are comparable."""
    crop, is_crop_comparable = _crop(params)
    n = params.frames.every_n_frames
    frames = {1: "every frame", 2: "every second frame", 3: "every third frame"}.get(n, f"every {n}th frame")
    clusters = "given with the parameters" if params.pss.reference == "frozen" else "of this capture's poses"
    return (
        ("footage", "Human3.6M: one laboratory, 4 cameras, 50 frames/s, 3.6 million images", "the footage of this run",
         "no: another task"),
        ("training", "subjects 1, 5, 6, 7, 8", "the training subjects of this capture",
         "no: the variety of the motion has a large effect"),
        ("test", "subjects 9 and 11, every 64th frame", f"the test subjects of this capture, {frames}",
         "no: other people, other motions"),
        ("crop", "a square around the true pelvis, at its true depth", crop, is_crop_comparable),
        ("depth", "the true depth of the pelvis is added", "the same", "yes"),
        ("MPJPE", "root-centred", "root-centred", "yes, the formula is the same"),
        ("N-MPJPE", "Kocabas: the scale of the similarity alignment", "the scale of least squares (Rhodin et al. 2018)",
         "no: the formulas differ"),
        ("PA-MPJPE", "Kocabas: root-centred again after the alignment, except for the refined network",
         "not moved after the alignment, as is usual", "no: theirs is larger on the same poses"),
        ("PSS", "clusters of Human3.6M's poses; centring, orientation and seed are not given",
         f"clusters {clusters}, stored with their hash", "no: another reference gives another score"),
        ("differences between rows", "cameras known or unknown, trained on labels or on the truth",
         "the same experiments", "yes, in sign and rough size"),
    )  # fmt: skip


def _crop(params: Params) -> tuple[str, str]:
    if params.train.model == "lifting":
        return "none: the network lifts the detector's 2D poses", "no: another input"
    if params.train.crop == "metric":
        return "about 2000 mm around the detected pelvis", "in part: ours uses no truth at test"
    return "a square around the detector's box", "no: ours uses no truth"


def paper_section(figures: Figures, params: Params) -> Section:
    """The papers' tables with this run's rows below theirs; without truth there are no rows and no section."""
    if not any(_ours(figures, name) for name in OURS):
        return Section("papers", "Papers", "")
    blocks: list[Block] = [*paper_tables(figures, params)]
    lead = (
        "The papers measured on Human3.6M, this run on its own footage. The figures are not comparable with each other;"
        " only the differences between experiments are."
    )
    return Section("papers", "Papers", lead, blocks)


def paper_tables(figures: Figures, params: Params) -> list[Table]:
    """The table of comparability, and each table of the papers to which this run has rows."""
    titles = {"labels": "Labels on training subjects", "networks": "Networks on test subjects"}
    head = ("", "papers", "here", "comparable?")
    return [
        Table("What is comparable", head, comparability(params), words=True),
        *(_table(titles[name], published, _ours(figures, name)) for name, (published, _) in OURS.items()),
    ]


def _ours(figures: Figures, name: str) -> list[tuple[str, Figures]]:
    return [(title, figures[key]) for key, title in OURS[name][1] if "n_mpjpe_mm" in figures.get(key, {})]


def _table(title: str, published: Sequence[Published], ours: Sequence[tuple[str, Figures]]) -> Table:
    rows = [(f"{one.name} ({one.paper})", *(number(value, 2) for value in one.figures)) for one in published]
    rows += [(f"this run: {name}", *(number(one.get(key), 2) for key in COLUMNS)) for name, one in ours]
    note = "The papers' figures are measured by the papers' formulas."
    return Table(title, ("", *TITLES), rows, note, marked=len(ours))
