"""Guards the site as a reader meets it, in a real browser.

No request leaves this machine, no page reports an error, nothing scrolls sideways on a phone; equations, search, dark
mode and the Colab button work.
"""

import io
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import pytest
import yaml
from browsing import chromium, opened, serving
from house import ROOT, built_site, in_contents, pages, sampled, until
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.full  # the site is built, and a browser visits all of it

BROWSERS = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}
SCHEMES = ("light", "dark")  # one after the other, as when evening comes to an open page
SEARCHED = "async page => Search.htmlToText(await (await fetch(page)).text())"
THEME = "document.documentElement.dataset.theme"
CUT = """[...document.querySelectorAll('.math, .katex-display')].filter(
  box => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === 'hidden'
).map(box => box.textContent)"""
COLAB = "document.querySelector('a.btn-colab')?.getAttribute('href')"
PICTURES = """[...document.querySelectorAll('.cell_output figure img')].map(
  image => [image.classList.contains('gv-plot'), getComputedStyle(image).filter])"""
ALONE = r"""[...document.querySelectorAll('.cell_output img')].filter(
  image => /^data:image.(gif|webp)|\.(gif|webp)$/.test(image.currentSrc || image.src)
).filter(image => !image.closest('picture')).map(image => [image.alt, image.currentSrc || image.src])"""
CHANGING = """[...document.querySelectorAll('*:not(source)')].filter(
  element => getComputedStyle(element).transitionProperty !== 'none').length"""  # a sound's sources are the browser's


class Visit(NamedTuple):
    """What one page did when it was opened."""

    page: str
    view: str
    foreign: list[str]
    errors: list[str]
    overflow: int
    cut: list[str]  # equations of which a part is out of reach
    colab: str | None
    pictures: list[tuple[bool, str]]  # in a notebook's figures: whether it is a plot, and how it is filtered
    alone: list[tuple[str, str]]  # what may be an animation and has no still: its words and its address
    changing: int  # elements that would take on a change by and by


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(built_site(), under="/hands-on") as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as started:
        yield started


