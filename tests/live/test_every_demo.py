"""Guards what every demo owes its reader, on the gallery, the cover and the laboratory's page.

Its controls have names and can be reached by the keyboard, its words can be read in light and in dark, it keeps still
if asked to, and without script and on paper its picture stands for it.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from browsing import opened, sync_api
from house import ROOT, sampled, until
from stand import TAKING, UNNAMED
from visitor import Reader

pytestmark = pytest.mark.full  # the site is built, and a browser uses it

PAGES = ("index", "live", "laboratory")
DEMOS = {
    page: re.findall(
        r"^```\{live\} (\S+)", (ROOT / f"book/{page}.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    for page in PAGES
}
STILL = ":scope > img, :scope > a > img"
UNFOLD = "figure => { for (const one of figure.querySelectorAll('details')) one.open = true; }"
THEME = "document.documentElement.dataset.theme"
CONTROLS = """figure => [...figure.querySelectorAll("a[href], button, input, select, summary")]
  .filter((one) => one.checkVisibility() && !one.matches(":disabled"))"""
DEAD = f"figure => ({CONTROLS})(figure).filter((one) => !one.matches('figcaption a')).map((one) => one.outerHTML)"
# Where the tab key is to stop: at each control, but once in a row of radio buttons, which share a name.
STOPS = f"""figure => {{
  const name = (one, place) => (one.type === "radio" ? `one of ${{one.name}}` : `${{place}}: ${{one.outerHTML}}`);
  window.stops = new Map(({CONTROLS})(figure).map((one, place) => [one, name(one, place)]));
  figure.tabIndex = -1;
  figure.focus();
  return [...new Set(stops.values())];
}}"""
STOP = "figure => figure.contains(document.activeElement) && (stops.get(document.activeElement) ?? 'another')"
# Words whose colour is too near to that of their ground: the sum of all grounds from the page's down to their own.
FAINT = """figure => {
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const laid = (colours, share = 1) => {
    colours.forEach((colour, place) => {
      brush.globalAlpha = place === colours.length - 1 ? share : 1;
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
    });
    const [red, green, blue] = [...brush.getImageData(0, 0, 1, 1).data].map((level) => level / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const around = (one) => (one ? [...around(one.parentElement), one] : []);
  const contrast = (one) => {
    const looks = around(one).map((each) => getComputedStyle(each));
    const grounds = ["white", ...looks.map((look) => look.backgroundColor)];
    const seen = looks.reduce((share, look) => share * look.opacity, 1);
    const [dark, light] = [laid(grounds), laid([...grounds, getComputedStyle(one).color], seen)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const words = document.createTreeWalker(figure, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (words.nextNode()) if (words.currentNode.data.trim()) found.add(words.currentNode.parentElement);
  const read = [...found].filter((one) => one.checkVisibility({ opacityProperty: true }) && !one.closest(":disabled"));
  const faint = read.map((one) => [contrast(one), one.outerHTML]).filter(([found]) => found < 4.5);
  return { read: read.length, faint };
}"""


class Begun(NamedTuple):
    """A demo that runs."""

    name: str
    figure: "sync_api.Locator"
    reader: Reader


KEPT = ("index-living-faces", "live-draw-me", "live-translation", "laboratory-gan-lab")


@pytest.fixture(scope="module")
def everywhere(browser, address) -> Iterator[Callable[[str], Begun]]:
    """Begins a demo before somebody who wants less motion, once, and unfolds it."""
    with opened(browser, reduced_motion="reduce", viewport={"width": 1280, "height": 1000}) as window:

        @cache
        def reader_of(page: str) -> Reader:
            reader = Reader(window.new_page(), f"{address}/book/{page}.html")
            return reader

        @cache
        def begun(name: str) -> Begun:
            page, _, demo = name.partition("-")
            figure = reader_of(page).reach(demo)
            reader_of(page).settle(figure)
            figure.evaluate(UNFOLD)
            return Begun(demo, figure, reader_of(page))

        yield begun


@pytest.fixture(params=sampled((f"{page}-{name}" for page, names in DEMOS.items() for name in names), KEPT))
def demo(request, everywhere) -> Begun:
    return everywhere(request.param)


def test_it_keeps_still_if_less_motion_is_wanted(demo):
    demo.figure.scroll_into_view_if_needed()
    demo.reader.settle(demo.figure)
    before = demo.figure.screenshot()
    demo.reader.tab.wait_for_timeout(500)
    assert demo.figure.screenshot() == before


def test_every_control_has_a_name(demo):
    assert demo.figure.evaluate(UNNAMED) == []


def test_every_control_is_reached_by_the_tab_key(demo):
    wanted, reached = demo.figure.evaluate(STOPS), []
    while len(reached) < 2 * len(wanted) + 10:  # a trap would hold the reader for ever
        demo.reader.tab.keyboard.press("Tab")
        stop = demo.figure.evaluate(STOP)
        if not stop:
            break
        reached.append(stop)
    assert wanted
    assert [stop for stop in wanted if stop not in reached] == []
    assert not stop


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_can_be_read(demo, scheme):
    tab = demo.reader.tab
    tab.emulate_media(color_scheme=scheme)
    until(lambda: tab.evaluate(THEME) == scheme, pause=lambda _: tab.wait_for_timeout(20))
    words = demo.figure.evaluate(FAINT)
    assert words["read"]
    assert words["faint"] == []


def test_it_takes_pictures_if_and_only_if_that_is_tested(demo):
    """In test_giving.py."""
    assert (demo.figure.locator(".gv-live-drop").count() > 0) == (demo.name in TAKING)


def test_on_paper_its_still_stands_for_it(demo):
    tab, still = demo.reader.tab, demo.figure.locator(STILL)
    assert not still.is_visible()
    tab.emulate_media(media="print")
    shown, dead = still.is_visible(), demo.figure.evaluate(DEAD)
    tab.emulate_media(media="screen")
    assert shown
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_without_script_there_are_stills(visit, page):
    tab = visit(f"book/{page}.html", java_script_enabled=False).tab
    for name in DEMOS[page]:
        still = tab.locator(f'figure[data-live="{name}"]').locator(STILL)
        assert still.is_visible(), name
        assert still.evaluate("image => image.naturalWidth > 0"), name
        assert len(still.get_attribute("alt")) > 60, name
