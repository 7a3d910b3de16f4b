"""Guards restoring many files at once: one odd file costs no other, and what a result cannot carry is said."""

import os
from pathlib import Path

import numpy as np
import pytest
from networks import Hardly
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from companion.errors import CompanionError
from companion.tiling import restore_files

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rating>5</rating></x:xmpmeta>'


def picture(shade: int = 90) -> Image.Image:
    return Image.new("RGB", (12, 8), (shade, 30, 30))


def results(paths: list[Path], out: Path) -> list[Path | CompanionError]:
    return [result for _, result in restore_files(Hardly(), paths, out)]


def with_much_exif(path: Path) -> Path:
    """120 kB of it, more than a JPEG's block holds: TIFF and PNG take it, and a JPEG by other programs' ways."""
    exif = Image.Exif()
    exif[0x010E] = "x" * 120_000
    exif[0x0110] = "Box Brownie"
    picture().save(path, "PNG", exif=exif)
    return path


def test_metadata_that_cannot_be_written_back_costs_neither_the_file_nor_the_next(
    tmp_path, monkeypatch, capsys
):
    from companion import tiling

    much, good = with_much_exif(tmp_path / "much.png"), tmp_path / "good.png"
    picture().save(good)
    read = tiling._photo
    monkeypatch.setattr(tiling, "_photo", lambda upright, jpeg: read(upright, True))  # the results are JPEGs
    first, second = results([much, good], tmp_path / "out")
    assert (first, second) == (tmp_path / "out/much.jpg", tmp_path / "out/good.jpg")
    assert f"{first} could not keep: EXIF." in capsys.readouterr().err
    with Image.open(first) as written:
        assert written.size == (12, 8)


def test_what_cannot_be_written_at_all_is_said(tmp_path, capsys):
    """IPTC, as news agencies write it: Pillow reads it, and has no way to write it."""
    picture().save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    iptc = b"Photoshop 3.0\x00" + b"8BIM\x04\x04\x00\x00\x00\x00\x00\x08" + b"\x1c\x02\x78\x00\x03sea"
    (tmp_path / "a.jpg").write_bytes(
        content[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc + content[2:]
    )
    (result,) = results([tmp_path / "a.jpg"], tmp_path / "out")
    assert f"{result} could not keep: IPTC." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "value", "said"),
    [
        ("exif", b"no EXIF" * 20_000, "EXIF"),
        ("xmp", b"x" * 100_000, "XMP"),
        ("comment", b"x" * 70_000, "comment"),
        ("dpi", (float("inf"), 1), "resolution"),
    ],
)
def test_each_kind_of_metadata_is_dropped_by_itself_and_named(tmp_path, extra, value, said):
    from companion.tiling import Photo, write_photo

    pixels = np.asarray(picture())
    photo = Photo(pixels, None, True, {"comment": b"kept", extra: value})
    assert write_photo(tmp_path / "a.jpg", photo, pixels) == [said]
    with Image.open(tmp_path / "a.jpg") as written:
        assert np.abs(np.asarray(written).astype(int) - pixels).max() < 6
        assert extra == "comment" or written.info["comment"] == b"kept"


def test_xmp_and_comments_stay(tmp_path, capsys):
    picture().save(tmp_path / "a.jpg", comment=b"at the sea", xmp=XMP)
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    texts.add_text("Comment", "at the lake")
    texts.add_text("Author", "Zoë")
    picture().save(tmp_path / "b.png", pnginfo=texts)
    jpeg, png = results([tmp_path / "a.jpg", tmp_path / "b.png"], tmp_path / "out")
    with Image.open(jpeg) as written:
        assert written.info["comment"] == b"at the sea"
        assert written.info["xmp"] == XMP
    with Image.open(png) as written:
        written.load()
        assert written.info["Comment"] == "at the lake"
        assert written.info["Author"] == "Zoë"
        assert written.info["XML:com.adobe.xmp"] == XMP.decode()
    assert capsys.readouterr().err == ""


def test_pictures_of_one_name_all_have_their_result(tmp_path):
    paths = []
    for name in ("ok.bmp", "ok.webp", "more/ok.webp", "OK.tif", "ok.jpg"):
        paths.append(tmp_path / name)
        paths[-1].parent.mkdir(exist_ok=True)
        picture().save(paths[-1])
    found = results(paths, tmp_path / "out")
    assert [result.name for result in found] == [
        "ok.png",
        "ok.webp.png",
        "ok.webp-2.png",
        "OK.tif.png",
        "ok.jpg",
    ]
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("letter", ["a", "é", "顔"])
def test_the_longest_names_are_cut_to_what_a_disk_takes(tmp_path, letter):
    long = tmp_path / (letter * (253 // len(letter.encode())))
    picture().save(long, "PNG")
    other = tmp_path / "b.png"
    picture().save(other)
    first, second = results([long, other], tmp_path / "out")
    assert isinstance(first, Path)
    assert len(os.fsencode(first.name)) <= 255
    assert first.name.endswith(f"{letter}.png")
    assert second == tmp_path / "out/b.png"
    assert first.is_file()


def test_a_name_of_any_bytes_is_restored_and_the_rest_too(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9.png")
    picture().save(tmp_path / "b.png")
    odd.write_bytes((tmp_path / "b.png").read_bytes())
    assert [result.name for result in results([odd, tmp_path / "b.png"], tmp_path / "out")] == [
        odd.name,
        "b.png",
    ]


def test_exif_that_cannot_be_read_is_dropped_and_named(tmp_path, capsys):
    picture().save(tmp_path / "a.jpg", exif=b"Exif\0\0" + b"no EXIF" * 9)
    (result,) = results([tmp_path / "a.jpg"], tmp_path / "out")
    assert f"{result} could not keep: EXIF." in capsys.readouterr().err
