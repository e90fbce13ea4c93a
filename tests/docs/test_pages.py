"""The documents agree with the repository: files that they name exist, links lead somewhere, examples run."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pipeline.formats.calibration_format import CalibrationFormat
from pipeline.geometry.camera.model import Camera
from tests.house.imports import ROOT

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = [ROOT / "README.md", CONTRIBUTING, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = {
    "pipeline/detectors/blobs.py",
    "pipeline/formats/plain_json.py",
    "pipeline/learning/images/backbones/pool.py",
}
EXAMPLES |= {"tests/detectors/test_blobs.py", "tests/formats/test_plain_json.py"}
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def run_example(file: str) -> SimpleNamespace:
    """The names that the example of a file in CONTRIBUTING.md defines."""
    block = re.search(rf"`{file}`.*?```python\n(.*?)```", CONTRIBUTING.read_text(), re.DOTALL)
    assert block, f"CONTRIBUTING.md has no example of {file}"
    names: dict[str, object] = {}
    exec(block[1], names)
    return SimpleNamespace(**names)


@by_name
def test_files_that_a_page_names_exist(page):
    named = set(re.findall(r"`((?:pipeline|tests|stages|bench)/[\w/]+\.\w+)`", page.read_text())) - EXAMPLES
    assert not {name for name in named if not (ROOT / name).is_file()}


@by_name
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert not {link for link in links if "://" not in link and not (page.parent / link).exists()}


def test_the_glossary_is_short():
    glossary = (ROOT / "docs" / "design.md").read_text().partition("## Glossary")[2]
    terms = re.findall(r"^\| (?!term|---)(.+?) \|", glossary, re.MULTILINE)
    assert 15 < len(terms) <= 25
    assert len(set(terms)) == len(terms)


def test_the_example_of_a_detector_detects(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[12, 34] = 255
    found = run_example("pipeline/detectors/blobs.py").BlobDetector(tmp_path, None).detect([image], None)
    np.testing.assert_array_equal(found.joints_px[0, 0], [34, 12])
    assert (found.confidence == 1).all()


def test_the_example_of_a_format_reads_what_it_writes(tmp_path):
    form: CalibrationFormat = run_example("pipeline/formats/plain_json.py").FORMAT
    camera = Camera(
        np.diag([900.0, 901, 1]), np.array([0.1, 0, 0, 0]), (640, 480), np.eye(3), np.array([10.0, 20, 3000])
    )
    path = tmp_path / "rig.cameras.json"
    assert form.has_name(path)
    assert form.write is not None
    form.write(path, {"cam1": camera}, "")
    [(name, read)] = form.read(path)
    assert name == "cam1"
    assert read.size_px == camera.size_px
    np.testing.assert_allclose(read.project(np.array([0.0, 0, 0])), camera.project(np.array([0.0, 0, 0])))


def test_the_example_of_a_backbone_has_the_shapes_that_the_network_expects():
    backbone = run_example("pipeline/learning/images/backbones/pool.py").PoolNet(4)
    [features] = backbone(torch.zeros(2, 3, 64, 64))
    assert features.shape == (2, backbone.channels, 2, 2)


def test_the_design_names_every_room():
    design = (ROOT / "docs" / "design.md").read_text()
    rooms = {path.stem for path in (ROOT / "pipeline").iterdir() if not path.name.startswith("__")}
    assert not {room for room in rooms if not re.search(rf"`{room}\b", design)}
