"""Guards the slider of before and after: both pictures, no request, and a sensible half without scripts."""

import base64
import io
import re

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from companion import viz
from companion.errors import CompanionError

BEFORE, AFTER = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")


def test_it_holds_both_pictures_with_alt_texts_and_loads_nothing():
    page = BeautifulSoup(
        viz.before_after(BEFORE, AFTER, "<b>A.</b>", alt='A "cat"')._repr_html_(), "html.parser"
    )
    under, over = page.find_all("img")
    pixels = [
        Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1]))).convert("RGB").getpixel((5, 5))
        for image in (under, over)
    ]
    assert pixels == [(0, 0, 255), (255, 0, 0)]
    assert under["alt"] == 'A "cat"'
    assert not re.search(r"https?:", str(page))


def test_half_of_each_shows_without_scripts_and_the_slider_has_a_name():
    shown = viz.before_after(BEFORE, AFTER, "A.", alt="A cat")._repr_html_()
    slider = BeautifulSoup(shown, "html.parser").find("input")
    assert "inset(0 50% 0 0)" in shown
    assert slider["aria-label"]
    assert "lastElementChild" in slider["oninput"]


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(CompanionError, match="bring them to one size"):
        viz.before_after(BEFORE, Image.new("RGB", (50, 40)), "A.", alt="A cat")
