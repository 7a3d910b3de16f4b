"""Guards GoPro's frames: the published layout, the splits by scene, and what is wrong with a folder said in words."""

import pytest
import torch
from pictures import save

from companion.data.degrade import Camera
from companion.data.gopro import GoProFrames
from companion.data.photos import SPLITS
from companion.errors import CompanionError
from companion.losses import PixelL1
from companion.training.deblurring import DeblurSettings, build


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
    assert batch.input.shape == batch.target.shape == (2, 3, 16, 16)
    assert all(map(torch.equal, frames["training"][0].tensors, batch.tensors))
    assert not torch.equal(frames["training"][1].input, batch.input)
    blurry, clear = frames["test"].frames[0]
    assert (blurry.parent.name, clear.parent.name) == ("blur", "sharp")
    assert blurry.name == clear.name


def test_a_run_takes_gopros_own_pairs_and_shows_scenes_it_never_trains_on(gopro):
    small = dict(width=2, blocks=1, critic_width=2, size=16, batch=2, content=(PixelL1(),))
    ready = build(DeblurSettings(data=str(gopro), **small))
    again = GoProFrames.read(gopro, "training", size=16, batch=2, seed=1)
    assert all(map(torch.equal, ready.batches[3].tensors, again[3].tensors))
    assert ready.trainer.shown.target.shape == (8, 3, 16, 16)
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
    small = dict(
        width=2,
        blocks=1,
        critic_width=2,
        size=16,
        batch=2,
        content=(PixelL1(),),
        camera=Camera(shakes=2, size=7, length=6),
    )
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
    assert read()[0].input.shape == (1, 3, 32, 32)
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
