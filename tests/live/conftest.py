"""What the tests of the demos share: the site, a browser, and a reader who has just come."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from browsing import chromium, opened, serving, sync_api
from house import built_site
from visitor import Reader


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(built_site(), under="/hands-on") as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: "sync_api.Browser", address: str) -> Iterator[Callable[..., Reader]]:
    """Open a page of the site in a window that has never been here."""
    with ExitStack() as windows:

        def go(page: str, *, where: str = address, **options: object) -> Reader:
            window = windows.enter_context(opened(browser, **options))
            return Reader(window.new_page(), f"{where}/{page}")

        yield go
