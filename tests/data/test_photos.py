"""Guards the photographs: splits never share one, patches are what they say, and seeds fix everything."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from companion.data.degrade import Camera, blur
from companion.data.photos import (
    SPLITS,
    BlurredPatches,
    GoProFrames,
    Photos,
    blurred,
    held_out,
    load_photos,
    sharp,
    split_of,
)
from companion.errors import CompanionError
from companion.losses import PixelL1
from companion.training.deblurring import DeblurSettings, build

CAMERA = Camera(shakes=2, size=7, length=6)


@pytest.fixture(scope="module")
def embedded() -> Photos:
    return load_photos("embedded")


def save(path, width=60, height=50, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_the_embedded_photographs_need_no_download(embedded):
    assert len(embedded) == 7
    assert all(photo.dtype == torch.uint8 and photo.shape[0] == 3 for photo in embedded.pixels)
    assert min(min(photo.shape[1:]) for photo in embedded.pixels) >= 300


def test_no_two_splits_share_a_photograph(embedded, tmp_path):
    """And nothing is lost: the three together are the whole."""
    for n in range(40):
        save(tmp_path / f"{n}.png", seed=n)
    for photos in (embedded, load_photos(tmp_path)):
        parts = [set(photos.split(part).sources) for part in SPLITS]
        assert all(parts)
        assert sum(map(len, parts)) == len(photos)
        assert set.union(*parts) == set(photos.sources)
        prints = [{photo.numpy().tobytes() for photo in photos.split(part).pixels} for part in SPLITS]
        assert not prints[0] & prints[1]
        assert not prints[0] & prints[2]
        assert not prints[1] & prints[2]


def test_a_photograph_stays_in_its_split_whatever_lies_beside_it(tmp_path):
    """Else a folder that grows would move test photographs into the training set."""
    for n in range(30):
        save(tmp_path / f"{n}.png", seed=n)
    before = set(load_photos(tmp_path).split("test").sources)
    for n in range(30, 60):
        save(tmp_path / f"{n}.png", seed=n)
    after = set(load_photos(tmp_path).split("test").sources)
    assert before <= after
    assert {split_of(name) for name in before} == {"test"}


def test_about_a_tenth_is_held_out_for_each_purpose():
    parts = [split_of(f"{n}.jpg") for n in range(2000)]
    assert 150 < parts.count("test") < 250
    assert 150 < parts.count("validation") < 250


def test_a_folder_is_read_at_full_size_but_for_the_largest(tmp_path):
    pixels = save(tmp_path / "a.png")
    save(tmp_path / "b" / "wide.png", 200, 50)
    (tmp_path / "notes.txt").write_text("not a picture")
    photos = load_photos(tmp_path, longest=100)
    assert photos.sources == ("a.png", "b/wide.png")
    assert [tuple(photo.shape) for photo in photos.pixels] == [(3, 50, 60), (3, 25, 100)]
    assert torch.equal(photos.pixels[0], torch.from_numpy(pixels).permute(2, 0, 1))
    assert photos.skipped == ("notes.txt",)


def test_too_small_photographs_are_left_out_by_name_and_none_is_an_error(tmp_path):
    save(tmp_path / "a.png", 60, 50)
    save(tmp_path / "small.png", 60, 20)
    photos = load_photos(tmp_path, least=30)
    assert photos.sources == ("a.png",)
    assert photos.skipped == ("small.png",)
    with pytest.raises(CompanionError, match="at least 100 pixels a side"):
        load_photos(tmp_path, least=100)


@pytest.mark.parametrize("name", ["embeded", "holidays"])
def test_an_unknown_name_is_explained(name):
    with pytest.raises(CompanionError, match="embedded"):
        load_photos(name)


def test_missing_pets_say_where_they_go(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    with pytest.raises(CompanionError, match=r"Oxford-IIIT Pet .* “embedded”"):
        load_photos("pets")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CompanionError, match="does not exist"):
        load_photos(tmp_path / "none" / "here")


def test_an_unknown_split_is_refused(embedded):
    with pytest.raises(CompanionError, match="split"):
        embedded.split("train")


def test_an_empty_split_is_refused(embedded):
    alone = Photos("one", embedded.sources[:1], embedded.pixels[:1])
    with pytest.raises(CompanionError, match="add more photographs"):
        alone.split("test")


def test_a_batch_is_sharp_patches_and_their_blurred_versions(embedded):
    """Each blurred patch differs from its sharp one, and is close to it; with a point kernel they are equal."""
    batch = BlurredPatches(embedded, CAMERA, size=32, batch=4, seed=1)[0]
    assert batch.shape == (4, 6, 32, 32)
    assert batch.abs().max() <= 1
    gap = (sharp(batch) - blurred(batch)).abs().mean()
    assert 0 < gap < 0.2
    still = Camera(shakes=1, size=1, length=0, noise=0)
    batch = BlurredPatches(embedded, still, size=32, batch=4, seed=1)[0]
    assert torch.allclose(sharp(batch), blurred(batch), atol=1e-6)


def test_the_blurred_patch_lies_exactly_over_the_sharp_one(embedded):
    """A shift of one pixel would be learnt as part of the blur."""
    camera = Camera(shakes=1, size=7, length=0, noise=0)  # a point in the middle of a 7×7 kernel
    batch = BlurredPatches(embedded, camera, size=32, batch=4, seed=1)[0]
    assert torch.allclose(sharp(batch), blurred(batch), atol=1 / 127)


def test_batches_depend_on_seed_and_index_alone(embedded):
    patches = BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=1)
    first = patches[0]
    patches[7]
    assert torch.equal(patches[0], first)
    assert torch.equal(BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=1)[0], first)
    assert not torch.equal(patches[1], first)
    assert not torch.equal(BlurredPatches(embedded, CAMERA, size=16, batch=3, seed=2)[0], first)


def test_the_readers_random_numbers_are_left_alone(embedded):
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    BlurredPatches(embedded, CAMERA, size=16, batch=3)[0]
    held_out(embedded, CAMERA, 16)
    assert torch.equal(torch.rand(1), wanted)


def test_patches_larger_than_a_photograph_are_refused(embedded):
    with pytest.raises(CompanionError, match="least=406"):
        BlurredPatches(embedded, CAMERA, size=400, batch=1)


def test_held_out_pictures_carry_the_kernel_that_blurred_them(embedded):
    quiet = Camera(shakes=3, size=7, length=6, noise=0)
    pairs, kernels = held_out(embedded, quiet, 40, each=2)
    assert pairs.shape == (14, 6, 40, 40)
    assert [int((kernels[n] - quiet.kernels()[n % 3]).abs().sum() == 0) for n in range(14)] == [1] * 14
    inner = sharp(pairs)
    again = blur(inner, kernels)  # of the patch alone: three pixels less all round
    assert torch.allclose(again, blurred(pairs)[..., 3:-3, 3:-3], atol=1 / 127)


@pytest.fixture
def gopro(tmp_path):
    """A folder in the layout as published: ten scenes to train on, two to test on."""
    for scene in range(12):
        for frame in range(2):
            for kind in ("blur", "sharp", "blur_gamma"):
                part = "test" if scene < 2 else "train"
                save(tmp_path / part / f"GOPR{scene}" / kind / f"{frame:06d}.png", seed=scene * 9 + len(kind))
    return tmp_path


def test_gopros_folder_is_read_as_published(gopro):
    """Train and test as they are; one scene in ten of train is for validation; frames pair by scene and number."""
    tmp_path = gopro
    frames = {part: GoProFrames.read(tmp_path, part, size=16, batch=2, seed=1) for part in SPLITS}
    scenes = {part: {blurry.parent.parent.name for blurry, _ in of.frames} for part, of in frames.items()}
    assert scenes["test"] == {"GOPR0", "GOPR1"}
    assert scenes["training"] | scenes["validation"] == {f"GOPR{n}" for n in range(2, 12)}
    assert not scenes["training"] & scenes["validation"]
    assert all(scenes.values())
    batch = frames["training"][0]
    assert batch.shape == (2, 6, 16, 16)
    assert torch.equal(frames["training"][0], batch)
    assert not torch.equal(frames["training"][1], batch)
    blurry, clear = frames["test"].frames[0]
    assert (blurry.parent.name, clear.parent.name) == ("blur", "sharp")
    assert blurry.name == clear.name


def test_a_run_takes_gopros_own_pairs_and_shows_scenes_it_never_trains_on(gopro):
    small = dict(width=2, blocks=1, critic_width=2, size=16, batch=2, content=(PixelL1(),))
    ready = build(DeblurSettings(data=str(gopro), **small))
    again = GoProFrames.read(gopro, "training", size=16, batch=2, seed=1)
    assert torch.equal(ready.batches[3], again[3])
    assert ready.trainer.shown.shape == (8, 6, 16, 16)
    held = {
        blurry.parent.parent.name
        for blurry, _ in GoProFrames.read(gopro, "validation", size=16, batch=2).frames
    }
    assert not held & {blurry.parent.parent.name for blurry, _ in ready.photos.frames}
    *_, last = ready.trainer.run(ready.batches, steps=2)
    assert last.step == 2
    before = ready.photos.fingerprint
    save(ready.photos.frames[0][1], width=40)
    assert GoProFrames.read(gopro, "training", size=16, batch=2).fingerprint != before


def test_a_folder_that_is_not_gopros_is_refused(tmp_path):
    with pytest.raises(CompanionError, match="train/SCENE/blur"):
        GoProFrames.read(tmp_path, "training", size=16, batch=2)


def test_gopros_folder_given_a_floor_too_low_is_not_taken_for_sharp_photographs(gopro):
    small = dict(width=2, blocks=1, critic_width=2, size=16, batch=2, content=(PixelL1(),), camera=CAMERA)
    for low in (gopro / "train", gopro / "train/GOPR2"):
        with pytest.raises(CompanionError, match="blurred frames beside sharp ones"):
            build(DeblurSettings(data=str(low), **small))
    save(gopro / "own" / "blur" / "a.png")  # a folder may be called so
    assert not GoProFrames.lie_astray_in(gopro / "own")


def test_what_is_wrong_with_gopros_frames_is_said(tmp_path):
    """One scene alone, a blurred frame by itself, one too small, one of another size, and a damaged one."""

    def read():
        return GoProFrames.read(tmp_path, "training", size=32, batch=1)

    for scene in ("A", "B"):
        with pytest.raises(CompanionError, match="train/SCENE/blur" if scene == "A" else "needs two"):
            read()
        for kind in ("blur", "sharp"):
            save(tmp_path / "train" / scene / kind / "1.png")
    [(blurry, clear)] = read().frames
    assert read()[0].shape == (1, 6, 32, 32)
    for file, width, said in (
        (blurry, 61, "differ in size"),
        (clear, 61, None),
        (blurry, 20, "differ in size"),
    ):
        save(file, width=width)
        if said is not None:
            with pytest.raises(CompanionError, match=said):
                read()[0]
    save(clear, width=20)
    with pytest.raises(CompanionError, match="20×50 pixels and a patch 32"):
        read()[0]
    clear.write_bytes(clear.read_bytes()[:60])
    with pytest.raises(CompanionError, match=r"sharp/1\.png cannot be read"):
        read()[0]
    clear.unlink()
    with pytest.raises(CompanionError, match=r"blur/1\.png lacks its sharp one"):
        read()


def test_a_name_that_is_no_utf8_has_a_split_and_a_fingerprint():
    """Every name's bytes count; those of ordinary names as they always did."""
    grey = torch.zeros(3, 4, 4, dtype=torch.uint8)
    prints = {
        Photos("x", (os.fsdecode(name),), (grey,)).fingerprint for name in (b"caf\xe9", b"caf\xe8", b"b")
    }
    assert len(prints) == 3
    names = tuple(os.fsdecode(b"caf\xe9%d" % number) for number in range(40))
    parts = [
        Photos("x", names, (grey,) * 40).split(part).sources for part in ("training", "validation", "test")
    ]
    assert sorted(sum(parts, ())) == sorted(names)