def visit(context: "sync_api.BrowserContext", address: str, page: str, device: str) -> list[Visit]:
    """Open a page, let it settle, and note everything it asked for and complained about, in light and in dark."""
    foreign: list[str] = []
    errors: list[str] = []
    tab = context.new_page()

    def guard(route: "sync_api.Route") -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    tab.route("**/*", guard)
    tab.on("console", lambda m: errors.append(m.text) if m.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    tab.goto(f"{address}/{page}", wait_until="load")
    visits = []
    for scheme in SCHEMES:
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        until(lambda: tab.evaluate(THEME) == scheme, pause=lambda _: tab.wait_for_timeout(20))  # noqa: B023
        overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        seen = (tab.evaluate(what) for what in (CUT, COLAB, PICTURES, ALONE, CHANGING))
        visits.append(Visit(page, f"{device}, {scheme}", foreign, errors, overflow, *seen))
    tab.close()
    return visits


@pytest.fixture(scope="module", params=sampled(["one", "the other"], ["one"]))
def visits(browser: "sync_api.Browser", address: str, request) -> list[Visit]:
    """Every page, in turns on a desktop and on a phone, in light and in dark, from browsers that have never been here.

    Slow by the number of pages; each is opened once for all that is asked of it.
    """
    made = []
    for number, (device, options) in enumerate(BROWSERS.items()):
        turn = number if request.param == "one" else 1 - number
        with opened(browser, color_scheme="light", **options) as context:
            for page in pages()[turn :: len(BROWSERS)]:
                made += visit(context, address, str(page), device)
    return made


def test_every_page_is_visited_in_light_and_in_dark(visits):
    assert len(visits) == len(pages()) * len(SCHEMES) >= 12 * 2
    assert len({visit.view for visit in visits}) == len(BROWSERS) * len(SCHEMES)


def test_no_request_leaves_this_machine(visits):
    assert [(v.page, v.foreign) for v in visits if v.foreign] == []


def test_no_page_reports_an_error(visits):
    assert [(v.page, v.view, v.errors) for v in visits if v.errors] == []


def test_no_page_scrolls_sideways(visits):
    assert [(v.page, v.view, v.overflow) for v in visits if v.overflow > 0] == []


def test_no_equation_is_cut_off(visits):
    """A long one in a line breaks, one by itself scrolls."""
    assert [(v.page, v.view, v.cut) for v in visits if v.cut] == []


def test_equations_are_set_in_their_own_typeface_where_no_script_runs(browser, address):
    with opened(browser, java_script_enabled=False) as context:
        tab = context.new_page()
        fetched: set[str] = set()
        tab.on("requestfinished", lambda request: fetched.add(Path(urlparse(request.url).path).name))
        tab.goto(f"{address}/book/notation.html", wait_until="load")
        wanted = {"katex.min.css", "KaTeX_Math-Italic.woff2"}
        until(lambda: wanted <= fetched, pause=lambda _: tab.wait_for_timeout(50))


def test_a_link_into_a_long_chapter_leads_to_its_section(browser, address):
    """Although pictures above it arrive later than the reader."""
    with opened(browser) as context:
        tab = context.new_page()
        tab.goto(f"{address}/notebooks/03_wgan.html", wait_until="load")
        names = tab.evaluate("[...document.querySelectorAll('.bd-article section section')].map(s => s.id)")
        for name in (names[3], names[len(names) // 2], names[-2]):
            tab.goto("about:blank")
            tab.goto(f"{address}/notebooks/03_wgan.html#{name}", wait_until="load")
            heading = tab.locator(f"section[id='{name}'] > :is(h2, h3)")
            until(
                lambda: 0 <= heading.bounding_box()["y"] < 360,  # noqa: B023
                pause=lambda _: tab.wait_for_timeout(50),
            )


def test_the_address_alone_leads_to_the_cover(browser, address):
    with opened(browser) as context:
        tab = context.new_page()
        tab.goto(f"{address}/")
        tab.wait_for_url("**/book/index.html")
        assert tab.locator("article h1").last.inner_text().startswith("Generative Vision")


def test_coloured_symbols_follow_the_theme(browser, address):
    r"""\real{x} in an equation has the colour of the word “real”, in light and in dark."""
    seen = set()
    for scheme in ("light", "dark"):
        with opened(browser, color_scheme=scheme) as context:
            tab = context.new_page()
            tab.goto(f"{address}/book/notation.html")
            colour = "e => getComputedStyle(e).color"
            word = tab.locator("p span.gv-real:not(.enclosing)").first.evaluate(colour)
            assert tab.locator(".katex-html .gv-real").first.evaluate(colour) == word
            seen.add(word)
    assert len(seen) == 2


def test_search_finds_mode_collapse(browser, address):
    with opened(browser) as context:
        tab = context.new_page()
        tab.goto(f"{address}/search.html?q=mode+collapse")
        tab.wait_for_selector("#search-results ul.search li a")
        found = tab.locator("#search-results ul.search li a").evaluate_all("links => links.map(a => a.href)")
        assert any("glossary" in link for link in found)


def test_an_excerpt_holds_each_equation_once_and_in_symbols(browser, address):
    with opened(browser) as context:
        tab = context.new_page()
        tab.goto(f"{address}/search.html?q=Kantorovich+Rubinstein")
        text = tab.evaluate(SEARCHED, f"{address}/book/notation.html")
        assert "usually z∼N(0,I)" in text.replace("\u2061", "")
        assert text.count("z∼N(0,I)") == 1
        assert "\\mathcal" not in text


def test_words_that_were_searched_for_are_marked_on_the_page_one_lands_on(browser, address):
    with opened(browser) as window:
        tab = window.new_page()
        tab.goto(f"{address}/search.html?q=capacity+underuse")
        tab.locator("#search-results ul.search li a", has_text="WGAN-GP").first.click()
        tab.wait_for_selector("span.highlighted")
        assert {"capacity", "underuse"} <= {
            text.lower() for text in tab.locator("span.highlighted").all_inner_texts()
        }
        tab.goto(f"{address}/notebooks/03_wgan.html")
        assert tab.locator("span.highlighted").count() == 0


def test_the_button_changes_the_ground(browser, address):
    """Each press goes on to another of automatic, light and dark; the reader's choice outlives the page."""
    ground = "() => getComputedStyle(document.body).backgroundColor"
    with opened(browser, color_scheme="light") as context:
        tab = context.new_page()
        tab.goto(f"{address}/book/index.html")
        grounds = {tab.evaluate(ground)}
        for _ in range(3):
            tab.locator("button.theme-switch-button:visible").first.click()
            grounds.add(tab.evaluate(ground))
        assert len(grounds) == 2


def test_notebooks_open_in_colab(visits):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    repository = settings["url"].removeprefix("https://github.com/")
    notebooks = [
        path.relative_to(ROOT) for path in (ROOT / "notebooks").rglob("*.ipynb") if in_contents(path)
    ]
    assert len(notebooks) > 10
    links = {v.page: v.colab for v in visits}
    for notebook in notebooks:
        assert links[str(notebook.with_suffix(".html"))] == (
            f"https://colab.research.google.com/github/{repository}/blob/{settings['branch']}/{notebook}"
        )


def test_plots_turn_dark_with_the_page_and_photographs_stay_as_they_are(visits):
    """Plots have a white ground and dark lines; in dark mode they are turned, and nothing is dimmed."""
    dark = [v for v in visits if v.view.endswith("dark") and Path("notebooks") in Path(v.page).parents]
    for v in dark:
        assert all(look.startswith("invert") if plot else look == "none" for plot, look in v.pictures), v.page
    assert {plot for v in dark for plot, _ in v.pictures} == {True, False}


def test_animations_stand_still_when_asked(visits):
    """With reduced motion a browser shows the still that each animation carries."""
    assert [(v.page, words) for v in visits for words, source in v.alone if moves(source)] == []


@cache
def moves(source: str) -> bool:
    """Whether a picture of the site, or one that a page carries in itself, has more than one frame."""
    carried = re.match(r"data:image/\w+;base64,(.+)", source)
    file = (
        io.BytesIO(b64decode(carried[1]))
        if carried
        else built_site() / urlparse(source).path.split("/hands-on/")[1]
    )
    with Image.open(file) as picture:
        return getattr(picture, "is_animated", False)


def test_an_animation_is_told_from_a_still():
    still, other = Image.new("RGB", (4, 4), "teal"), Image.new("RGB", (4, 4), "red")
    for frames, animated in (([], False), ([other], True)):
        file = io.BytesIO()
        still.save(file, "WEBP", save_all=True, append_images=frames)
        assert moves(f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}") == animated


def test_with_less_motion_nothing_changes_by_and_by(visits):
    """A transition on each of a long chapter's 20,000 elements would hold it up for seconds when the theme changes."""
    assert [(v.page, v.changing) for v in visits if v.changing] == []
