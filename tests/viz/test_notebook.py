"""Guards what a notebook shows: captions, alt text, animations, tables, and training that leaves all else standing."""

import base64
import io
import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from PIL import Image, ImageSequence

from companion import viz
from companion.errors import CompanionError
from companion.records import Measurement


def sources(html: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(data)))
        for data in re.findall(r'data:image/\w+;base64,([^"]+)"', html)
    ]


def test_a_figure_carries_caption_and_alt_text_and_loads_nothing():
    """Quotes and angle brackets of an alt text cannot end its attribute."""
    shown = viz.figure(
        Image.new("RGB", (6, 4), "red"), "See <b>this</b>.", alt='a "red" <field>'
    )._repr_html_()
    assert "<figcaption>See <b>this</b>.</figcaption>" in shown
    assert 'alt="a &quot;red&quot; &lt;field&gt;"' in shown
    assert "http" not in shown
    (picture,) = sources(shown)
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    assert picture.size == (6, 4)


def test_a_matplotlib_figure_becomes_a_picture_and_is_closed():
    fig, _ = plt.subplots()
    shown = viz.figure(fig, "A plot.", alt="axes")
    assert shown.images[0].width == 2 * round(6.4 * fig.dpi)  # fine enough for the screens of today
    assert '<img class="gv-plot" src="data:image/png' in shown._repr_html_()
    assert f'width="{round(6.4 * fig.dpi)}"' in shown._repr_html_()
    assert not plt.fignum_exists(fig.number)


def test_a_figure_that_holds_a_photograph_is_no_plot_whose_lines_may_turn_light():
    fig, ax = plt.subplots()
    ax.imshow(np.zeros((4, 4, 3)))
    assert "gv-plot" not in viz.figure(fig, "A photograph.", alt="black")._repr_html_()
    assert "gv-plot" not in viz.figure(Image.new("RGB", (6, 4)), "Another.", alt="black")._repr_html_()


def test_an_animation_has_a_still_for_readers_who_want_no_motion():
    """The still is the last frame; the animation holds all, in order, and rests at the end."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    shown = viz.figure(frames, "Time passes.", alt="three colours")._repr_html_()
    assert '<source media="(prefers-reduced-motion: reduce)"' in shown
    still, moving = sources(shown)
    assert still.convert("RGB").getpixel((4, 4)) == (0, 0, 255)
    colours = [frame.convert("RGB").getpixel((4, 4)) for frame in ImageSequence.Iterator(moving)]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 1, 2]
    assert moving.n_frames == 3


def test_a_slow_change_is_not_taken_for_none():
    """Light that rises by two levels a frame: coded coarsely, some of the first frames' darkness stays to the end."""
    across, down = np.meshgrid(np.arange(64), np.arange(64))
    still = 100 + 40 * np.sin((across + down) / 20)
    values = [(still + 2 * step * (across > 20)).astype(np.uint8) for step in range(20)]
    frames = [Image.fromarray(np.stack([one] * 3, -1)) for one in values]
    shown = viz.figure(frames, "Light rises.", alt="light")._repr_html_()
    *_, last = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(sources(shown)[1])]
    assert np.abs(last.astype(int) - np.asarray(frames[-1])).max() <= 6


def test_live_output_names_the_step_and_its_losses(capsys):
    from companion.training import Report

    viz.live(Report(7, {"critic_loss": 0.5, "generator_loss": 0.25}), Image.new("RGB", (2, 2)))
    assert "step 7: critic 0.500, generator 0.250" in capsys.readouterr().out


def stored(content: Image.Image) -> str:
    """The kind of file a still is stored as."""
    return re.search(r"data:image/(\w+);", viz.figure(content, "c", alt="a")._repr_html_()).group(1)


def test_photographs_are_stored_as_jpeg_and_drawings_without_loss():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert stored(Image.fromarray(noise)) == "jpeg"
    assert stored(viz.image_grid(torch.rand(4, 3, 16, 16) * 2 - 1)) == "png"


CELL = """
from types import SimpleNamespace
from PIL import Image
from companion import viz
print("the bar stands here")
for step in (1, 2, 3):
    viz.live(SimpleNamespace(step=step, line="fine"), Image.new("RGB", (2, 2)))
print("and this below")
"""


