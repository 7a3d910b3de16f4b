"""What the tests of the demos share: the site, a browser, and a reader who has just come."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from browsing import chromium, opened, serving, sync_api
from house import ROOT, built_site
from visitor import Reader

SCREENS = ROOT / "_build/screens"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(built_site(), under="/hands-on") as where:
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
        name = re.sub(r"[^\w-]+", "-", request.node.nodeid.removeprefix("tests/live/"))
        for number, reader in enumerate(readers):
            with suppress(sync_api.Error):  # a page that the test has closed
                reader.tab.screenshot(path=SCREENS / f"{name}-{number}.png")
