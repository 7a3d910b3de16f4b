"""Guards reading any folder of pictures: odd formats come out right, broken ones are named and skipped."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from companion.data import folders, kept
from companion.data.folders import read_folder
from companion.errors import CompanionError

ORANGE = (240, 120, 20)


def read_one(folder: Path, size: int = 8) -> torch.Tensor:
    pixels, _, skipped = read_folder(folder, size)
    assert skipped == ()
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (1, 3, size, size)
    return pixels[0]


def assert_near(pixels: torch.Tensor, colour: tuple[int, int, int], tolerance: int = 3) -> None:
    wanted = torch.tensor(colour).view(3, *[1] * (pixels.dim() - 1))
    assert (pixels.int() - wanted).abs().max() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "webp", "tif", "TIFF", "bmp", "gif"])
def test_every_promised_format_is_read(tmp_path, suffix):
    Image.new("RGB", (12, 12), ORANGE).save(tmp_path / f"a.{suffix}")
    assert_near(read_one(tmp_path), ORANGE, tolerance=8)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "LAB", "I"])
def test_every_colour_mode_becomes_rgb(tmp_path, mode):
    """Plain white stays white in all of them."""
    white = Image.new("RGB", (9, 9), "white")
    if mode == "I":
        picture = Image.new("I", (9, 9), 65535)
    elif mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(white, *profiles, outputMode="LAB")
    else:
        picture = white.convert(mode)
    picture.save(tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.tif"))
    assert_near(read_one(tmp_path), (255, 255, 255))


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    """Pillow's own conversion turns everything above 255 of 65535 into white."""
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    assert torch.equal(read_one(tmp_path)[0], torch.from_numpy((ramp >> 8).astype(np.uint8)))


def test_sixteen_bit_tiff_is_scaled_too(tmp_path):
    Image.fromarray(np.full((6, 6), 32768, dtype=np.uint16)).save(tmp_path / "a.tif")
    assert_near(read_one(tmp_path), (128, 128, 128), tolerance=0)


def test_cmyk_jpeg_has_the_colours_it_was_made_with(tmp_path):
    Image.new("RGB", (16, 16), ORANGE).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert_near(read_one(tmp_path), ORANGE, tolerance=6)


def test_palette_picture_keeps_its_colours_and_is_white_where_transparent(tmp_path):
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 0, *ORANGE])
    picture.paste(1, (4, 0, 8, 8))
    picture.save(tmp_path / "a.png", transparency=0)
    pixels = read_one(tmp_path)
    assert_near(pixels[:, :, :4], (255, 255, 255), tolerance=0)
    assert_near(pixels[:, :, 4:], ORANGE, tolerance=0)


