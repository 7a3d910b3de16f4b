"""The laboratory as a reader uses it, in a real browser: runs, turns by hand, drawing, links, keyboard, phone."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
from browsing import opened, sync_api
from house import until
from stand import UNNAMED

pytestmark = pytest.mark.full  # the site is built, and a browser plays

PAGE = "book/laboratory.html"
PANEL = ".gv-live-lab-panel"
BARS = ".gv-live-lab-charts canvas"
DRAWN = "all => all.map((canvas) => canvas.toDataURL())"
FIRST_HUNDRED = "d9a72495"  # the same as in book/live/tests/lab-engine.test.js, which node plays


class Experimenter:
    """Somebody at the page, and what the page did behind their back."""

    def __init__(
        self, browser: "sync_api.Browser", address: str, fragment: str = "", **options: object
    ) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.context = opened(browser, **{"viewport": {"width": 1440, "height": 1000}, **options})
        self.page = self.context.new_page()
        self.page.route("**/*", partial(self._guard, address))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console", lambda m: self.errors.append(m.text) if m.type in {"error", "warning"} else None
        )
        self.page.goto(f"{address}/{PAGE}{fragment}")
        self.page.locator(".gv-live").first.scroll_into_view_if_needed()
        self.page.wait_for_selector(f"{PANEL}[data-turn]")

    def _guard(self, address: str, route: "sync_api.Route") -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def until(self, script: str) -> None:
        """Until a script is true. Playwright's own waiting is an `eval`, which the page's policy forbids."""
        until(
            lambda: self.page.evaluate(script),
            pause=lambda seconds: self.page.wait_for_timeout(1000 * seconds),
        )

    def count(self, what: str, panel: int = 0) -> int:
        return int(self.page.locator(PANEL).nth(panel).get_attribute(f"data-{what}"))

    def wait(self, what: str, least: int, panel: int = 0) -> None:
        """Until a run's count of steps or turns has come so far."""
        script = f"+document.querySelectorAll('{PANEL}')[{panel}].dataset.{what} >= {least}"
        self.until(script)

    def fingerprint(self, panel: int = 0) -> str:
        return self.page.locator(f"{PANEL} code").nth(panel).inner_text()

    def spoken(self) -> str:
        return self.page.locator(".gv-live [role=status]").inner_text()

    def picture(self) -> str:
        """The plane's pixels."""
        script = "document.querySelector('.gv-live-lab-plane').toDataURL()"
        return str(self.page.evaluate(script))

    def still(self) -> None:
        """Pause, and wait until that is said, with what is measured then."""
        self.press("Pause")
        until(
            lambda: self.spoken().startswith("Paused."),
            pause=lambda seconds: self.page.wait_for_timeout(1000 * seconds),
        )

    def leave(self) -> None:
        """Go, having met no error and been sent nowhere else."""
        self.context.close()
        assert self.errors == []
        assert self.foreign == []


@pytest.fixture
def reader(browser: "sync_api.Browser", address: str) -> Iterator[Experimenter]:
    somebody = Experimenter(browser, address)
    yield somebody
    somebody.leave()


LAYERS = ("map of the discriminator", "real", "fakes", "pushes on the fakes", "net of the latents")


def test_each_layer_is_seen_in_the_plane_and_taken_away_again(reader: Experimenter) -> None:
    reader.press("Run")
    reader.wait("step", 25)
    reader.still()
    for layer in LAYERS:
        reader.page.wait_for_timeout(500)
        before = reader.picture()
        reader.page.get_by_label(layer, exact=True).click()
        reader.page.wait_for_timeout(500)
        assert reader.picture() != before, layer
        reader.page.get_by_label(layer, exact=True).click()
        reader.page.wait_for_timeout(500)
        assert reader.picture() == before, layer


def test_what_is_exact_stands_beside_what_the_critic_claims(reader: Experimenter) -> None:
    charts = reader.page.locator(".gv-live-lab-charts").first
    assert "claimed" not in charts.inner_text()
    before = reader.page.locator(BARS).evaluate_all(DRAWN)
    reader.press("Run")
    reader.wait("step", 25)
    reader.still()
    exact, claimed = (
        float(re.search(rf"{word}\s+(\d+\.\d+)", charts.inner_text())[1]) for word in ("exact", "claimed")
    )
    assert exact > 0
    assert claimed <= 0.7  # the Jensen–Shannon divergence is at most log 2
    after = reader.page.locator(BARS).evaluate_all(DRAWN)
    assert len(after) == 5  # distances, modes, losses, weights, slopes
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_nothing_moves_before_run_is_pressed_and_then_it_does(reader: Experimenter) -> None:
    before = reader.picture()
    reader.page.wait_for_timeout(1000)
    assert reader.count("turn") == 0
    assert reader.picture() == before
    reader.press("Run")
    reader.wait("step", 25)
    reader.still()
    assert reader.picture() != before
    step = reader.count("step")
    reader.page.wait_for_timeout(500)
    assert reader.count("step") == step
    assert f"Step {step}." in reader.spoken()
    assert "modes reached" in reader.spoken()


