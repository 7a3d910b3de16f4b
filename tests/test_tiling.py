"""Guards restoring: nothing is lost that the model did not change, nothing is replaced, every odd file answered."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from house import PATIENCE, until
from networks import Hardly
from PIL import Image, ImageCms
from torch import Tensor, nn

from companion import tiling
from companion.cli import main
from companion.errors import CompanionError
from companion.models.anyblur import KernelConfig, KernelRestorer
from companion.models.colour import ColourConfig, Generator
from companion.models.deblur import Restorer, RestorerConfig
from companion.models.reader import FaceReader, FaceReaderConfig
from companion.models.store import save_model
from companion.restoration.colour import Uncoloured, paints
from companion.restoration.settings import RestorationSettings
from companion.tiling import (
    Photo,
    read_photo,
    restore_files,
    restore_photo,
    restorer,
    windows,
)
from companion.training.runs import Run

UNCHANGED = nn.Identity()


class Darker(nn.Module):
    """Sees each pixel by itself."""

    def forward(self, images: Tensor) -> Tensor:
        return images - 0.25


class Local(nn.Module):
    """Sees its neighbourhood, and knows no more than zeros beyond the tile's border: seams would show."""

    def __init__(self) -> None:
        super().__init__()
        self.blur = nn.Conv2d(3, 3, 15, padding=7, groups=3, bias=False)
        nn.init.constant_(self.blur.weight, 1 / 225)

    def forward(self, images: Tensor) -> Tensor:
        return self.blur(images)


def noise(*shape: int, peak: int = 255) -> np.ndarray:
    return (
        np.random.default_rng(0).integers(0, peak + 1, shape).astype(np.uint8 if peak == 255 else np.uint16)
    )


def photo_of(pixels: np.ndarray) -> Photo:
    return Photo(pixels, None, False, {})


# ---- tiles ----


@pytest.mark.parametrize("length", [1, 7, 255, 256, 257, 300, 447, 448, 449, 1000, 4000])
@pytest.mark.parametrize(("tile", "overlap"), [(256, 64), (64, 16), (32, 15)])
def test_the_weights_of_the_tiles_sum_to_one_at_every_pixel(length, tile, overlap):
    total = torch.zeros(length, dtype=torch.float64)
    for start, weights in windows(length, tile, overlap):
        assert start >= 0
        assert start + len(weights) <= length
        assert len(weights) <= tile
        assert weights.min() >= 0
        total[start : start + len(weights)] += weights
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-6, rtol=0)


def test_pixels_at_a_seam_that_a_tile_saw_without_surroundings_do_not_count():
    (_, first), (_, second), *_ = windows(1000, 256, 64)
    assert (first[-16:] == 0).all()
    assert (second[:16] == 0).all()
    assert (first[:64] == 1).all()  # the photo's own border


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (150, 90, 3), (100, 257, 3)])
@pytest.mark.parametrize("peak", [255, 65535])
def test_a_model_that_changes_nothing_gives_the_photo_back_exactly(shape, peak):
    pixels = noise(*shape, peak=peak)
    restored = restore_photo(UNCHANGED, photo_of(pixels), tile=64, overlap=16)
    assert restored.dtype == pixels.dtype
    assert np.array_equal(restored, pixels)


def test_what_a_model_does_to_single_pixels_is_done_once_to_each():
    pixels = noise(150, 170, 3)
    restored = restore_photo(Darker(), photo_of(pixels), tile=64, overlap=16)
    wanted = (pixels.astype(float) - 0.25 * 127.5).clip(0, 255)
    assert np.abs(restored - wanted).max() <= 0.51


def test_no_seam_can_be_seen():
    """Tiled as in one piece, to a rounding, but for the photo's own border."""
    pixels = noise(200, 230, 3)
    whole = restore_photo(Local(), photo_of(pixels), tile=512, overlap=64)
    tiled = restore_photo(Local(), photo_of(pixels), tile=96, overlap=32)
    assert np.abs(whole.astype(int) - tiled.astype(int)).max() <= 1


def test_a_seam_would_be_seen_without_the_overlap():
    """The test above can fail."""
    pixels = np.full((200, 230, 3), 255, np.uint8)
    cut = restore_photo(Local(), photo_of(pixels), tile=96, overlap=0)
    assert cut[50:150, 50:180].min() < 250


