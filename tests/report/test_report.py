"""The whole report: one file that needs nothing else, also where data are missing."""

import html
import json
import re
from html.parser import HTMLParser

import pytest
from ruamel.yaml import YAML

from pipeline.alerts import Alert
from pipeline.files import write_placeholder, write_untrained
from pipeline.params.file import read_params
from pipeline.report import write_report
from pipeline.report.data.files import MEASURED_STAGES
from tests.house.imports import ROOT
from tests.world.capture import REJECTED
from tests.world.labels import write_labels
from tests.world.results import write_all


def report(root, **lacking):
    write_all(root, **lacking)
    write_report(root / "data", root / "models", root / "reports", read_params())
    page = (root / "reports/index.html").read_text()
    return json.loads((root / "reports/metrics.json").read_text()), page


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    return root, *report(root, refined=("truth",))


class Parts(HTMLParser):
    """What a page loads, its sections and its links."""

    def __init__(self, page):
        super().__init__()
        self.loads, self.sections, self.links = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.loads += [values[key] for key in ("src", "srcset", "data", "poster") if key in values]
        self.loads += [values["href"]] if tag == "link" else []
        self.links += [values["href"]] if tag == "a" and values["href"] != "#content" else []
        self.sections += [values["id"]] if tag == "section" else []


def test_the_page_needs_nothing_else(whole):
    _, _, page = whole
    parts = Parts(page)
    assert parts.loads
    assert all(url.startswith("data:") for url in parts.loads)
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?http", page[: page.index("plotly.js v")])
    assert len(page) < 15e6


def test_every_section_and_its_link_are_there(whole):
    parts = Parts(whole[2])
    assert parts.sections == [
        "examples", "motion", "network", "pss", "labels", "rig", "detector", "capture", "alerts", "papers",
        "training", "run",
    ]  # fmt: skip
    assert {link.removeprefix("#") for link in parts.links} == set(parts.sections)


def test_embedded_data_is_json_that_cannot_close_its_element(whole):
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', whole[2], re.S)
    assert len(blocks) > 15
    for block in blocks:
        json.loads(block)
        assert "<" not in block


def test_text_from_the_footage_is_escaped(whole):
    assert "<script>" in REJECTED
    assert REJECTED not in whole[2]
    assert html.escape(REJECTED) in whole[2]


def test_metrics_hold_seconds_and_memory_of_all_stages(whole):
    metrics = whole[1]
    assert set(metrics["seconds"]) == {*MEASURED_STAGES, "report"}
    assert metrics["seconds"]["frames"] == 20
    assert metrics["peak_mib"] == 100 * len(MEASURED_STAGES)
    assert list(metrics) == sorted(metrics)


def test_refined_predictions_are_shown_beside_the_network_s(whole):
    _, metrics, page = whole
    assert f"{metrics['test_refined_truth']['n_mpjpe_mm']:.1f} mm after refinement on truth" in page
    assert "this run: unseen people, refined on truth" in page
    assert "<p>refined on truth</p>" in page  # the column of the examples
    assert "Refinement on truth: loss" in page  # the training curve
    assert "refined/truth/refiner.pt" in page  # its hash


def test_without_refined_predictions_nothing_is_said_of_them(tmp_path):
    metrics, page = report(tmp_path)
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    assert "refined on" not in text.replace("then refined on the truth (Kocabas)", "")
    assert not [part for part in metrics if "refined" in part]