def test_a_turn_of_each_is_told_in_words(reader: Experimenter) -> None:
    reader.press("Discriminator’s turn")
    reader.wait("turn", 1)
    assert reader.count("step") == 0
    tale = reader.page.locator(".gv-live-lab-tale")
    assert "The discriminator looks at 64 real points and 64 fakes" in tale.inner_text()
    reader.press("Generator’s turn")
    reader.wait("step", 1)
    assert "The generator draws 64 points" in tale.inner_text()
    assert "The generator draws 64 points" in reader.spoken()


def test_slow_motion_goes_turn_by_turn(reader: Experimenter) -> None:
    reader.page.get_by_text("slow motion", exact=True).click()
    reader.press("Run")
    reader.wait("turn", 3)
    reader.still()
    assert reader.count("turn") <= 6


def test_the_browser_plays_the_same_game_as_node(browser: "sync_api.Browser", address: str) -> None:
    reader = Experimenter(browser, address, "#lab&turn=200")
    assert reader.count("step") == 100
    assert reader.fingerprint() == FIRST_HUNDRED
    reader.leave()


def test_a_drawing_becomes_the_data(reader: Experimenter) -> None:
    reader.page.get_by_text("draw your own", exact=True).click()
    ground = reader.page.locator(".gv-live-lab-pencil canvas")
    box = ground.bounding_box()
    assert box is not None
    mouse = reader.page.mouse
    mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"], steps=12)
    mouse.up()
    reader.press("Use this drawing")
    reader.until("location.hash.includes('data=drawn&drawing=')")
    drawing = reader.page.evaluate("/drawing=([\\w-]+)/.exec(location.hash)[1]")
    rows = {drawing[place] for place in range(1, len(drawing), 2)}
    assert len(drawing) >= 2 * 20
    assert len(rows) == 1  # a level stroke
    reader.press("Run")
    reader.wait("step", 25)
    reader.still()
    assert "of the shape reached" in reader.spoken()


def test_a_drawing_can_be_made_with_the_keyboard(reader: Experimenter) -> None:
    reader.page.get_by_label("draw your own").focus()
    reader.page.keyboard.press("Space")
    for key in ("ArrowUp", "Space", "ArrowRight", "ArrowRight", "Space", "Space", "Backspace", "Enter"):
        reader.page.keyboard.press(key)
    reader.until("location.hash.includes('data=drawn&drawing=')")
    drawing = reader.page.evaluate("/drawing=([\\w-]+)/.exec(location.hash)[1]")
    assert len(drawing) == 4  # two dabs
    assert reader.page.locator(".gv-live-lab-pencil").count() == 0


def test_a_link_plays_the_same_run_again_bit_for_bit(
    reader: Experimenter, browser: "sync_api.Browser", address: str
) -> None:
    reader.press("Discriminator’s turn")
    reader.wait("turn", 1)
    reader.press("Discriminator’s turn")  # out of turn
    reader.wait("turn", 2)
    reader.press("Run")
    reader.wait("step", 30)
    reader.still()
    reader.page.get_by_text("Settings", exact=True).click()
    reader.page.get_by_label("Rate of the generator").select_option("0.005")
    reader.press("Run")
    reader.wait("step", 60)
    reader.still()
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.press("Copy link")
    reader.until("document.querySelector('.gv-live-lab-note').textContent.includes('Copied')")
    link = reader.page.evaluate("navigator.clipboard.readText()")
    friend = Experimenter(browser, address, "#" + link.split("#")[1])
    friend.wait("turn", reader.count("turn"))
    assert friend.fingerprint() == reader.fingerprint()
    for each in (reader, friend):
        turn = each.count("turn")
        each.press("One step")
        each.wait("turn", turn + 1)
    assert friend.fingerprint() == reader.fingerprint()
    friend.leave()


