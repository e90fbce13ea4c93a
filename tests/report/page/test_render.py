"""The page in a real browser: it draws, it plays and it makes no requests."""

import pytest

from pipeline.params.file import read_params
from pipeline.report import write_report
from tests.report.browser import CHROMIUM, browser
from tests.world.results import write_all

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

DRAW_ALL = "dispatchEvent(new Event('beforeprint'))"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("shown")
    write_all(root, refined=("truth",))
    write_report(root / "data", root / "models", root / "reports", read_params())
    return root / "reports/index.html"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_everything_is_drawn_without_an_error_or_a_request(path, tmp_path, width, dark):
    with browser(tmp_path) as page:
        page.open(path, width, 900, dark=dark)
        page.run(DRAW_ALL)
        page.wait("[...document.querySelectorAll('.drawn')].every(host => host.querySelector('canvas, svg'))")
        page.wait("[...document.querySelectorAll('.chart')].every(host => host.querySelector('.main-svg'))")
        assert page.run("document.querySelectorAll('.epipolar polyline').length") == 3  # views of the rig
        assert page.run("document.documentElement.scrollWidth") <= width
        images = page.run("[...document.images].map(image => image.alt || image.closest('a')?.textContent)")
        assert images
        assert all(images)
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        assert (max(int(part) for part in ground[4:-1].split(", ")) < 80) == dark
        # Something is in every 3D view, once it has a size.
        page.wait("""[...document.querySelectorAll('.scene canvas')].every(canvas => canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0))""")
        assert page.complaints == []
        assert all(url.startswith(("file:", "data:")) for url in page.requests)


def test_it_plays_pauses_scrubs_and_rotates(path, tmp_path):
    with browser(tmp_path) as page:
        page.open(path, 1280, 900)
        page.run(DRAW_ALL)
        picture = "document.querySelector('.playback .scene canvas').toDataURL()"
        video = "document.querySelector('.playback .videos canvas').toDataURL()"
        button, clock = "document.querySelector('.player button')", "document.querySelector('.player span').textContent"
        page.wait(f"{video}.length > 2000")
        before = page.run(picture), page.run(video)
        page.run(f"{button}.click()")
        page.wait(f"{clock} !== '0.0 s'")
        assert page.run(f"{button}.textContent") == "Pause"
        page.run(f"{button}.click()")
        assert page.run(f"{button}.textContent") == "Play"
        stopped = page.run(clock)
        assert (page.run(picture), page.run(video)) != before
        slider = "document.querySelector('.player input')"
        page.run(f"{slider}.value = 5; {slider}.dispatchEvent(new Event('input'))")
        assert page.run(clock) == "0.4 s"
        assert stopped != "0.0 s"
        before = page.run(picture)
        page.run("""document.querySelector('.playback .scene canvas').dispatchEvent(
            new KeyboardEvent('keydown', {key: 'ArrowLeft'}))""")
        assert page.run(picture) != before


def test_a_chosen_joint_draws_its_lines(path, tmp_path):
    with browser(tmp_path) as page:
        page.open(path, 1280, 900)
        page.run(DRAW_ALL)
        lines = "[...document.querySelectorAll('.epipolar polyline')].map(line => line.getAttribute('points'))"
        before = page.run(lines)
        assert before[0] == ""  # none in the view that the joint is taken from
        assert all(before[1:])
        page.run("""(() => { const select = document.querySelectorAll('.epipolar select')[0];
            select.value = 1; select.dispatchEvent(new Event('change')); })()""")
        after = page.run(lines)
        assert after[1] == ""
        assert after[0]
        assert after[2] != before[2]