@pytest.mark.full
def test_live_pictures_take_each_others_place_and_leave_the_rest_of_the_cell_alone():
    """In a kernel: what was printed before stays, the last picture stands, and the next cell begins anew.

    Slow by that kernel, which imports torch; nothing less shows what a front end is told.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL) for _ in range(2)])
    NotebookClient(notebook, timeout=None, kernel_name="python3").execute()
    for cell in notebook.cells:
        before, shown, after = cell.outputs
        assert (before.text, after.text) == ("the bar stands here\n", "and this below\n")
        assert shown.data["text/plain"] == "step 3: fine"
        assert "<p>step 3: fine</p><img" in shown.data["text/html"]


GAIN = Measurement("gain", 5.456, "68 pictures", 0.25)


def test_a_table_holds_words_numbers_spreads_and_gaps():
    shown = viz.table(
        ["loss", "gain", "share", "time"],
        [["features <b>", GAIN, 0.1234, 1234.5], ["pixels", (4.0, 0.5), 1, None]],
        caption="<b>Table 2.1.</b> What was <i>gained</i>.",
        units={"gain": "dB", "time": "s"},
        formats={"share": ".1%"},
    )
    page = BeautifulSoup(shown._repr_html_(), "html.parser")
    assert page.figcaption.get_text() == "Table 2.1. What was gained."
    assert [cell.get_text() for cell in page.thead.find_all("th")] == [
        "loss",
        "gain (dB)",
        "share",
        "time (s)",
    ]
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.tbody.find_all("tr")]
    assert rows == [
        ["features <b>", "5.46\u00a0±\u00a00.25", "12.3%", "1\u202f234"],
        ["pixels", "4.00\u00a0±\u00a00.50", "100.0%", "—"],
    ]


def test_a_small_photograph_keeps_its_colours_and_a_plot_is_stored_in_256():
    """Both as PNG: the one has as few colours as a plot, and in 256 of them it would be another picture."""
    ramp = torch.linspace(-1, 1, 48)
    soft = torch.stack([ramp.expand(48, 48), ramp[:, None].expand(48, 48), (ramp * ramp[:, None])])
    photograph = viz.image_grid(soft[None], scale=3)
    back = picture_of(viz.figure(photograph, "Soft.", alt="Soft.")._repr_html_())
    assert back.mode == "RGB"
    assert back.tobytes() == photograph.tobytes()
    with viz.style():
        fig, ax = plt.subplots()
        ax.plot([0, 1, 3])
    assert picture_of(viz.figure(fig, "A line.", alt="A line.")._repr_html_()).mode == "P"


def picture_of(page):
    """The picture of a figure's HTML."""
    coded = page.split("base64,")[1].split('"')[0]
    return Image.open(io.BytesIO(base64.b64decode(coded)))


def test_a_spread_has_no_sign_where_its_number_has_one():
    shown = viz.table(["", "gain"], [["one", (0.5, 0.25)]], formats={"gain": "+.2f"}, caption="Gains.")
    assert "+0.50\u00a0±\u00a00.25" in str(shown)


def test_a_table_aligns_numbers_at_their_ends_and_says_what_heads_what():
    page = BeautifulSoup(
        viz.table(["a", "b"], [["x", 1], ["y", 2]], caption="c")._repr_html_(), "html.parser"
    )
    for row in page.find_all("tr"):
        words, numbers = row.find_all(["th", "td"])
        assert "left" in words["style"]
        assert "right" in numbers["style"]
    assert [head["scope"] for head in page.find_all("th")] == ["col", "col", "row", "row"]


def test_a_wide_table_scrolls_inside_itself_and_takes_its_colours_from_the_page():
    shown = viz.table(["a"], [[1]], caption="c")._repr_html_()
    assert re.match(
        '<figure class="gv-table"><figcaption>c</figcaption><div style="overflow-x: auto"><table>', shown
    )
    assert "color" not in shown


def test_a_table_is_readable_where_there_is_no_html():
    shown = viz.table(["name", "n"], [["one", 5], ["fifteen", 15]], caption="<b>T</b> &amp; so on.")
    assert repr(shown) == "T & so on.\nname      n\n───────────\none       5\nfifteen  15"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rows": [[1, 2], [3]]}, "A row of 1 cells does not fit the 2 columns"),
        ({"units": {"c": "s"}}, "There is no column “c”; name one of a, b"),
        ({"formats": {"d": ".1f"}}, "There is no column “d”"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(options, said):
    with pytest.raises(CompanionError, match=said):
        viz.table(["a", "b"], **{"rows": [[1, 2]], "caption": "c", **options})


def test_a_format_hides_no_interval():
    measured = Measurement("gain", 2.345, "", interval=(1.234, 3.456))
    shown = viz.table(["gain"], [[measured]], formats={"gain": ".1f"}, caption="c").rows[0][0]
    assert shown == "2.3 [1.2, 3.5]"
