"""Guards what trackers leave on the disk: pictures whole or not at all, and names of any bytes."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from companion import files
from companion.errors import CompanionError
from companion.vision.frames import Frame
from companion.vision.outputs import PictureFolder, as_line, line_output, picture_output
from companion.vision.volume import Turn

ODD = os.fsdecode(b"caf\xe9.png")
GREY = np.full((4, 6, 3), 128, np.uint8)


def test_a_line_names_its_frame_whatever_the_names_bytes_are():
    line = as_line(Frame(GREY, 0.0, ODD), [])
    assert json.loads(line.encode()) == {
        "source": "caf\\xe9.png",
        "seconds": 0.0,
        "width": 6,
        "height": 4,
        "found": [],
    }
    assert json.loads(Turn(0.0, 0.5, False, None).as_line(ODD).encode())["source"] == "caf\\xe9.png"


def test_a_picture_keeps_the_bytes_of_its_name(tmp_path):
    for _ in range(2):
        PictureFolder(tmp_path).write(Frame(GREY, 0.0, ODD), GREY)
    assert sorted(os.listdir(os.fsencode(tmp_path))) == [b"caf\xe9-2.jpg", b"caf\xe9.jpg"]


def test_a_picture_that_does_not_fit_on_the_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CompanionError, match="Could not write .*No space left on device") as error:
        PictureFolder(tmp_path).write(Frame(GREY, 0.0, "a.png"), GREY)
    assert "--resume" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_longest_names_are_cut_to_what_a_disk_takes(tmp_path):
    """A file in a folder: both names become one."""
    for _ in range(2):
        PictureFolder(tmp_path).write(Frame(GREY, 0.0, "é" * 100 + "/" + "f" * 200 + ".png"), GREY)
    assert sorted(len(name) for name in os.listdir(os.fsencode(tmp_path))) == [255, 255]


class OnePicture:
    """A source of pictures."""

    rate = None


@pytest.mark.parametrize("name", ["blurred.jpg", "film.mp4"])
def test_a_folder_for_pictures_that_is_named_as_a_file_is_refused(tmp_path, name):
    with (
        pytest.raises(CompanionError, match=r"For pictures --save names a folder, .* leave its ending out"),
        picture_output(tmp_path / name, OnePicture()),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_empty_folder_where_one_stands_can_take_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with picture_output(Path(), OnePicture()) as pictures:
        pictures.write(Frame(GREY, 0.0, "a.png"), GREY)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_link_that_leads_nowhere_is_not_replaced(tmp_path):
    link = tmp_path / "found.jsonl"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(CompanionError, match="stays as it is"), line_output(tmp_path, OnePicture()):
        pass
    assert link.is_symlink()
