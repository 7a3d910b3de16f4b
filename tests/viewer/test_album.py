"""Guards what the viewer looks through: pages, groups, files and reports, against counting by hand."""

import numpy as np
import pytest
import torch
from pictures import save
from PIL import Image

from companion.data.faces import LABELS, Portraits
from companion.data.images import Images, load
from companion.data.sets import digits as published
from companion.errors import CompanionError
from companion.likeness import preparing
from companion.likeness.preparing import NOTE, REPORT, Outcome
from companion.viewer import album
from companion.viewer.album import check_source, on_page, page_count


def images(count: int = 10, size: int = 8, labels: list[int] | None = None, channels: int = 3) -> Images:
    pixels = torch.randint(
        0, 256, (count, channels, size, size), generator=torch.Generator().manual_seed(0)
    ).byte()
    return Images("mine", pixels, None if labels is None else torch.tensor(labels))


@pytest.mark.parametrize(("count", "each"), [(0, 4), (1, 4), (4, 4), (5, 4), (23, 5), (24, 24)])
def test_every_picture_stands_on_one_page_and_in_order(count, each):
    rows = torch.arange(count) * 3
    pages = [on_page(rows, page, each) for page in range(1, page_count(count, each) + 1)]
    assert torch.cat(pages).tolist() == rows.tolist()
    assert all(len(page) == each for page in pages[:-1])
    assert len(pages) == max(1, -(-count // each))
    assert len(on_page(rows, len(pages) + 1, each)) == 0


def test_labels_are_groups_and_a_group_holds_what_counting_finds():
    labels = [3, 1, 3, 3, 1, 7]
    found = album(images(6, labels=labels))
    assert list(found.groups) == ["1", "3", "7"]
    for group in found.groups:
        assert found.rows(group).tolist() == [row for row, label in enumerate(labels) if str(label) == group]
    assert found.rows().tolist() == [0, 1, 2, 3, 4, 5]
    assert found.words == tuple(map(str, labels))
    with pytest.raises(CompanionError, match="no group of pictures called “8”"):
        found.rows("8")


def test_labels_that_are_all_different_narrow_nothing_down():
    found = album(images(4, labels=[5, 6, 7, 8]))
    assert found.groups == {}
    assert found.words == ("5", "6", "7", "8")


def test_digits_have_ten_groups():
    found = album("digits", size=8)
    labels = load("digits", size=8).labels
    assert {name: len(rows) for name, rows in found.groups.items()} == {
        str(digit): int((labels == digit).sum()) for digit in range(10)
    }


def test_fashion_has_names(monkeypatch):
    pixels, labels = torch.zeros(6, 1, 28, 28, dtype=torch.uint8), torch.tensor([9, 0, 9, 2, 2, 9])
    monkeypatch.setattr(published, "published", lambda name, split: (pixels, labels))
    found = album("fashion-mnist-test", size=28)
    assert found.rows("ankle boot").tolist() == [0, 2, 5]
    assert set(found.groups) == {"ankle boot", "T-shirt or top", "pullover"}
    assert found.words[3] == "pullover"
    assert album("mnist", size=28).words == ("9", "0", "9", "2", "2", "9")


def test_drawn_people_are_found_by_what_is_true_of_them(monkeypatch):
    """A picture stands in several groups."""
    from companion.data.sets import faces

    people = torch.arange(8000, 8012)
    pixels = torch.zeros(12, 3, 8, 8, dtype=torch.uint8)
    monkeypatch.setattr(faces, "_drawn", lambda style, split, size: (pixels, people))
    found = album("portraits-test", size=8)
    table = Portraits(12, first=8000).labels()
    for column, name in enumerate(LABELS):
        word = name.replace("_", " ")
        rows = found.groups.get(word, torch.tensor([]))
        assert rows.tolist() == table[:, column].nonzero()[:, 0].tolist(), name
    for row in range(12):
        told = [name.replace("_", " ") for column, name in enumerate(LABELS) if table[row, column]]
        assert found.words[row] == ", ".join(told)
        assert found.about(row) == ", ".join(told), "nothing is said twice"


def test_groups_of_ones_own_stand_beside_the_labels():
    found = album(images(3, labels=[1, 1, 2]), groups={"doubtful": torch.tensor([0.1, 0.9, 0.3]) < 0.5})
    assert found.rows("doubtful").tolist() == [0, 2]
    assert found.about(2) == "2; doubtful"
    assert found.about(1) == "1"
    with pytest.raises(CompanionError, match="“short” has the shape .*there are 3 pictures"):
        album(images(3), groups={"short": [True, False]})


def test_a_folder_has_its_subfolders_as_groups_and_one_bad_file_costs_no_other(tmp_path):
    for number, name in enumerate(("cats/1.png", "cats/2.jpg", "dogs/1.png", "top.png")):
        save(tmp_path / name, 60, 40, seed=number)
    (tmp_path / "dogs/broken.png").write_text("no picture")
    found = album(tmp_path, size=16)
    assert found.images.files == ("cats/1.png", "cats/2.jpg", "dogs/1.png", "top.png")
    assert {name: rows.tolist() for name, rows in found.groups.items()} == {
        ".": [3],
        "cats": [0, 1],
        "dogs": [2],
    }
    assert found.images.skipped == ("dogs/broken.png",)
    assert found.words[1] == "2.jpg"
    assert found.about(1) == "cats/2.jpg; cats"
    assert found.large(1, 320).size == (60, 40), "the file itself, whole"
    assert found.thumbnail(1, 72).size == (64, 64), "16 pixels, four times as large"


def test_a_file_that_went_away_is_shown_as_it_was_read(tmp_path):
    save(tmp_path / "a.png", 60, 40)
    found = album(tmp_path, size=16)
    (tmp_path / "a.png").unlink()
    assert found.large(0, 64).size == (64, 64)


def test_photographs_by_name_are_squares_and_whole_when_large():
    found = album("embedded", size=16)
    assert found.images.pixels.shape[1:] == (3, 16, 16)
    astronaut = found.images.files.index("embedded/astronaut")
    assert found.large(astronaut, 1000).size == (512, 512)


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (4, 8), (3, 100)])
def test_a_thumbnail_shows_the_pixels_enlarged_by_a_whole_number(channels, side):
    found = album(images(2, size=side, channels=channels))
    drawn = found.thumbnail(1, 72)
    assert drawn.size == (side * max(1, 72 // side),) * 2
    if channels == 3:
        assert np.array_equal(np.asarray(drawn), found.images.pixels[1].permute(1, 2, 0).numpy())


# ---- what `companion align` reports ----

OUTCOMES = [
    Outcome("a.png", "a.png", "", 3.0, -2.0, 40.0, 0.05),
    Outcome("below/b.jpg", "", "turned away", 50.0, 1.0, 35.0, 0.1),
    Outcome("c.png", "", "no face"),
    Outcome("d.png", "", "cannot be read: it is empty (0 bytes)"),
    Outcome("e.png", "", "no face"),
]


@pytest.fixture
def aligned(tmp_path):
    """As `align` leaves it: two of the pictures that were left out are there, one of them a broad one."""
    save(tmp_path / "out/a.png", 32, 32, seed=1)
    save(tmp_path / "in/a.png", 90, 80, seed=2)
    save(tmp_path / "in/below/b.jpg", 90, 80, seed=3)
    Image.new("RGB", (100, 50), "red").save(tmp_path / "in/c.png")
    (tmp_path / "in/d.png").touch()
    (tmp_path / "out" / REPORT).write_text(preparing._table(OUTCOMES))
    (tmp_path / "out" / NOTE).write_text(f'{{"pictures": "{(tmp_path / "in").as_posix()}", "size": 32}}')
    return tmp_path / "out"


def test_a_report_is_looked_through_by_reason(aligned):
    found = album(aligned, size=32)
    assert {name: rows.tolist() for name, rows in found.groups.items()} == {
        "cannot be read": [3],
        "kept": [0],
        "no face": [2, 4],
        "turned away": [1],
    }
    assert found.words == ("a.png", "turned away", "no face", "cannot be read", "no face")
    assert found.about(1) == (
        "below/b.jpg; turned away; turned 50°; tilted 1°; half a head is 35 pixels; misfit 0.10"
    )
    assert "it is empty (0 bytes)" in found.about(3)
    assert found.about(0).endswith("; kept")


def test_what_was_left_out_is_shown_whole_and_what_is_gone_is_grey(aligned):
    found = album(aligned, size=32)
    face = np.asarray(Image.open(aligned / "a.png"))
    assert np.array_equal(found.images.pixels[0].permute(1, 2, 0).numpy(), face)
    broad = found.images.pixels[2]
    assert broad[:, 16, 2].tolist() == [255, 0, 0]
    assert broad[:, 2, 16].tolist() == [255, 255, 255], "white above and below what is broad"
    assert found.images.pixels[3].unique().tolist() == [225]
    assert found.images.pixels[4].unique().tolist() == [225]
    assert found.large(2, 320).size == (100, 50)


@pytest.mark.parametrize("damage", ["note", "head", "numbers", "empty"])
def test_a_report_that_is_none_is_one_sentence(aligned, damage):
    report = aligned / REPORT
    if damage == "note":
        (aligned / NOTE).write_text("[]")
    elif damage == "head":
        report.write_text("file,why\na.png,no face\n")
    elif damage == "numbers":
        report.write_text(report.read_text().replace("50.0", "far"))
    else:
        report.write_text(report.read_text().splitlines()[0] + "\n")
    with pytest.raises(CompanionError, match="again"):
        album(aligned)
    with pytest.raises(CompanionError, match="again"):
        check_source(str(aligned), 32)


# ---- what is refused before a page is served ----


@pytest.mark.parametrize("source", ["digits", "portraits-test", "embedded"])
def test_what_is_there_is_looked_through(source):
    check_source(source, 32)


def test_a_wrong_name_and_an_empty_folder_are_one_sentence(tmp_path):
    for refused in (check_source, lambda source, size: album(source, size=size)):
        with pytest.raises(CompanionError, match="did you mean digits"):
            refused("digit", 32)
        with pytest.raises(CompanionError, match="it is empty"):
            refused(str(tmp_path), 32)
        with pytest.raises(CompanionError, match="does not exist"):
            refused(f"{tmp_path}/nowhere/", 32)
        with pytest.raises(CompanionError, match="cannot be 0 pixels wide"):
            refused("digits", 0)