MEMORY = """
import resource, sys
from pathlib import Path
import torch
from torch import nn
from companion.tiling import read_photo, restore_photo, restore_files
torch.set_num_threads(1)
list(restore_files(nn.Identity(), [Path(sys.argv[1])], Path(sys.argv[3])))  # a small one first
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[(file, result)] = restore_files(nn.Identity(), [Path(sys.argv[2])], Path(sys.argv[3]))
assert isinstance(result, Path), result
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_memory_is_the_photo_its_result_and_a_row_of_tiles(tmp_path):
    """4000×3000: 36 MB as bytes; as numbers for a network the whole would be 144 MB a copy, and several are needed."""
    smooth = np.linspace(0, 255, 4000 * 3).astype(np.uint8).reshape(1, 4000, 3).repeat(3000, 0)
    Image.fromarray(smooth).save(tmp_path / "large.jpg")
    Image.fromarray(smooth[:300, :300]).save(tmp_path / "small.jpg")
    command = [sys.executable, "-c", MEMORY, *(str(tmp_path / n) for n in ("small.jpg", "large.jpg", "out"))]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    kilobytes = int(answer.stdout)
    assert kilobytes / 1024 < 200
    with Image.open(tmp_path / "out/large.jpg") as restored:
        assert restored.size == (4000, 3000)


# ---- kinds of files ----


def put(folder: Path, name: str) -> Path:
    """One of the files that people have."""
    path = folder / name
    grey, colour = Image.fromarray(noise(40, 30)), Image.fromarray(noise(40, 30, 3))
    if name == "deep.png":
        Image.fromarray(noise(40, 30, peak=65535)).save(path)
    elif name == "grey.png":
        grey.save(path)
    elif name == "grey-alpha.png":
        grey.putalpha(Image.fromarray(noise(40, 30)[::-1].copy()))
        grey.save(path)
    elif name == "palette.png":
        colour.quantize(16).save(path, transparency=3)
    elif name == "alpha.png":
        colour.putalpha(grey)
        colour.save(path)
    elif name == "cmyk.jpg":
        colour.convert("CMYK").save(path, quality=95)
    elif name == "bits.tif":
        colour.convert("1").save(path)
    elif name == "one.png":
        Image.new("RGB", (1, 1), (9, 120, 200)).save(path)
    elif name == "still.gif":
        colour.save(path)
    else:
        colour.save(path)
    return path


def one_result(path: Path, out: Path, model: nn.Module = UNCHANGED) -> Path | CompanionError:
    before = path.read_bytes() if path.is_file() else None
    [(_, result)] = restore_files(model, [path], out)
    assert before is None or path.read_bytes() == before  # the input is untouched
    assert not [left for left in out.iterdir() if left.name.startswith(".")]
    return result


@pytest.mark.parametrize(
    ("name", "result", "mode"),
    [
        ("deep.png", "deep.png", "I;16"),
        ("grey.png", "grey.png", "L"),
        ("grey-alpha.png", "grey-alpha.png", "LA"),
        ("palette.png", "palette.png", "RGBA"),
        ("alpha.png", "alpha.png", "RGBA"),
        ("one.png", "one.png", "RGB"),
        ("still.gif", "still.png", "RGB"),
        ("bits.tif", "bits.png", "L"),
        ("photo.webp", "photo.png", "RGB"),
        ("photo.bmp", "photo.png", "RGB"),
    ],
)
def test_what_loses_nothing_on_the_way_comes_out_as_it_went_in(tmp_path, name, result, mode):
    """Every pixel and the alpha channel, where the format is without loss."""
    path = put(tmp_path, name)
    written = one_result(path, tmp_path / "out")
    assert written == tmp_path / "out" / result
    with Image.open(path) as before, Image.open(written) as after:
        assert after.mode.replace("B", "").replace("L;16", "I;16") == mode or after.mode == mode
        wanted = before if mode == "I;16" else before.convert(mode)
        assert np.array_equal(np.asarray(wanted), np.asarray(after))


def test_sixteen_bit_grey_with_a_transparent_level_keeps_its_transparency(tmp_path):
    """In 8 bits, since Pillow writes no alpha channel beside 16."""
    path = tmp_path / "deep.png"
    pixels = noise(40, 30, peak=65535)
    pixels[:10] = 500
    Image.fromarray(pixels).save(path, transparency=500)
    with Image.open(one_result(path, tmp_path / "out")) as after:
        assert after.mode == "LA"
        grey, alpha = (np.asarray(band) for band in after.split())
    assert np.array_equal(alpha == 0, pixels == 500)
    assert np.abs(grey - pixels / 257).max() < 1


def test_sixteen_bit_colour_comes_out_with_eight(tmp_path):
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "deep.png"
    pixels = noise(40, 30, 3, peak=65535)
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    with Image.open(one_result(path, tmp_path / "out")) as after:
        assert after.mode == "RGB"
        assert np.abs(np.asarray(after) - pixels / 257).max() <= 1


def test_cmyk_becomes_colours_that_a_screen_shows(tmp_path):
    path = put(tmp_path, "cmyk.jpg")
    with Image.open(path) as before, Image.open(one_result(path, tmp_path / "out", Hardly())) as after:
        assert (after.format, after.mode) == ("JPEG", "RGB")
        gap = np.asarray(before.convert("RGB"), int) - np.asarray(after, int)
    assert np.abs(gap).mean() < 6


def test_a_jpeg_stays_one_upright_with_its_profile_and_what_its_camera_noted(tmp_path):
    """Orientation 6 says: turn a quarter clockwise. It is done, and no longer said."""
    colour = Image.new("RGB", (60, 40), (200, 30, 30))
    colour.paste((30, 30, 200), (0, 0, 30, 40))  # left half blue
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0110] = "Box Brownie"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colour.save(tmp_path / "a.JPEG", format="JPEG", exif=exif, icc_profile=profile, dpi=(300, 300))
    with Image.open(one_result(tmp_path / "a.JPEG", tmp_path / "out", Hardly())) as after:
        assert after.size == (40, 60)
        assert np.asarray(after)[5, 20, 2] > 150  # what was left is on top
        assert after.getexif().get(0x0112, 1) == 1
        assert after.getexif()[0x0110] == "Box Brownie"
        assert after.info["icc_profile"] == profile
        assert after.info["dpi"] == (300, 300)


def test_a_jpeg_that_stays_as_it_was_is_not_coded_again(tmp_path):
    path = tmp_path / "photo.jpeg"
    Image.fromarray(noise(40, 60, 3)).save(path, quality=60)
    assert one_result(path, tmp_path / "out").read_bytes() == path.read_bytes()
    assert one_result(path, tmp_path / "anew", Hardly()).read_bytes() != path.read_bytes()
    assert isinstance(one_result(path, tmp_path / "out"), CompanionError)  # one is there


def test_what_cannot_be_restored_is_named_and_the_rest_is_done(tmp_path):
    good = put(tmp_path, "photo.png")
    whole = io.BytesIO()
    Image.fromarray(noise(400, 300, 3)).save(whole, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (tmp_path / "text.jpg").write_text("three years of work")
    (tmp_path / "empty.png").write_bytes(b"")
    frames = [Image.new("L", (9, 9), shade) for shade in (0, 90, 180)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "folder.png").mkdir()
    Image.new("F", (4, 4)).save(tmp_path / "float.tif")
    said = {
        "cut.jpg": "it is cut short",
        "text.jpg": "no picture",
        "empty.png": "it is empty",
        "moving.gif": "3 frames",
        "folder.png": "is a folder",
        "float.tif": "floating-point numbers",
        "missing.png": "does not exist",
    }
    results = dict(restore_files(UNCHANGED, [*(tmp_path / name for name in said), good], tmp_path / "out"))
    assert results.pop(good) == tmp_path / "out/photo.png"
    for path, result in results.items():
        assert isinstance(result, CompanionError)
        assert said[path.name] in str(result)
        assert str(path) in str(result)
        assert re.search("[;:]", str(result).removeprefix(str(path)))  # what to do about it
        assert "\n" not in str(result)
    assert [left.name for left in (tmp_path / "out").iterdir()] == ["photo.png"]


def test_a_large_photograph_is_restored_without_a_warning(tmp_path, monkeypatch, recwarn):
    """Pillow warns of half as many pixels as it refuses."""
    path = put(tmp_path, "photo.png")
    for most, readable in ((1000, True), (500, False)):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        result = one_result(path, tmp_path / f"out{most}")
        assert isinstance(result, Path) == readable
        assert "more pixels" in str(result) or readable
    assert not recwarn.list


def test_no_file_is_ever_replaced_least_of_all_the_photograph(tmp_path):
    path = put(tmp_path, "photo.png")
    before = path.read_bytes()
    [(_, result)] = restore_files(Darker(), [path], tmp_path)
    assert "not overwritten" in str(result)
    assert path.read_bytes() == before
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (5, 5)).save(other / "photo.tif")
    [(_, first), (_, second)] = restore_files(UNCHANGED, [path, other / "photo.tif"], tmp_path / "out")
    assert first == tmp_path / "out/photo.png"
    assert second == tmp_path / "out/photo.tif.png"


def test_a_file_that_appears_meanwhile_is_kept_too(tmp_path):
    photo = read_photo(put(tmp_path, "photo.png"))
    (tmp_path / "new.png").write_text("somebody else's")
    with pytest.raises(CompanionError, match="not overwritten"):
        tiling.write_photo(tmp_path / "new.png", photo, photo.pixels)
    assert (tmp_path / "new.png").read_text() == "somebody else's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.png", "photo.png"]


@pytest.mark.parametrize(
    "module", [Generator(ColourConfig(size=16, width=1)), FaceReader(FaceReaderConfig(width=1))]
)
def test_a_model_that_draws_from_or_gives_something_else_is_refused(monkeypatch, module):
    monkeypatch.setattr(tiling.pretrained, "find", lambda name: module.eval())
    with pytest.raises(CompanionError, match="does not turn a picture into a picture"):
        restorer("something")


def test_a_run_that_left_no_network_is_one_sentence():
    with pytest.raises(CompanionError, match="deblur-blind left numbers and no network; choose one"):
        restorer("deblur-blind")


# ---- the command ----


@pytest.fixture
def unchanged(monkeypatch):
    monkeypatch.setattr(tiling, "restorer", lambda name: UNCHANGED)


@pytest.mark.usefixtures("unchanged")
def test_the_command_names_what_it_could_not_do_at_the_end_with_code_2(tmp_path, capsys):
    good = put(tmp_path, "photo.png")
    (tmp_path / "text.jpg").write_text("no")
    files = [str(tmp_path / "text.jpg"), str(good)]
    assert main(["restore", *files, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "photo.png" in said.out
    assert "1 of 2 files were not restored" in said.err
    assert "text.jpg" in said.err
    assert main(["restore", str(good), "--out", str(tmp_path / "out2")]) == 0
    assert main(["restore", str(good), "--out", str(good)]) == 2
    assert "choose another --out" in capsys.readouterr().err


def test_an_unknown_model_and_one_of_another_kind_are_one_sentence(tmp_path, capsys):
    photo = str(put(tmp_path, "photo.png"))
    save_model(tmp_path / "colour.safetensors", Generator(ColourConfig(size=16, width=1)))
    for model in ("no-such-run", str(tmp_path / "colour.safetensors"), str(tmp_path / "none.safetensors")):
        assert main(["restore", photo, "--out", str(tmp_path / "out"), "--model", model]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


SLOW = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests run in the background would ignore it
from torch import nn
from companion import tiling
from companion.cli import main
class Slow(nn.Module):
    def forward(self, images):
        Path(sys.argv[3]).touch()
        time.sleep(0.05)
        return images
tiling.restorer = lambda name: Slow()
sys.exit(main(["restore", sys.argv[1], "--out", sys.argv[2]]))
"""


