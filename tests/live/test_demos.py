"""Guards the demos of chapters 1 and 6 as a reader uses them: what the canvas shows is what torch computes.

Nothing heavy is loaded before a touch, and nothing ever from elsewhere; what goes wrong is said and can be tried again.
"""

import io
import re
from pathlib import Path

import pytest
import torch
from browsing import opened, serving
from house import ROOT, SITE, until
from pictures import save
from PIL import Image, ImageOps
from stand import give
from visitor import PIXELS, Reader, drawn, levels_apart, mixed, prepared, values

from companion import pretrained
from companion.data.faces import Portraits
from companion.data.scale import to_bytes
from companion.latent.sliders import read_square

pytestmark = pytest.mark.full  # the site is built, and a browser uses it

PAGE = "book/live.html"
DEMOS = ("digit-walk", "digit-plane", "faces-sliders")


def test_nothing_heavy_before_a_touch_and_nothing_from_elsewhere_after_it(visit):
    reader = visit(PAGE)
    figures = {name: reader.reach(name) for name in DEMOS}
    assert reader.heavy == []
    reader.drag(figures["digit-plane"].locator(".gv-live-pad"), 0.2, 0.3)
    reader.sees(
        figures["digit-plane"].locator("canvas"),
        drawn("mnist-plane", torch.tensor(values(figures["digit-plane"].locator(".gv-live-pad")))),
    )
    assert {url.rsplit(".")[-1] for url in reader.heavy} == {"wasm", "onnx", "mjs"}
    assert sum(url.endswith(".onnx") for url in reader.heavy) == 1  # the one that was touched
    assert reader.foreign == []
    assert reader.errors == []


def test_the_map_shows_the_digit_at_the_handle(visit):
    reader = visit(PAGE)
    figure = reader.reach("digit-plane")
    pad, digit = figure.locator(".gv-live-pad"), figure.locator("canvas")
    reader.sees(digit, drawn("mnist-plane", torch.zeros(2)))  # before any touch
    reader.drag(pad, 0.9, 0.2)
    x, y = values(pad)
    assert x == pytest.approx(2.0, abs=0.3)  # the demo above may begin meanwhile, and move this one
    assert y == pytest.approx(1.5, abs=0.3)
    reader.sees(digit, drawn("mnist-plane", torch.tensor([x, y])))
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowDown"):  # the handle has the focus
        reader.tab.keyboard.press(key)
    assert values(pad) == pytest.approx((x - 0.1, y - 0.25))
    reader.sees(digit, drawn("mnist-plane", torch.tensor(values(pad))))
    assert figure.get_by_text("z = (").inner_text() == pad.locator("input").first.get_attribute(
        "aria-valuetext"
    )


def test_a_walk_mixes_the_corners_and_new_corners_are_others(visit):
    reader = visit(PAGE)
    figure = reader.reach("digit-walk")
    corners = torch.tensor(prepared("digit-walk")["corners"])
    pad, digit = figure.locator(".gv-live-pad"), figure.locator(".gv-live-side canvas")
    reader.sees(digit, drawn("dcgan-mnist", mixed(corners, 0.5, 0.5)))
    reader.drag(pad, 0.15, 0.1)
    reader.sees(digit, drawn("dcgan-mnist", mixed(corners, *values(pad))))
    for _ in range(60):
        reader.tab.keyboard.press("ArrowRight")
        reader.tab.keyboard.press("ArrowUp")
    assert values(pad) == (1.0, 1.0)
    reader.sees(digit, drawn("dcgan-mnist", corners[3]))
    before = pad.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    figure.get_by_role("button", name="New corners").click()
    figure.get_by_text("Four new corners.").wait_for(state="attached")
    assert pad.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before
    assert reader.errors == []


def test_sliders_move_the_face_along_their_directions(visit):
    reader = visit(PAGE, reduced_motion="reduce")
    figure = reader.reach("faces-sliders")
    ready = prepared("faces-sliders")
    people = torch.tensor(ready["people"])
    directions = {name: torch.tensor(line) for name, line in ready["directions"].items()}
    face = figure.locator("canvas").first
    reader.sees(face, drawn("faces-vae", people[0]))
    beard = figure.get_by_label("Beard")
    beard.focus()
    reader.tab.keyboard.press("End")
    assert beard.get_attribute("aria-valuetext") == "2.0"
    reader.sees(face, drawn("faces-vae", people[0] + 2 * directions["beard"]))
    hair = figure.get_by_label("Long hair")
    box = hair.bounding_box()
    reader.tab.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    amount = hair.evaluate("input => input.valueAsNumber")
    assert -1.5 < amount < -0.5
    moved = 2 * directions["beard"] + amount * directions["long_hair"]
    reader.sees(face, drawn("faces-vae", people[0] + moved))
    figure.get_by_role("button", name="Person 3").click()
    reader.sees(face, drawn("faces-vae", people[2] + moved))
    figure.get_by_role("button", name="Reset").click()
    reader.sees(face, drawn("faces-vae", people[2]))
    assert beard.evaluate("input => input.valueAsNumber") == 0
    figure.get_by_role("button", name="Somebody else").click()
    figure.get_by_text("of 24.").wait_for(state="attached")
    assert reader.errors == []


