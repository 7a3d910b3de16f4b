"""Guards the graphics processor's part: it answers as the processor does, and is fetched only where it can help.

The card is Chromium's own software, which is far slower than the processor, and so can never win; who wins is in
`book/live/tests/graphics.test.js`.
"""

from collections.abc import Iterator

import pytest
from browsing import chromium, opened, sync_api
from house import sampled, until
from pictures import save
from visitor import Reader

pytestmark = pytest.mark.full  # a browser runs models

ALONE = ("restore",)
MODELS = ("mnist-plane-decoder", "dcgan-mnist", "faces-vae-decoder")
CARD = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")
A_REAL_ONE = "Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false })"
PROGRAM = "jspi"  # in the names of its files
# What both answer to the same latents, and how far apart they are, in levels of a canvas.
APART = """async (name) => {
  const kit = new URL("_static/live/kit/", location.href).href;
  const { models, onGraphics } = await import(`${kit}models.js`);
  const [{ byteOf }, one, other] = await Promise.all([import(`${kit}canvas.js`), models.load(name), onGraphics(name)]);
  const [into] = one.signature.inputs;
  const shape = [1, ...into.shape.slice(1)];
  const size = shape.reduce((all, side) => all * side, 1);
  const inputs = { [into.name]: { data: Float32Array.from({ length: size }, (_, at) => Math.sin(at + 1)), shape } };
  const [wanted, found] = await Promise.all([one.run(inputs), other.run(inputs)]);
  return Object.entries(wanted).map(([key, { data }]) => {
    const levels = Array.from(data, (value, at) => Math.abs(byteOf(value) - byteOf(found[key].data[at])));
    return { apart: Math.max(...levels), spread: Math.max(...data) - Math.min(...data) };
  });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium(*CARD) as started:
        yield started


@pytest.mark.parametrize("model", sampled(MODELS, ["dcgan-mnist"]))
def test_the_card_draws_what_the_processor_draws(visit, model):
    reader = visit("restore.html")
    answers = reader.tab.evaluate(APART, model)
    assert answers
    assert all(answer["apart"] <= 1 and answer["spread"] > 0.5 for answer in answers), answers
    assert [url for url in reader.heavy if PROGRAM in url]
    assert not reader.foreign
    assert not reader.errors


def working(reader, folder):
    """Give the reader two megapixels, all of it at once, which is a long wait; after the first tiles."""
    save(folder / "large.png", width=1600, height=1200)
    figure = reader.reach("restore")
    figure.locator("input[type=file]").set_input_files(folder / "large.png")
    figure.get_by_text("All of it", exact=True).click()
    figure.get_by_role("button", name="Restore", exact=True).click()
    figure.get_by_text("tile 6 of 48").wait_for()
    return figure


def asks_for_it(reader) -> bool:
    return any(PROGRAM in url for url in reader.asked)


def test_a_long_wait_is_worth_the_card_s_program(browser, address, tmp_path):
    with opened(browser) as window:
        window.add_init_script(A_REAL_ONE)
        reader = Reader(window.new_page(), f"{address}/restore.html")
        figure = working(reader, tmp_path)
        until(lambda: asks_for_it(reader), pause=lambda _: reader.tab.wait_for_timeout(50))
        figure.get_by_role("button", name="Stop").click()
        figure.get_by_text("Stopped.").first.wait_for()
        assert not reader.errors


@pytest.mark.parametrize("device", sampled(["software", "phone"], ["software"]))
def test_software_in_a_card_s_place_fetches_nothing_nor_does_a_phone(browser, address, tmp_path, device):
    phone = device == "phone"
    with opened(browser, has_touch=phone, is_mobile=phone) as window:
        if phone:
            window.add_init_script(A_REAL_ONE)
        reader = Reader(window.new_page(), f"{address}/restore.html")
        working(reader, tmp_path)
        assert reader.heavy
        assert not asks_for_it(reader)
