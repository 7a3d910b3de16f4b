"""What the tests of the demos share: the site, a browser, and a reader who has just come."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from browsing import chromium, opened, serving, sync_api
from house import ROOT, built_site
from stand import prepare
from visitor import Reader

SCREENS = ROOT / "_build/screens"


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole book's; or of the demos that the module names in `ALONE` a page each, which is quicker to make."""
    alone = getattr(request.module, "ALONE", ())
    if not alone:
        return built_site()
    folder = tmp_path_factory.mktemp("site")
    prepare(folder, *alone)
    return folder


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    with serving(site, under="" if hasattr(request.module, "ALONE") else "/hands-on") as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as started:
        yield started


@pytest.fixture
def visit(
    browser: "sync_api.Browser", address: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Reader]]:
    """Open a page of the site in a window that has never been here; how it looks in the end is kept in `_build`."""
    readers: list[Reader] = []
    with ExitStack() as windows:

        def go(page: str, *, where: str = address, **options: object) -> Reader:
            window = windows.enter_context(opened(browser, **options))
            readers.append(Reader(window.new_page(), f"{where}/{page}"))
            return readers[-1]

        yield go
        for number, reader in enumerate(readers):
            keep(reader.tab, request, number)


@pytest.fixture
def tab(
    browser: "sync_api.Browser", address: str, request: pytest.FixtureRequest
) -> Iterator["sync_api.Page"]:
    """A tab with the module's demo in it, as its `shown` opens it; likewise kept."""
    tab = request.module.shown(browser, address)
    yield tab
    keep(tab, request)
    tab.context.close()


def keep(tab: "sync_api.Page", request: pytest.FixtureRequest, number: int = 0) -> None:
    name = re.sub(r"[^\w-]+", "-", request.node.nodeid.removeprefix("tests/live/"))
    with suppress(sync_api.Error):  # a page that the test has closed
        tab.screenshot(path=SCREENS / f"{name}-{number}.png")
