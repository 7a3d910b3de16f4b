"""Guards the viewer in a notebook: what stands on its pages, what pressing does, and errors that show."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from companion.data.images import Images
from companion.data.reading import LeftOut
from companion.errors import CompanionError
from companion.viewer import Viewer, album, browse, nearest, viewing


def images(count: int = 50, **more: object) -> Images:
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, 8, 8), generator=draw).byte()
    return Images("mine", pixels, torch.arange(count) % 3, **more)


@pytest.fixture
def viewer() -> Viewer:
    return browse(images(), each=12)


def numbers(buttons) -> list[int]:
    return [int(one.description.split("\n")[0]) for one in buttons._row.children]


def drawn(buttons, place: int) -> np.ndarray:
    """What a button's ground shows."""
    sheet = buttons._sheet.value
    (source,) = re.findall(
        rf"{buttons.name}-{place} {{ background-image: url\(data:image/png;base64,(.*?)\)", sheet
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))


def test_a_page_shows_its_pictures_with_numbers_and_labels(viewer):
    assert numbers(viewer.pictures) == list(range(12))
    assert viewer.pictures.buttons[4].description == viewer.pictures.buttons[4].tooltip == "4\n1"
    assert viewer.pages.value == "of 5"
    pixels = viewer.album.images.pixels[4].permute(1, 2, 0).numpy()
    assert np.array_equal(drawn(viewer.pictures, 4), pixels.repeat(9, 0).repeat(9, 1))


def test_pages_are_turned_by_buttons_and_by_number(viewer):
    assert viewer.back.disabled
    viewer.forth.click()
    assert numbers(viewer.pictures) == list(range(12, 24))
    assert not viewer.back.disabled
    viewer.page.value = 5
    assert numbers(viewer.pictures) == [48, 49]
    assert viewer.forth.disabled
    viewer.back.click()
    assert viewer.page.value == 4
    assert numbers(viewer.pictures) == list(range(36, 48))
    viewer.page.value = 99  # beyond the last one
    assert viewer.page.value == 5


def test_a_group_narrows_the_pages_down(viewer):
    assert [label for label, _ in viewer.group.options] == ["all (50)", "0 (17)", "1 (17)", "2 (16)"]
    viewer.page.value = 5
    viewer.group.value = "2"
    assert viewer.page.value == 1
    assert viewer.pages.value == "of 2"
    assert numbers(viewer.pictures) == [number for number in range(50) if number % 3 == 2][:12]
    viewer.forth.click()
    assert numbers(viewer.pictures) == [38, 41, 44, 47]
    viewer.group.value = ""
    assert viewer.pages.value == "of 5"


def test_pressing_a_picture_shows_it_large_with_its_nearest(viewer):
    viewer.forth.click()
    viewer.pictures.buttons[3].click()
    assert viewer.number.value == 15
    assert viewer.said.value == "<b>15</b> · 0"
    assert Image.open(io.BytesIO(viewer.picture.value)).size == (320, 320)
    wanted, _ = nearest(viewer.album.images.pixels.flatten(1), 15, 8)
    assert numbers(viewer.near) == wanted.tolist()
    viewer.near.buttons[0].click()
    assert viewer.number.value == int(wanted[0])
    assert numbers(viewer.pictures) == list(range(12, 24)), "the page stays"


def test_a_picture_is_chosen_by_its_number(viewer):
    before = viewer.picture.value
    viewer.number.value = 7
    assert viewer.picture.value != before
    assert viewer.said.value.startswith("<b>7</b>")


def test_neighbours_by_features_are_found_when_they_are_asked_for():
    seen = []

    def features(part):
        seen.append(len(part))
        return part.mean((1, 2, 3))[:, None]

    viewer = browse(images(), features=features)
    assert seen == []
    viewer.alike_by.value = "features"
    wanted, _ = nearest(viewer.album.images[:].mean((1, 2, 3))[:, None], 0, 8)
    assert numbers(viewer.near) == wanted.tolist()
    assert seen == [50]
    assert viewer.bar.layout.display == "none"


def test_a_bar_shows_only_while_features_take_long(monkeypatch):
    shown = []
    viewer = browse(images(), features=lambda part: part.mean((1, 2, 3))[:, None])
    viewer.bar.layout.observe(lambda change: shown.append(change["new"]), names="display")
    monkeypatch.setattr(viewing, "PATIENCE", -1.0)
    viewer.alike_by.value = "features"
    assert shown == ["", "none"]
    assert viewer.bar.value == viewer.bar.max == 50


def test_an_error_shows_in_the_viewer_until_the_next_thing_goes_right():
    viewer = browse(images(), features=lambda part: part)
    viewer.alike_by.value = "features"
    assert 'role="alert"' in viewer.message.value
    assert "a row of finite numbers" in viewer.message.value
    assert viewer.bar.layout.display == "none"
    viewer.alike_by.value = "pixels"
    assert viewer.message.value == ""


def test_controls_that_could_do_nothing_are_not_shown():
    bare = browse(Images("mine", torch.zeros(1, 1, 8, 8, dtype=torch.uint8)))
    assert bare.group.layout.display == bare.alike_by.layout.display == "none"
    assert bare.near_said.value == "There is no other picture."
    assert bare.back.disabled
    assert bare.forth.disabled


def test_files_that_were_left_out_are_named_with_their_reasons():
    skipped = (LeftOut("a<b>.png", "it is empty (0 bytes)"),)
    said = browse(images(skipped=skipped)).box.children[-1].value
    assert "a&lt;b&gt;.png: it is empty (0 bytes)" in said


def test_what_stands_in_names_is_no_part_of_the_page():
    found = album(images(2), groups={"<b>odd</b>": [True, False]})
    assert "&lt;b&gt;odd" in Viewer(found).said.value


@pytest.mark.parametrize("each", [0, 97])
def test_a_page_of_too_many_is_refused(each):
    with pytest.raises(CompanionError, match="choose from 1 to 96"):
        browse(images(), each=each)


def test_two_viewers_on_a_page_do_not_share_their_grounds():
    one, other = browse(images()), browse(images())
    assert len({one.pictures.name, one.near.name, other.pictures.name, other.near.name}) == 4