def test_a_picture_of_the_readers_is_coded_as_the_package_codes_it(visit):
    reader = visit(PAGE, reduced_motion="reduce")
    figure = reader.reach("faces-sliders")
    image = Image.fromarray(to_bytes(Portraits(1, size=96, first=9000)[:])[0].permute(1, 2, 0).numpy())
    stored = io.BytesIO()
    ImageOps.expand(image, (20, 0), "white").save(stored, "PNG")  # the middle square is taken
    figure.locator("input[type=file]").set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": stored.getvalue()}
    )
    model = pretrained.load("faces-vae")
    with torch.no_grad():
        mean, _ = model.encoder(read_square(stored.getvalue(), 64, 3)[None])
    wanted = drawn("faces-vae", mean[0])
    face = figure.locator("canvas").first
    until(
        lambda: (
            levels_apart(face.evaluate(PIXELS), wanted) <= 3
        ),  # a level of the input moves the code a little
        pause=lambda _: reader.tab.wait_for_timeout(100),
    )
    assert levels_apart(face.evaluate(PIXELS), drawn("faces-vae", torch.zeros(model.latents))) > 20
    assert reader.foreign == []
    assert reader.errors == []


def test_a_picture_that_is_none_is_refused_and_the_face_stays(visit):
    reader = visit(PAGE)
    figure = reader.reach("faces-sliders")
    figure.locator("input[type=file]").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"these are no pixels"}
    )
    reader.says(figure, "notes.png could not be read as a picture")
    assert reader.heavy == []


NAMED = """(figures, name) => figures
  .filter((figure) => figure.querySelector(`canvas[aria-label*="${name}"]`)).map((figure) => figure.dataset.live)"""
PLACE = "(figure, place) => window.scrollBy(0, figure.getBoundingClientRect().top - place)"


def takers(reader: Reader, picture: Path, name: str, looks: int = 40) -> list[str]:
    """Which demos show a picture that is pasted now, of those that put its name to what they show."""
    give(reader.tab.locator('figure[data-live="listen"]'), "paste", picture.read_bytes(), name)
    for _ in range(looks):
        reader.tab.wait_for_timeout(500)  # in which others that are not meant would have taken it as well
        if found := reader.tab.locator("figure[data-live]").evaluate_all(NAMED, name):
            return found
    return []


def test_a_pasted_picture_goes_to_the_demo_most_in_view_and_to_no_other(visit, tmp_path):
    """Unless another has the focus, or is under the mouse; and where none is in view it goes nowhere."""
    save(tmp_path / "one.png")
    reader = visit(PAGE)
    figures = {
        demo: reader.reach(demo) for demo in ("deblur", "any-shake", "restore", "listen", "digit-walk")
    }
    assert takers(reader, tmp_path / "one.png", "nobodys.png", looks=3) == []
    for demo in ("deblur", "restore", "listen"):
        figures[demo].evaluate(PLACE, 100)
        assert takers(reader, tmp_path / "one.png", f"seen-in-{demo}.png") == [demo]
    figures["restore"].evaluate(PLACE, 400)
    box = figures["any-shake"].bounding_box()
    reader.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 10)
    assert takers(reader, tmp_path / "one.png", "pointed-at.png") == ["any-shake"]
    figures["deblur"].locator(".gv-live-drop input").evaluate("one => one.focus({ preventScroll: true })")
    assert takers(reader, tmp_path / "one.png", "focused.png") == ["deblur"]