@pytest.mark.full
def test_ctrl_c_leaves_no_half_file(tmp_path):
    Image.new("RGB", (5000, 3000)).save(tmp_path / "photo.png")
    command = [sys.executable, "-c", SLOW, str(tmp_path / "photo.png"), str(tmp_path / "out")]
    command.append(str(tmp_path / "begun"))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
    until((tmp_path / "begun").is_file, process)
    process.send_signal(signal.SIGINT)
    _, trouble = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, trouble
    assert "Traceback" not in trouble
    assert list((tmp_path / "out").iterdir()) == []


def test_chapter_2s_generator_restores_from_its_file_or_its_runs_folder(tmp_path):
    """An untrained one begins by changing nothing, so the photograph comes back pixel by pixel."""
    photo = put(tmp_path, "photo.png")
    save_model(tmp_path / "run/generator.safetensors", Restorer(RestorerConfig(width=2, blocks=1)))
    for out, model in (("a", "run/generator.safetensors"), ("b", "run")):
        options = ["--out", str(tmp_path / out), "--model", str(tmp_path / model)]
        assert main(["restore", str(photo), *options, "--device", "cpu"]) == 0
        with Image.open(photo) as before, Image.open(tmp_path / out / "photo.png") as after:
            assert np.array_equal(np.asarray(before), np.asarray(after))