@pytest.mark.parametrize(
    ("lacking", "sections", "groups"),
    [
        (
            {"truth": False, "extrinsics": False, "evaluation_view": False},
            [
                "examples",
                "motion",
                "network",
                "pss",
                "labels",
                "rig",
                "detector",
                "capture",
                "alerts",
                "training",
                "run",
            ],
            {"labels", "test_labels", "detector"},
        ),
        (
            {"test": False},
            ["motion", "pss", "labels", "rig", "detector", "capture", "alerts", "papers", "training", "run"],
            {"labels", "labels_known", "rig", "detector"},
        ),
        (
            {"predictions": False, "truth": False},
            ["motion", "pss", "labels", "rig", "detector", "capture", "alerts", "training", "run"],
            {"labels", "rig", "detector"},
        ),
    ],
)
def test_what_does_not_apply_is_left_out(tmp_path, lacking, sections, groups):
    metrics, page = report(tmp_path, **lacking)
    assert Parts(page).sections == sections
    assert {link.removeprefix("#") for link in Parts(page).links} == set(sections)
    assert set(metrics) - {"seconds", "peak_mib", "alerts"} == groups
    assert "nan" not in re.sub(r"<script.*?</script>", "", page, flags=re.S).lower().split()


def test_rigs_of_single_frames(tmp_path):
    metrics, page = report(tmp_path, per_frame=True, truth=False, predictions=False)
    assert metrics["rig"] == {"rotation_deg": 0, "centre_mm": 0}
    assert "one of 24 rigs found frame by frame" in page
    assert "Cameras and people" in page


def test_outputs_are_those_that_dvc_knows(whole):
    graph = YAML(typ="safe").load(ROOT / "dvc.yaml")
    paths = graph["vars"][0]["path"]
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in graph["stages"]["report"]["outs"]]
    declared = {re.sub(r"\$\{path\.(\w+)\}", lambda m: paths[m[1]], out) for out in outs}
    inputs = {"reports/plots/train.csv", "reports/plots/pretrain.csv"}
    inputs |= {f"reports/resources/{stage}.json" for stage in MEASURED_STAGES}
    files = {p.relative_to(whole[0]).as_posix() for p in (whole[0] / "reports").rglob("*") if p.is_file()}
    assert declared == files - inputs | {"reports/resources/report.json"}


def test_alerts_are_counted_on_the_first_screen_in_the_metrics_and_last_in_the_log(tmp_path, caplog):
    world = write_all(tmp_path)
    mixed = [
        Alert(kind="people_mixed", severity="warning", subject=f"take {i}", message="labels mix people")
        for i in range(30)
    ]
    write_labels(world, alerts=mixed)
    with caplog.at_level("INFO", logger="epiline"):
        write_report(tmp_path / "data", tmp_path / "models", tmp_path / "reports", read_params())
    metrics = json.loads((tmp_path / "reports/metrics.json").read_text())
    assert metrics["alerts"] == {"error": 1, "warning": 30, "note": 0}
    assert len(json.loads((tmp_path / "reports/alerts.json").read_text())) == 31
    page = (tmp_path / "reports/index.html").read_text()
    first_screen = page[: page.index("<section")]
    assert "1 error, 30 warnings, no notes" in first_screen
    assert "take 0; take 1; take 2; take 3; take 4 and 25 more" in first_screen
    assert first_screen.count("Read the error above before you use this figure.") == 2
    *_, error, warning, last = [record.getMessage() for record in caplog.records]
    assert error.startswith("error: S9-jumping")
    assert warning.startswith("warning: take 0")
    assert last.startswith("Alerts: 1 error, 30 warnings, no notes; see")


def test_where_nothing_could_be_trained_the_report_says_so(tmp_path):
    world = write_all(tmp_path, predictions=False)
    alert = Alert(kind="not_trained", severity="error", subject="3D network", message="no network was trained")
    write_placeholder(world.paths.predictions, "no network was trained", [alert])
    write_untrained(world.paths.network)
    write_report(tmp_path / "data", tmp_path / "models", tmp_path / "reports", read_params())
    page = (tmp_path / "reports/index.html").read_text()
    assert "<strong>3D network</strong>: no network was trained" in page
    assert "not known: no network was trained" in page
    assert json.loads((tmp_path / "reports/metrics.json").read_text())["alerts"]["error"] == 2
