"""Guards that a demo has room on a phone: what its tab takes beyond the page as it opens stays below 300 MB."""

import time

import pytest
from browsing import memory
from house import sampled, until
from stand import shown, wait

pytestmark = pytest.mark.full  # a browser runs models

ALLOWED = 300  # megabytes; a 12-megapixel photograph may have more, see test_restoring.py
AT_LEAST = 5.0  # seconds of looking, where nothing says that a demo has done
TROUBLE = "document.querySelector('.gv-live-trouble').textContent"
LOADING = "document.querySelector('.gv-live-progress')"
VERDICT = "document.querySelector('.gv-live-verdict').textContent"
SAMPLE, PAD, SLIDER = ".gv-live-samples button", ".gv-live-pad input", ".gv-live-slider input"
RESTORED = f"/^(Done|Nothing to undo)/.test({VERDICT})"

# What a reader touches first, and what then says that it has been done.
USES = {
    "deblur": (f"{SAMPLE} >> nth=1", RESTORED),
    "draw-me": (SAMPLE, "document.querySelector('.gv-live-spoken').textContent.startsWith('Drawn')"),
    "pinch": (SLIDER, "true"),
    "restore": (f"{SAMPLE} >> nth=1", RESTORED),
    "any-shake": (f"{SAMPLE} >> nth=1", RESTORED),
    "landmarks": (
        f"{SAMPLE} >> nth=1",
        "document.querySelector('.gv-live-told').textContent.startsWith('A face')",
    ),
    "translation": (PAD, "true"),
    "faces-sliders": (SLIDER, "true"),
    "attention": (SLIDER, "true"),
    "digit-walk": (PAD, "true"),
    "digit-plane": (PAD, "true"),
    "face-maker": (SLIDER, "true"),
    "listen": (".gv-live-main", "true"),
    "gan-lab": (".gv-live-main", "true"),
}
ALONE = tuple(USES)
HEAVY = ("deblur", "draw-me")


@pytest.mark.parametrize("demo", sampled(USES, HEAVY))
def test_a_demo_fits_into_a_phone(browser, address, demo):
    tab = shown(browser, address, demo=demo, viewport={"width": 390, "height": 844}, has_touch=True)
    tab.wait_for_timeout(500)
    where, done = USES[demo]
    opened = most = memory()
    touch(tab.locator(where).first)
    begun = time.monotonic()

    def done_meanwhile() -> bool:
        nonlocal most
        most = max(most, memory())
        assert not tab.evaluate(TROUBLE)
        return time.monotonic() - begun > AT_LEAST and tab.evaluate(done)

    until(done_meanwhile, pause=lambda _: tab.wait_for_timeout(100))
    print(f"{demo}: {most:.0f} MB, {opened:.0f} of them as it opens")
    assert most - opened < ALLOWED
    tab.context.close()


def touch(control) -> None:
    """A button is pressed, a slider moved."""
    if control.evaluate("one => one.tagName === 'INPUT'"):
        control.press("ArrowRight")
        control.press("ArrowRight")
    else:
        control.tap()


@pytest.mark.parametrize("demo", sampled(["pinch", "landmarks"], ["pinch"]))
def test_networks_that_nobody_sees_are_let_go_of(browser, address, demo):
    tab = shown(browser, address, demo=demo, viewport={"width": 390, "height": 844}, has_touch=True)
    where, done = USES[demo]
    touch(tab.locator(where).first)
    wait(tab, f"!{LOADING}.hidden")
    wait(tab, f"{LOADING}.hidden && {done}")
    assert len(tab.workers) == 1
    tab.evaluate("document.body.style.paddingBottom = '3000px'")
    tab.evaluate("scrollTo(0, 3000)")
    until(lambda: not tab.workers, pause=lambda _: tab.wait_for_timeout(50))
    tab.evaluate("scrollTo(0, 0)")
    touch(tab.locator(where).first)  # and comes back when it is wanted
    until(lambda: tab.workers, pause=lambda _: tab.wait_for_timeout(50))
    wait(tab, f"{LOADING}.hidden && {done}")
    assert not tab.evaluate(TROUBLE)
    tab.context.close()