def test_the_command_says_what_was_wrong_and_makes_as_much_of_the_change_as_asked(tmp_path, capsys):
    photo = put(tmp_path, "photo.png")
    save_model(tmp_path / "any.safetensors", KernelRestorer(KernelConfig(4, 1, 1, size=7)))
    model = ["--model", str(tmp_path / "any.safetensors"), "--device", "cpu"]
    assert main(["restore", str(photo), "--out", str(tmp_path / "a"), *model, "--strength", "0"]) == 0
    assert re.search(
        r"photo\.png: (blur about \d+ pixels wide|no blur to speak of), noise ", capsys.readouterr().out
    )
    with Image.open(photo) as before, Image.open(tmp_path / "a/photo.png") as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))
    for strength in ("1.5", "nan"):
        assert (
            main(["restore", str(photo), "--out", str(tmp_path / "b"), *model, "--strength", strength]) == 2
        )
        assert "choose a part from 0 to 1" in capsys.readouterr().err


def test_chapter_2s_generator_leaves_no_seams():
    """With weights that do something: tiled as in one piece, to a few grey levels of 255, with real tiles."""
    torch.manual_seed(0)
    model = Restorer(RestorerConfig(width=4, blocks=3)).eval()
    nn.init.normal_(model.layers[-2].weight, std=0.3)
    pixels = noise(300, 420, 3)
    whole = restore_photo(model, photo_of(pixels), tile=512, overlap=64)
    tiled = restore_photo(model, photo_of(pixels))
    assert np.abs(whole.astype(int) - pixels).mean() > 5  # it changes a lot
    assert np.abs(whole.astype(int) - tiled.astype(int)).max() <= 2