def test_two_runs_stand_side_by_side(reader: Experimenter) -> None:
    reader.press("Run")
    reader.wait("step", 20)
    reader.still()
    reader.press("A second run beside it")
    reader.until(f"document.querySelectorAll('{PANEL}[data-turn]').length === 2")
    assert reader.fingerprint(1) == reader.fingerprint(0)
    reader.page.locator(PANEL).nth(1).get_by_label("Objective").select_option("twosided")
    reader.until(f"[...document.querySelectorAll('{PANEL}')].every(run => run.dataset.turn === '0')")
    reader.press("Run")
    for panel in (0, 1):
        reader.wait("step", 10, panel)
    reader.still()
    assert reader.count("step", 0) == reader.count("step", 1)
    assert reader.fingerprint(1) != reader.fingerprint(0)
    assert "The run beside it" in reader.spoken()
    first, second = (reader.page.locator(PANEL).nth(panel).bounding_box() for panel in (0, 1))
    assert first is not None
    assert second is not None
    assert second["x"] >= first["x"] + first["width"]
    reader.press("A second run beside it")
    assert reader.page.locator(PANEL).count() == 1


def test_the_collapse_button_sets_the_rates_apart_and_goes(reader: Experimenter) -> None:
    reader.press("Make it collapse")
    reader.wait("step", 20)
    reader.page.get_by_text("Settings", exact=True).click()
    assert reader.page.get_by_label("Rate of the generator").input_value() == "0.005"
    assert reader.page.get_by_label("Rate of the discriminator").input_value() == "0.0005"
    reader.still()


def test_links_of_the_page_set_it_up(reader: Experimenter) -> None:
    """Each experiment's link is one that the laboratory understands, and opens it."""
    links = reader.page.locator("a[href^='#lab']")
    assert links.count() >= 4
    reader.page.locator("a[href*='clipped']").click()
    reader.until(f"document.querySelectorAll('{PANEL}[data-turn=\"0\"]').length === 2")
    assert reader.page.get_by_label("Objective").first.input_value() == "clipped"


def test_the_keyboard_alone_suffices(reader: Experimenter) -> None:
    page = reader.page
    page.locator(".gv-live-lab-data input").first.focus()
    page.keyboard.press("ArrowRight")  # the next distribution
    reader.until("location.hash.includes('data=grid')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Run"
    page.keyboard.press("Enter")
    reader.wait("step", 15)
    page.keyboard.press("Space")
    reader.until("document.activeElement.textContent === 'Run'")
    assert page.locator(".gv-live-lab").evaluate(UNNAMED) == []


def test_a_phone_shows_all_of_it(browser: "sync_api.Browser", address: str) -> None:
    reader = Experimenter(browser, address, viewport={"width": 360, "height": 780}, has_touch=True)
    reader.page.get_by_text("Settings", exact=True).click()
    reader.press("A second run beside it")
    reader.until(f"document.querySelectorAll('{PANEL}[data-turn]').length === 2")
    assert reader.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    reader.page.get_by_role("button", name="Run", exact=True).tap()
    reader.wait("step", 5)
    reader.page.get_by_role("button", name="Pause", exact=True).tap()
    reader.leave()


def test_the_picture_follows_the_theme(browser: "sync_api.Browser", address: str) -> None:
    reader = Experimenter(browser, address, color_scheme="dark")
    reader.page.get_by_label("map of the discriminator").uncheck()
    corner = "document.querySelector('.gv-live-lab-plane').getContext('2d').getImageData(3, 3, 1, 1).data"
    ground = reader.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--gv-ground')"
    )
    assert [*reader.page.evaluate(f"[...{corner}]")][:3] == [*bytes.fromhex(ground.strip()[1:])]
    assert ground.strip() == "#16181D"
    reader.leave()


def test_with_less_motion_asked_for_pictures_change_twice_a_second(
    browser: "sync_api.Browser", address: str
) -> None:
    reader = Experimenter(browser, address, reduced_motion="reduce")
    reader.page.evaluate(
        f"""() => {{
            window.changes = 0;
            new MutationObserver(() => window.changes++).observe(
                document.querySelector('{PANEL}'), {{ attributeFilter: ['data-step'] }});
        }}"""
    )
    reader.press("Run")
    reader.page.wait_for_timeout(3000)
    script = f"[window.changes, +document.querySelector('{PANEL}').dataset.step]"
    changes, steps = reader.page.evaluate(script)
    assert changes >= 1
    assert steps >= 30 * changes
    reader.leave()


def test_a_link_that_asks_for_nonsense_opens_an_ordinary_run(
    browser: "sync_api.Browser", address: str
) -> None:
    reader = Experimenter(browser, address, "#lab&width=1e9&objective=none&data=%3Cb%3E&turn=-3")
    assert reader.count("turn") == 0
    assert reader.page.get_by_label("Objective").input_value() == "nonsaturating"
    reader.leave()
