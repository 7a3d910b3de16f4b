"""Guards where frames come from: in order, upright, and one sentence for whatever cannot be read."""

import numpy as np
import pytest
from house import until
from PIL import Image

from companion.errors import CompanionError
from companion.vision import sources
from companion.vision.sources import Pictures, Video, Webcam, open_source

cv2 = pytest.importorskip("cv2")


def test_a_folder_gives_its_pictures_by_name_and_names_the_rest(tmp_path):
    for name, shade in (("b.png", 20), ("a.png", 10), ("more/c.png", 30)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 3), (shade, 0, 0)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("sun")
    (tmp_path / "broken.jpg").write_text("not a picture")
    with open_source(str(tmp_path)) as source:
        frames = list(source)
    assert [frame.name for frame in frames] == ["a.png", "b.png", "more/c.png"]
    assert [int(frame.picture[0, 0, 0]) for frame in frames] == [10, 20, 30]
    assert sorted(source.skipped) == ["broken.jpg", "notes.txt"]
    assert source.rate is None


@pytest.mark.parametrize("name", ["notes.txt", "notes.jpg"])
def test_a_folder_of_texts_names_what_it_looked_at(tmp_path, name):
    (tmp_path / name).write_text("sun")
    (tmp_path / f"more {name}").write_text("sea")
    with pytest.raises(CompanionError, match=f"No picture could be read in .*{name}"):
        list(open_source(str(tmp_path)))


def test_one_picture_is_a_source_too(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    assert [frame.name for frame in open_source(str(tmp_path / "a.png"))] == ["a.png"]
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(CompanionError, match="b.png cannot be read: it is empty"):
        list(open_source(str(tmp_path / "b.png")))


def test_what_is_not_there_is_one_sentence(tmp_path):
    for make in (open_source, Video):
        with pytest.raises(CompanionError, match=r"There is no file .*nothing\.mp4"):
            make(str(tmp_path / "nothing.mp4"))
    with pytest.raises(CompanionError, match="does not exist"):
        Pictures.below(tmp_path / "nowhere")
    with pytest.raises(CompanionError, match="source is empty"):
        open_source("")  # not the folder one stands in
    for number in ("98", "1000", "9" * 30):
        with pytest.raises(CompanionError, match=f"no camera {number} here"):
            open_source(number)


def test_of_an_animation_the_first_picture_is_taken_and_said(tmp_path):
    red, blue = (Image.new("RGB", (4, 3), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "moving.gif", save_all=True, append_images=[blue])
    red.save(tmp_path / "still.gif")
    red.save(tmp_path / "pages.tif", save_all=True, append_images=[blue])
    with open_source(str(tmp_path)) as source:
        frames = list(source)
    assert [frame.picture[0, 0].tolist() for frame in frames] == [[255, 0, 0]] * 3
    assert source.first_only == ["moving.gif", "pages.tif"]


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_video_gives_every_frame_in_rgb_with_its_time(film, person, suffix):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    with Video(film(red, frames=6, rate=5, suffix=suffix)) as video:
        frames = list(video)
    assert video.count == len(frames) == 6
    assert video.rate == pytest.approx(5)
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    red_, green, blue = frames[0].picture.mean(axis=(0, 1))
    assert red_ > 150 > 60 > max(green, blue)
    assert frames[0].picture.flags.c_contiguous


def test_a_video_without_a_byte_or_a_frame_is_one_sentence(tmp_path, capfd):
    for name, content, said in (
        ("empty.mp4", b"", r"empty \(0 bytes\)"),
        ("text.mp4", b"not a video" * 500, "No frame of .* can be read"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CompanionError, match=said):
            open_source(str(tmp_path / name))
    assert capfd.readouterr().err == ""  # no library says more than that


def test_a_video_cut_short_gives_what_it_has_and_then_says_so(film, person, tmp_path):
    whole = film(person, frames=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    seen = []
    with (
        pytest.raises(CompanionError, match=r"breaks off after \d frames: the file is cut short"),
        Video(tmp_path / "cut.avi") as video,
    ):
        for frame in video:
            seen.append(frame)
    assert 2 <= len(seen) <= 6


def test_a_closed_video_ends(film, person):
    video = Video(film(person))
    next(iter(video))
    video.close()
    video.close()
    assert list(video) == []


def test_a_camera_that_is_not_there_is_one_sentence(capfd):
    with pytest.raises(CompanionError, match="There is no camera 97 here"):
        open_source("97")
    assert capfd.readouterr().err == ""


def test_a_slow_reader_gets_the_cameras_newest_picture(camera):
    camera()
    with Webcam(0) as webcam:
        numbers = []
        for frame in webcam:
            numbers.append(int(frame.picture[0, 0, 0]))
            if len(numbers) == 4:
                break
            taken = webcam._capture.count
            until(lambda: webcam._capture.count >= taken + 6)  # noqa: B023
    assert np.diff(numbers).min() >= 2  # about six; out of a queue they would come one by one
    assert webcam._capture.released.is_set()
    assert not webcam._thread.is_alive()
    assert list(webcam) == []


def test_a_camera_pulled_out_is_one_sentence(camera, monkeypatch):
    pictures = iter(range(6))
    camera(gone=lambda: next(pictures, None) is None)
    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    with Webcam(0) as webcam, pytest.raises(CompanionError, match="gives no more pictures"):
        list(webcam)


def test_a_file_damaged_behind_its_first_picture_gives_that_and_costs_no_other(tmp_path):
    pages = [Image.fromarray(np.full((40, 50, 3), value, np.uint8)) for value in (10, 200)]
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    for name in ("a.png", "c.png"):
        pages[0].save(tmp_path / name)
    whole = (tmp_path / "b.tif").read_bytes()
    stopped = 0
    for length in range(len(whole) // 2, len(whole), max(1, len(whole) // 60)):
        (tmp_path / "b.tif").write_bytes(whole[:length])
        with open_source(str(tmp_path)) as source:
            names = [frame.name for frame in source]
        assert {"a.png", "c.png"} <= set(names)
        stopped += "b.tif" in names and "b.tif" in source.skipped
    assert stopped  # some were cut behind the first picture