def test_the_living_picture_follows_a_finger(visit):
    reader = visit("book/index.html", viewport={"width": 390, "height": 844}, has_touch=True)
    figure = reader.reach("living-faces")
    assert reader.heavy == []
    box = figure.locator(".gv-live-pad").bounding_box()
    reader.tab.touchscreen.tap(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    x, y = values(figure.locator(".gv-live-pad"))
    assert x < -1
    assert y > 1
    ready = prepared("faces-sliders")
    lines = {name: torch.tensor(line) for name, line in ready["directions"].items()}
    faces = [
        drawn(
            "faces-vae", torch.tensor(ready["people"][who]) - x * lines["looks_left"] + y * lines["long_hair"]
        )
        for who in (0, 4, 5, 6)
    ]
    reader.sees(figure.locator("canvas"), torch.cat(faces, dim=2))
    assert reader.errors == []


# ---- where something is missing -------------------------------------------------------------------------------------


def test_a_model_that_is_missing_is_named_and_can_be_tried_again(visit):
    reader = visit(PAGE)
    figure = reader.reach("digit-plane")
    pad = figure.locator(".gv-live-pad")
    reader.tab.context.route("**/*.onnx", lambda route: route.fulfill(status=404))
    reader.drag(pad, 0.3, 0.3)
    reader.says(figure, "The model mnist-plane-decoder could not be fetched: the server answered 404.")
    reader.tab.context.unroute("**/*.onnx")
    reader.drag(pad, 0.4, 0.3)
    reader.sees(figure.locator("canvas"), drawn("mnist-plane", torch.tensor(values(pad))))
    assert figure.locator(".gv-live-trouble").is_hidden()


def test_a_demo_takes_the_place_of_its_still(visit):
    figure = visit(PAGE).reach("digit-walk")
    assert figure.locator(".gv-live-stage").is_visible()
    assert figure.locator(":scope > img").is_hidden()


def test_a_program_that_cannot_be_fetched_is_said(visit):
    reader = visit(PAGE)
    figure = reader.reach("faces-sliders")
    reader.tab.context.route("**/*.wasm", lambda route: route.abort())
    figure.get_by_label("Beard").press("ArrowRight")
    reader.says(figure, "The program that runs models could not be fetched: nobody answered.")


def test_a_browser_without_webassembly_says_so(visit):
    """No flag of Chromium's takes it away any more, so the worker is served without it."""
    reader = visit(PAGE)
    script = (ROOT / "book/live/kit/worker.js").read_text(encoding="utf-8")
    answer = {"content_type": "text/javascript", "body": f"self.WebAssembly = undefined;\n{script}"}
    reader.tab.context.route("**/kit/worker.js", lambda route: route.fulfill(**answer))
    figure = reader.reach("digit-walk")
    reader.drag(figure.locator(".gv-live-pad"), 0.3, 0.3)
    reader.says(figure, "This needs WebAssembly")


def test_a_demo_that_cannot_begin_leaves_its_still_and_says_why(visit, browser, address):
    with opened(browser) as window:
        window.route("**/digit-walk.js", lambda route: route.fulfill(status=404))
        reader = Reader(window.new_page(), f"{address}/{PAGE}")
        figure = reader.tab.locator('figure[data-live="digit-walk"]')
        figure.scroll_into_view_if_needed()
        reader.says(figure, "This demo could not be started here")
        assert figure.locator("img").first.is_visible()


# ---- where it is hosted, and how wide it is -----------------------------------------------------------------------


def test_the_site_works_below_a_path(visit, tmp_path):
    """As GitHub hosts it: https://name.github.io/repository/."""
    (tmp_path / "hands-on").symlink_to(SITE, target_is_directory=True)
    with serving(tmp_path) as where:
        reader = visit(f"hands-on/{PAGE}", where=where)
        figure = reader.reach("digit-plane")
        reader.drag(figure.locator(".gv-live-pad"), 0.7, 0.7)
        place = values(figure.locator(".gv-live-pad"))
        reader.sees(figure.locator("canvas"), drawn("mnist-plane", torch.tensor(place)))
    assert [url for url in reader.asked if "/hands-on/" not in url and not url.startswith("data:")] == []
    assert reader.errors == []


@pytest.mark.parametrize("page", [PAGE, "book/index.html"])
def test_a_small_phone_scrolls_downwards_only(visit, page):
    reader = visit(page, viewport={"width": 360, "height": 740}, has_touch=True)
    for figure in reader.tab.locator("figure[data-live]").all():
        reader.reach(figure.get_attribute("data-live"))
    assert reader.tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert (
        reader.tab.locator(".gv-live-stage").evaluate_all(
            "all => all.filter(stage => stage.scrollWidth > stage.clientWidth + 1).length"
        )
        == 0
    )


def test_the_page_can_reach_no_other_place(visit, tmp_path):
    """Not by fetch, not by a picture, not by a script: the policy holds them all back."""
    with serving(tmp_path) as elsewhere:
        reader = visit(PAGE)
        refused = reader.tab.evaluate(
            """async address => {
                 const seen = [];
                 document.addEventListener("securitypolicyviolation", e => seen.push(e.effectiveDirective));
                 await fetch(address).catch(() => {});
                 for (const [kind, key] of [["img", "src"], ["script", "src"], ["link", "href"]]) {
                   const made = Object.assign(document.createElement(kind), { [key]: address, rel: "stylesheet" });
                   document.head.append(made);
                   await new Promise(done => made.addEventListener("error", done));
                 }
                 return seen;
               }""",
            f"{elsewhere}/x",
        )
    assert {"connect-src", "img-src", "script-src-elem", "style-src-elem"} <= set(refused)


def test_a_demo_is_added_as_the_page_for_contributors_says(visit, browser, address):
    """The module on that page, in the place of one that is there."""
    module = re.search(
        r":caption: book/live/demos/noise\.js\n\n(.*?)```",
        (ROOT / "book/contributing.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )[1]
    with opened(browser) as window:
        window.route(
            "**/digit-walk.js", lambda route: route.fulfill(body=module, content_type="text/javascript")
        )
        reader = Reader(window.new_page(), f"{address}/{PAGE}")
        figure = reader.reach("digit-walk")
        ramp = torch.linspace(-1, 1, 64).expand(1, 64, 64)
        reader.sees(figure.locator("canvas"), ramp)
        figure.get_by_label("Noise", exact=True).press("End")
        shown = figure.locator("canvas").evaluate(PIXELS)
        assert 30 < levels_apart(shown, ramp) < 256
        assert figure.locator("output").inner_text() == "1.0"