def test_a_flat_photograph_stays_as_it_is_and_costs_the_others_nothing(tmp_path):
    for number, value in enumerate((0, 99, 255)):
        Image.new("RGB", (60, 50), (value,) * 3).save(tmp_path / f"{number}.png")
    files = sorted(str(file) for file in tmp_path.glob("*.png"))
    assert main(["restore", *files, "--out", str(tmp_path / "out")]) == 0
    for file in files:
        restored = np.asarray(Image.open(tmp_path / "out" / Path(file).name))
        assert (restored == np.asarray(Image.open(file))).all()


class Red(nn.Module):
    """Makes everything red."""

    def forward(self, images):
        return torch.tensor([1.0, -1.0, -1.0])[:, None, None].expand(images.shape[0], 3, *images.shape[2:])


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_grey_photographs_come_back_in_colour_where_a_model_paints_and_grey_where_not(tmp_path, depth):
    grey = np.full((20, 30), np.iinfo(depth).max // 2, depth)
    Image.fromarray(grey).save(tmp_path / "old.png")
    for painted, mode in ((True, "RGB"), (False, "L" if depth is np.uint8 else "I;16")):
        ((_, result),) = restore_files(
            Red(), [tmp_path / "old.png"], tmp_path / mode.strip(";16"), paints=painted
        )
        with Image.open(result) as picture:
            assert picture.mode == mode
            if painted:
                assert picture.getpixel((3, 3)) == (255, 0, 0)


def test_what_paints_learnt_from_photographs_without_colour(tmp_path):
    assert paints("colour")
    assert not any(paints(name) for name in ("unet", "deblur-any", "no such run", str(tmp_path)))
    settings = RestorationSettings(steps=1, damage=Uncoloured())
    Run.start(tmp_path / "own", settings.as_json(), "data")
    assert paints(str(tmp_path / "own"))