def test_what_is_half_transparent_lies_on_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 51)).save(tmp_path / "a.png")
    assert_near(read_one(tmp_path), (204, 204, 204), tolerance=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(tmp_path, orientation):
    """All eight orientations a camera writes show the same scene: red at the top left."""
    upright = Image.new("RGB", (16, 16), "white")
    upright.paste((255, 0, 0), (0, 0, 8, 8))
    undo = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # the transposition that the orientation asks to be undone
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    pixels = read_one(tmp_path, 16)
    assert_near(pixels[:, 1:7, 1:7], (255, 0, 0))
    assert_near(pixels[:, 9:, :], (255, 255, 255))
    assert_near(pixels[:, :, 9:], (255, 255, 255))


def test_one_pixel_is_enough(tmp_path):
    Image.new("RGB", (1, 1), ORANGE).save(tmp_path / "a.png")
    assert_near(read_one(tmp_path, 16), ORANGE, tolerance=0)


@pytest.mark.parametrize("box", [(30, 10), (10, 30)])
def test_the_central_square_is_cut_out(tmp_path, box):
    """The scene's ends, left and right or above and below, are left out; nothing is squashed."""
    picture = Image.new("RGB", box, "black")
    left, top = (side // 2 - 5 for side in box)
    picture.paste(ORANGE, (left, top, left + 10, top + 10))
    picture.save(tmp_path / "a.png")
    assert_near(read_one(tmp_path, 10), ORANGE, tolerance=0)


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert_near(read_one(tmp_path), (255, 0, 0))


def test_what_cannot_be_read_is_named_and_the_rest_is_used(tmp_path):
    """A truncated picture, a text in disguise, an empty file, a note, a folder named like a picture."""
    photo = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(photo, "JPEG")
    Image.new("RGB", (8, 8), ORANGE).save(tmp_path / "good.png")
    (tmp_path / "truncated.jpg").write_bytes(photo.getvalue()[:500])
    (tmp_path / "text.jpg").write_text("a letter")
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("remember")
    (tmp_path / "sub.png").mkdir()
    (tmp_path / "sub.png" / "b.heic").write_bytes(b"\0")
    pixels, _, skipped = read_folder(tmp_path, 8)
    assert len(pixels) == 1
    assert skipped == ("empty.png", "notes.txt", "sub.png/b.heic", "text.jpg", "truncated.jpg")


def test_hidden_files_and_folders_are_passed_over_in_silence(tmp_path):
    """What systems and notebooks leave: ._a.png, .thumbnails/, .ipynb_checkpoints/."""
    folder = tmp_path / ".mine"  # the reader's own choice counts, even if it is hidden itself
    for name in ("a.png", "._a.png", ".thumbnails/a.png", "sub/.ipynb_checkpoints/a-checkpoint.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), ORANGE).save(folder / name)
    (folder / ".DS_Store").touch()
    read_one(folder)


def test_nested_folders_and_foreign_names_come_in_one_order_everywhere(tmp_path):
    """Sorted by path as text, capitals first, whatever order the disk lists them in."""
    names = ["Zoë.png", "a/2.png", "a/10.png", "b.png", "été/日本.png", "a.png"]
    for number, name in enumerate(sorted(names, reverse=True)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (2, 2), number).save(tmp_path / name)
    pixels, files, _ = read_folder(tmp_path, 2)
    expected = [sorted(names, reverse=True).index(name) for name in sorted(names)]
    assert pixels[:, 0, 0, 0].tolist() == expected
    assert list(files) == sorted(names)
    assert torch.equal(pixels, read_folder(tmp_path, 2)[0])


def test_a_missing_folder_a_file_and_an_empty_folder_are_told_apart(tmp_path):
    (tmp_path / "file.png").touch()
    (tmp_path / "empty").mkdir()
    for name, words in [("none", "does not exist"), ("file.png", "is a file"), ("empty", "it is empty")]:
        with pytest.raises(CompanionError, match=f"{words}.*PNG, JPEG, WebP") as error:
            read_folder(tmp_path / name, 8)
        assert str(tmp_path / name) in str(error.value)


def test_a_folder_without_pictures_says_what_was_looked_at(tmp_path):
    for name in ("a.heic", "b.heic", "c.txt", "d.txt"):
        (tmp_path / name).touch()
    with pytest.raises(CompanionError, match=r"4 files looked at: a\.heic, b\.heic, c\.txt, …"):
        read_folder(tmp_path, 8)


GOOD = {}
for _format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
    _buffer = io.BytesIO()
    Image.effect_noise((9, 7), 80).convert("RGB").save(_buffer, _format)
    GOOD[_format.lower()] = _buffer.getvalue()


@pytest.mark.filterwarnings("ignore")  # Pillow says what is broken
@given(
    kind=st.sampled_from(sorted(GOOD)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.floats(0.05, 1),
)
@pytest.mark.slow
@pytest.mark.api
def test_no_damage_to_a_picture_can_stop_the_reading(tmp_path_factory, kind, changes, keep):
    """Whatever bytes are changed or cut off, the file is read or skipped; never does it raise."""
    broken = bytearray(GOOD[kind])
    for place, value in changes:
        broken[int(place * (len(broken) - 1))] = value
    folder = tmp_path_factory.mktemp("broken")
    (folder / f"a.{kind}").write_bytes(broken[: max(1, int(keep * len(broken)))])
    Image.new("RGB", (2, 2)).save(folder / "b.png")
    pixels, _, skipped = read_folder(folder, 4)
    assert len(pixels) + len(skipped) == 2


# thumbnails kept


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Every thumbnail is worth keeping, in a cache of the test's own; counts the pictures read from their files."""
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "WORTH_KEEPING", -1.0)
    opened: list[str] = []
    original = folders.read_upright

    def read_upright(path: Path) -> Image.Image | None:
        opened.append(path.name)
        return original(path)

    monkeypatch.setattr(folders, "read_upright", read_upright)
    return opened


def album(folder: Path) -> Path:
    folder.mkdir()
    for number in range(4):
        Image.effect_noise((20, 20), 50 + number).save(folder / f"{number}.png")
    (folder / "damaged.png").write_bytes(b"no picture")
    return folder


def test_a_folder_read_again_is_not_opened_again(tmp_path, counted):
    folder = album(tmp_path / "album")
    first = read_folder(folder, 8)
    counted.clear()
    again = read_folder(folder, 8)
    assert counted == ["damaged.png"]
    assert torch.equal(first.pixels, again.pixels)
    assert first[1:] == again[1:]
    assert sorted(path.name for path in folder.iterdir()) == [f"{n}.png" for n in range(4)] + ["damaged.png"]
    counted.clear()
    assert read_folder(folder, 9).pixels.shape[-1] == 9  # another size has thumbnails of its own
    assert len(counted) == 5


def test_what_changed_came_or_went_is_seen(tmp_path, counted):
    folder = album(tmp_path / "album")
    before = read_folder(folder, 8).pixels
    (folder / "0.png").unlink()
    Image.new("RGB", (20, 20), ORANGE).save(folder / "2.png")
    Image.new("RGB", (20, 20), ORANGE).save(folder / "4.png")
    counted.clear()
    after = read_folder(folder, 8)
    assert counted == ["2.png", "4.png", "damaged.png"]
    assert after.files == ("1.png", "2.png", "3.png", "4.png")
    assert torch.equal(after.pixels[[0, 2]], before[[1, 3]])
    assert_near(after.pixels[1], ORANGE)


def test_quick_folders_are_not_kept(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(kept, "WORTH_KEEPING", 60.0)
    read_folder(album(tmp_path / "album"), 8)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("harm", ["damaged", "read-only"])
def test_a_cache_that_fails_changes_nothing(tmp_path, counted, harm):
    folder = album(tmp_path / "album")
    wanted = read_folder(folder, 8).pixels
    (kept_file,) = (tmp_path / "cache").rglob("*.safetensors")
    if harm == "damaged":
        kept_file.write_bytes(kept_file.read_bytes()[:-5])
    else:
        shutil.rmtree(tmp_path / "cache")
        (tmp_path / "cache").touch()  # no folder can be made here, even by root
    assert torch.equal(read_folder(folder, 8).pixels, wanted)
    if harm == "damaged":  # and is mended
        counted.clear()
        read_folder(folder, 8)
        assert counted == ["damaged.png"]


def test_only_so_many_files_are_looked_at(tmp_path):
    assert read_folder(album(tmp_path / "album"), 8, limit=2).files == ("0.png", "1.png")


# floats


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_floats_are_scaled_by_what_white_must_be(tmp_path, white):
    ramp = np.array([[0, 0.5], [0.75, 1]], np.float32) * white
    Image.fromarray(ramp).save(tmp_path / "a.tif")
    pixels = read_one(tmp_path, 2)[0].int()
    assert (pixels - torch.tensor([[0, 128], [191, 255]])).abs().max() <= 1


def test_floats_that_are_no_numbers_are_black(tmp_path):
    Image.fromarray(np.array([[np.nan, np.inf], [-3, 1]], np.float32)).save(tmp_path / "a.tif")
    assert read_one(tmp_path, 2)[0].tolist() == [[0, 0], [0, 255]]


def test_portable_maps_are_read_in_eight_and_sixteen_bits(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 1 1 65535\n" + bytes([0x80, 0]))
    (tmp_path / "b.ppm").write_bytes(b"P6 1 1 255\n" + bytes(ORANGE))
    pixels, _, skipped = read_folder(tmp_path, 4)
    assert skipped == ()
    assert_near(pixels[0], (128, 128, 128), tolerance=0)
    assert_near(pixels[1], ORANGE, tolerance=0)
