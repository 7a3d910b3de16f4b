"""What the tests of the demos share: the site, a browser, and a reader who has just come."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browsing import chromium, opened, serving, sync_api
from house import built_site
from stand import prepare
from visitor import Reader


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
def visit(browser: "sync_api.Browser", address: str) -> Iterator[Callable[..., Reader]]:
    """Open a page of the site in a window that has never been here."""
    with ExitStack() as windows:

        def go(page: str, *, where: str = address, **options: object) -> Reader:
            window = windows.enter_context(opened(browser, **options))
            return Reader(window.new_page(), f"{where}/{page}")

        yield go


@pytest.fixture
def tab(
    browser: "sync_api.Browser", address: str, request: pytest.FixtureRequest
) -> Iterator["sync_api.Page"]:
    """A tab with the module's demo in it, as its `shown` opens it."""
    tab = request.module.shown(browser, address)
    yield tab
    tab.context.close()
