"""The site in a real browser, opened from a file: figures are drawn, answers open, nothing is asked of anybody."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.slow

PAGES = (
    "index.html",
    "chapters/00_start_here.html",
    "chapters/10_the_audit.html",
    "specimens/index.html",
    "specimens/atlas.html",
    "teaching/index.html",
    "search.html?q=superposition",
)
SIZES = ((1280, False), (1280, True), (390, False), (390, True))


def opened(page, site, name):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(f"error: {error}"))
    path, _, query = name.partition("?")
    page.goto((site / path).as_uri() + (f"?{query}" if query else ""))
    page.wait_for_load_state("load")
    return asked


def from_elsewhere(asked):
    return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]


WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('main details').forEach((each) => each.open = true)"


def test_every_page_fits_a_phone_with_all_answers_open(site, open_page):
    page = open_page(390)
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        assert from_elsewhere(opened(page, site, name)) == []
        page.evaluate(OPEN_ALL)
        assert page.evaluate(WIDER) <= 0, f"{name} is wider than the screen"


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_pages_fit_the_screen_and_axe_finds_nothing_serious(
    site, open_page, assert_accessible, seen, width, dark
):
    page = open_page(width, dark)
    for name in PAGES:
        asked = opened(page, site, name)
        assert from_elsewhere(asked) == []
        page.evaluate(OPEN_ALL)
        assert page.evaluate(WIDER) <= 0, f"{name} is wider than the screen"
        assert_accessible(page)
        label = name.partition(".")[0].replace("/", "-")
        seen(page, f"site {label}, {width}, {'dark' if dark else 'light'}")


def test_every_figure_of_a_chapter_is_drawn_and_can_be_asked(site, open_page, seen):
    page = open_page()
    asked = opened(page, site, "chapters/03_induction_heads.html")
    assert not any("plotly" in url for url in asked), "not before it is needed"
    page.evaluate(OPEN_ALL)
    figures = page.locator("figure.plotly")
    for number in range(figures.count()):
        figures.nth(number).scroll_into_view_if_needed()
        figures.nth(number).locator(".main-svg").first.wait_for()
    assert from_elsewhere(asked) == []
    assert sum("plotly" in url for url in asked) == 1
    # Pointing at a mark says its numbers.
    figure = figures.first.locator(".plot")
    figure.evaluate("node => Plotly.Fx.hover(node, [{curveNumber: 0, pointNumber: 3}])")
    figure.locator(".hoverlayer text").first.wait_for()
    seen(page, "site figure, pointed at")


def test_answers_open_with_the_keyboard_and_a_quick_check_says_why(site, open_page):
    page = open_page()
    opened(page, site, "chapters/00_start_here.html")
    answer = page.locator("#ex-top-tokens details.answer")
    assert not answer.locator("pre.code").first.is_visible()
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    answer.locator("pre.code").first.wait_for(state="visible")
    quiz = page.locator("#quiz-read-a-shape")
    quiz.locator("details:not(.again) > summary").first.focus()
    page.keyboard.press("Space")
    quiz.locator("p.right, p.wrong").first.wait_for(state="visible")


def test_the_search_finds_what_is_written_in_the_head_of_any_page(site, open_page, seen):
    page = open_page()
    opened(page, site, "chapters/00_start_here.html")
    page.get_by_role("searchbox").fill("activation patching")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=activation+patching")
    hit = page.locator("#hits a").first
    hit.wait_for()
    assert "patching" in hit.inner_text().lower()
    seen(page, "site search")
    hit.click()
    page.wait_for_url("**/chapters/04_patching.html**")


class Quiet(SimpleHTTPRequestHandler):
    """A web server that writes no log."""

    def log_message(self, *_):
        pass


def test_from_a_web_server_under_a_sub_path(site, open_page):
    """Below somebody else's pages: all that is asked for is there, and nothing above it is asked for."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site.parent)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        below = f"http://127.0.0.1:{server.server_port}/{site.name}/"
        bad = []
        page = open_page()
        page.on(
            "response",
            lambda got: (
                bad.append((got.status, got.url))
                if got.status >= 400 or not got.url.startswith((below, "data:", "blob:"))
                else None
            ),
        )
        try:
            page.goto(below)
            page.goto(f"{below}chapters/08_field_trips.html")
            figure = page.locator("figure.plotly").first
            figure.scroll_into_view_if_needed()
            figure.locator(".main-svg").first.wait_for(state="attached")
            page.get_by_role("searchbox").fill("couplet")
            page.keyboard.press("Enter")
            page.locator("#hits a").first.click()
            page.wait_for_url(f"{below}**.html**")
            page.wait_for_load_state("load")
        finally:
            server.shutdown()
    assert bad == []
