"""Guards the mapping from images to sound, as its documentation states it: pitch, loudness, place, timbre."""

import json
import math
import wave

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from companion.cli import main
from companion.errors import CompanionError
from companion.sonify import (
    HIGHEST,
    LOWEST,
    PEAK,
    RATE,
    ROWS,
    image_from,
    images_of_run,
    pitches,
    save_wav,
    sound,
)

SECONDS = 1.0


def picture(
    *, row: int | None = None, colour: tuple[float, float, float] = (1, 1, 1), size: int = ROWS
) -> Tensor:
    """One row, or all of them, in a colour of [0, 1]; the rest black."""
    image = torch.full((1, 3, size, size), -1.0)
    rows = slice(None) if row is None else slice(row, row + 1)
    image[:, :, rows] = torch.tensor(colour, dtype=torch.float32)[:, None, None] * 2 - 1
    return image


def spectrum(waves: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and their strengths, both channels together."""
    strength = np.abs(np.fft.rfft(waves.sum(0).numpy() * np.hanning(waves.shape[1])))
    return np.fft.rfftfreq(waves.shape[1], 1 / RATE), strength


def strength_at(waves: Tensor, hertz: float) -> float:
    """At one frequency exactly, between the Fourier transform's own."""
    windowed = waves.sum(0).numpy() * np.hanning(waves.shape[1])
    turning = np.exp(-2j * np.pi * hertz * np.arange(waves.shape[1]) / RATE)
    return float(np.abs((windowed * turning).sum()))


def power(waves: Tensor) -> tuple[float, float]:
    left, right = waves.double().square().mean(1).tolist()
    return left, right


@pytest.mark.parametrize("row", [0, 1, 9, ROWS - 1])
def test_a_bright_row_sounds_at_its_own_pitch(row):
    waves = sound(picture(row=row), seconds=SECONDS)
    frequencies, strength = spectrum(waves)
    assert frequencies[strength.argmax()] == pytest.approx(float(pitches(ROWS)[row]), abs=1.5)


def test_the_top_row_is_the_highest_and_steps_are_equal_intervals():
    found = pitches(ROWS)
    assert float(found[0]) == pytest.approx(HIGHEST)
    assert float(found[-1]) == pytest.approx(LOWEST)
    steps = found[:-1] / found[1:]
    torch.testing.assert_close(steps, torch.full_like(steps, float(steps[0])))
    assert 2 * HIGHEST < RATE / 2  # the octave above can be heard too
    assert len(pitches(1)) == 1


@pytest.mark.parametrize("size", [16, 64, 100])
def test_images_of_any_size_keep_top_and_bottom(size):
    top = picture(size=size)
    top[:, :, size // 4 :] = -1
    frequencies, strength = spectrum(sound(top, seconds=SECONDS))
    assert frequencies[strength.argmax()] > math.sqrt(LOWEST * HIGHEST)


def test_brightness_is_loudness():
    """Two rows, one half as bright: half the amplitude."""
    image = picture(row=4)
    image[:, :, 20] = 0.0  # the middle of [−1, 1]
    waves = sound(image, seconds=SECONDS)
    ratio = strength_at(waves, float(pitches(ROWS)[20])) / strength_at(waves, float(pitches(ROWS)[4]))
    assert ratio == pytest.approx(0.5, abs=0.02)


def test_black_and_nothing_are_silent():
    assert sound(picture(colour=(0, 0, 0)), seconds=0.2).abs().max() == 0
    assert sound(torch.full((1, 4, 8, 8), -1.0), seconds=0.2).abs().max() == 0


def test_time_runs_from_left_to_right():
    image = picture()
    image[..., ROWS // 2 :] = -1
    waves = sound(image, seconds=SECONDS)
    first, second = waves.chunk(2, 1)
    assert first.square().mean() > 50 * second.square().mean()


@pytest.mark.parametrize(
    ("colour", "place"),
    [((1, 0, 0), -1), ((0, 0, 1), 1), ((0, 1, 0), 0), ((1, 1, 1), 0), ((1, 0, 1), 0), ((0.3, 0.3, 0.3), 0)],
)
def test_red_is_left_blue_is_right_and_the_rest_between(colour, place):
    left, right = power(sound(picture(row=7, colour=colour), seconds=0.5))
    assert (right - left) / (right + left) == pytest.approx(place, abs=1e-6)


def test_moving_a_colour_across_keeps_its_power():
    red = sum(power(sound(torch.cat([picture(row=7, colour=(1, 0, 0)), picture(row=7)]), seconds=0.5)))
    violet = sum(power(sound(torch.cat([picture(row=7, colour=(0.5, 0, 0.5)), picture(row=7)]), seconds=0.5)))
    assert red == pytest.approx(violet, rel=0.01)


def test_saturation_adds_the_octave():
    octave = 2 * float(pitches(ROWS)[20])
    grey, pale, full = (
        sound(picture(row=20, colour=colour), seconds=SECONDS)
        for colour in ((0.5, 0.5, 0.5), (0.5, 1, 0.5), (0, 1, 0))
    )
    shares = [strength_at(waves, octave) / strength_at(waves, octave / 2) for waves in (grey, pale, full)]
    assert shares == pytest.approx([0, 0.25, 0.5], abs=0.01)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.2345])
def test_the_length_is_exact_and_nothing_is_cut_off(seconds):
    images = torch.rand(3, 3, 20, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    waves = sound(images, seconds=seconds)
    assert waves.shape == (2, 3 * round(seconds * RATE))
    assert float(waves.abs().max()) == pytest.approx(PEAK)


def test_an_image_begins_and_ends_without_a_click():
    waves = sound(torch.ones(1, 1, 4, 4), seconds=0.5)
    assert waves[:, [0, -1]].abs().max() < 0.01


def test_grey_sounds_as_the_same_grey_in_colour():
    grey = torch.rand(1, 1, 8, 8) * 2 - 1
    torch.testing.assert_close(sound(grey, seconds=0.1), sound(grey.expand(-1, 3, -1, -1), seconds=0.1))


def test_no_image_is_one_sentence():
    with pytest.raises(CompanionError, match="give at least one"):
        sound(torch.zeros(0, 3, 4, 4))


@pytest.mark.parametrize("seconds", [0, -1, 1e-9, 61, 1e9, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_one_sentence(seconds):
    with pytest.raises(CompanionError, match="up to 60"):
        sound(torch.zeros(1, 3, 4, 4), seconds=seconds)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 32768, np.uint16)).save(tmp_path / "grey.png")
    assert float(image_from(tmp_path / "grey.png").mean()) == pytest.approx(0, abs=0.01)


def test_a_wav_file_holds_what_was_played_and_replaces_none(tmp_path):
    waves = sound(picture(row=3), seconds=0.1)
    save_wav(tmp_path / "a.wav", waves)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T / 32767
    assert np.abs(stored - waves.numpy()).max() < 1 / 32767
    with pytest.raises(CompanionError, match="not overwritten"):
        save_wav(tmp_path / "a.wav", waves)


def make_run(folder):
    """Two grids of two 4×4 samples, 2 pixels apart, on white."""
    (folder / "samples").mkdir(parents=True)
    about = {"status": "finished", "settings": {"size": 4, "device": "cpu"}, "seconds": 1.0, "step": 2}
    (folder / "run.json").write_text(json.dumps({**about, "data_fingerprint": "x", "environment": {}}))
    for step, shade in ((1, 0), (2, 51)):
        grid = Image.new("RGB", (14, 8), "white")
        grid.paste((shade, 0, 0), (2, 2, 6, 6))
        grid.save(folder / f"samples/{step:06d}.png")


def test_a_runs_first_sample_is_followed_over_training_without_the_grids_white(tmp_path):
    make_run(tmp_path / "run")
    images = images_of_run(tmp_path / "run")
    assert images.shape == (2, 3, 4, 4)
    assert (images[0] == -1).all()
    torch.testing.assert_close(images[1, 0], torch.full((4, 4), 51 / 127.5 - 1))


@pytest.mark.parametrize("settings", [{"device": "cpu"}, {"device": "cpu", "size": "large"}])
def test_a_run_that_does_not_say_its_size_is_one_sentence(tmp_path, settings):
    make_run(tmp_path / "run")
    about = json.loads((tmp_path / "run/run.json").read_text())
    (tmp_path / "run/run.json").write_text(json.dumps({**about, "settings": settings}))
    with pytest.raises(CompanionError, match="give another run"):
        images_of_run(tmp_path / "run")


def test_what_is_transparent_is_read_as_silence(tmp_path):
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(tmp_path / "ghost.png")
    assert image_from(tmp_path / "ghost.png").shape == (1, 4, 4, 4)
    assert sound(image_from(tmp_path / "ghost.png"), seconds=0.1).abs().max() == 0


def test_the_command_plays_pictures_and_runs(tmp_path, capsys):
    make_run(tmp_path / "run")
    grid = str(tmp_path / "run/samples/000001.png")
    out = ["--seconds", "0.1", "--out"]
    assert main(["sonify", grid, *out, str(tmp_path / "a.wav")]) == 0
    assert main(["sonify", str(tmp_path / "run"), *out, str(tmp_path / "b.wav")]) == 0
    assert "2 images" in capsys.readouterr().out
    assert (tmp_path / "b.wav").stat().st_size == 44 + 2 * 2 * 2 * round(0.1 * RATE)


@pytest.mark.parametrize(
    ("source", "said"),
    [("notes.txt", "cannot be read"), ("none.png", "cannot be read"), ("empty", "holds no run")],
)
def test_what_cannot_be_played_is_one_sentence(tmp_path, capsys, source, said):
    (tmp_path / "notes.txt").write_text("la la la")
    (tmp_path / "empty").mkdir()
    assert main(["sonify", str(tmp_path / source), "--out", str(tmp_path / "a.wav")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a.wav").exists()
