"""Guards that gestures, the knob and the sound of pictures are the package's in the page, number for number."""

import base64
import io
import json
import subprocess
import wave
from dataclasses import asdict

import numpy as np
import pytest
import torch
from house import ROOT
from PIL import Image

from companion import pretrained
from companion.sonify import image_from, pitches, save_wav, sound
from companion.vision import gestures
from companion.vision.browser import chord
from companion.vision.landmarks import Hand
from companion.vision.learning import from_numbers
from companion.vision.smoothing import OneEuroFilter
from companion.vision.volume import Knob, KnobSettings, amplitude

SCRIPT = ROOT / "tests/live/hands_parity.js"
LEVEL_OF_16_BITS = 1 / 32767


def page(what: str, **about: object) -> object:
    """What the page's modules answer."""
    asked = json.dumps({"what": what, **about})
    node = ROOT / ".venv/bin/node"
    done = subprocess.run([node, SCRIPT], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- what a hand says -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hands() -> list[Hand]:
    """All hands that were found on the photographs of chapter 8."""
    found = [one["hand"] for one in pretrained.details("hand-gestures")["hands"] if one["found"]]
    assert len(found) > 15
    return [from_numbers(numbers) for numbers in found]


def in_page(hand: Hand) -> dict[str, object]:
    landmarks = [dict(zip("xyz", row, strict=True)) for row in hand.normalised.tolist()]
    return {"width": hand.width, "height": hand.height, "landmarks": landmarks}


def test_thresholds_and_settings_are_the_packages():
    rules = {
        "straight": gestures.STRAIGHT,
        "away": gestures.AWAY,
        "thumbOut": gestures.THUMB_OUT,
        **{"pinched": gestures.PINCHED, "letGo": gestures.LET_GO},
    }
    assert page("constants") == {"rules": rules, "settings": asdict(KnobSettings())}


def test_hands_say_the_same(hands):
    switch = gestures.pinch_switch()
    answers = page("hands", hands=[in_page(hand) for hand in hands])
    for hand, answer in zip(hands, answers, strict=True):
        assert np.allclose(answer["shape"], gestures.shape(hand), rtol=0, atol=1e-9)
        assert answer["pinch"] == pytest.approx(gestures.pinch(hand), abs=1e-9)
        assert answer["up"] == [finger.name.lower() for finger in gestures.fingers_up(hand)]
        assert answer["closed"] is switch(gestures.pinch(hand))
    assert {answer["closed"] for answer in answers} == {True, False}


# ---- the knob -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pinches() -> list[tuple[float | None, float]]:
    """Eleven seconds of a trembling hand: opened, held still, taken away, back, moved fast; frames come unevenly."""
    random = np.random.default_rng(8)
    moments = np.cumsum(random.uniform(0.02, 0.09, 220))
    moments[100:] += 0.8  # a camera that hung
    corners = ([0, 2, 4.5, 5, 6, 7, 8, 9, 12], [0.4, 1.3, 1.3, 0.6, 0.6, 1.7, 0.5, 1.1, 1.1])
    opened = np.interp(moments, *corners) + random.normal(0, 0.008, 220)
    gone = (moments > 5) & (moments < 5.9)
    return [
        (None if away else float(pinch), float(moment))
        for pinch, moment, away in zip(opened, moments, gone, strict=True)
    ]


def test_smoothed_values_are_the_same(pinches):
    values = [(pinch, moment) for pinch, moment in pinches if pinch is not None]
    for settings in [(1.0, 2.0, 1.0), (0.5, 0.0, 2.0)]:
        own = OneEuroFilter(*settings)
        answers = page(
            "filter", values=[v for v, _ in values], moments=[m for _, m in values], settings=settings
        )
        assert np.allclose(answers, [own(*one) for one in values], rtol=0, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"loudest": 0.6, "rise": 1.5, "hold": 0.7}])
def test_the_knob_turns_the_same(pinches, settings):
    own = Knob(0.3, KnobSettings(**settings))
    answers = page(
        "knob",
        **{"level": 0.3, "settings": settings},
        **{"pinches": [pinch for pinch, _ in pinches], "moments": [moment for _, moment in pinches]},
    )
    turns = [own.turn(pinch, moment) for pinch, moment in pinches]
    for turn, answer in zip(turns, answers, strict=True):
        assert answer["level"] == pytest.approx(turn.level, abs=1e-12)
        assert answer["amplitude"] == pytest.approx(amplitude(turn.level), abs=1e-12)
        assert answer["locked"] is turn.locked
        assert answer["pinch"] == (None if turn.pinch is None else pytest.approx(turn.pinch, abs=1e-12))
    assert {turn.locked for turn in turns} == {True, False}  # the hand has done all there is to do
    assert max(turn.level for turn in turns) > 0.4


def test_the_chord_is_the_packages():
    with wave.open(io.BytesIO(chord())) as file:
        own = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    answer = np.array(page("chord"))
    assert answer.shape == own.shape
    assert np.abs(answer - own).max() < 1.01 * LEVEL_OF_16_BITS


# ---- the sound of pictures ------------------------------------------------------------------------------------------


def pictures() -> dict[str, np.ndarray]:
    """RGBA bytes: more and fewer rows than are played, one row, colours, and what is partly transparent."""
    random = np.random.default_rng(4)
    noise = random.integers(0, 256, (50, 37, 4), np.uint8)
    opaque = noise.copy()
    opaque[..., 3] = 255
    ramp = np.zeros((7, 90, 4), np.uint8)
    ramp[..., :3] = np.linspace(0, 255, 90).astype(np.uint8)[None, :, None]
    ramp[..., 3] = 255
    return {"noise": opaque, "transparent": noise, "ramp": ramp, "line": opaque[:1], "black": 0 * opaque}


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("seconds", [0.5, 1.3])
@pytest.mark.slow
def test_pictures_sound_the_same(name, seconds, tmp_path):
    picture = pictures()[name]
    height, width, _ = picture.shape
    Image.fromarray(picture).save(tmp_path / "picture.png")
    own = sound(image_from(tmp_path / "picture.png"), seconds=seconds)
    pixels = {"data": picture.flatten().tolist(), "width": width, "height": height}
    answer = page("sound", pixels=pixels, seconds=seconds)
    waves = torch.tensor(answer["waves"])
    assert waves.shape == own.shape
    print(f"{name}, {seconds} s: apart by {float((waves - own).abs().max()):.1e}")
    assert float((waves - own).abs().max()) < 2e-6  # the package averages pixels in single precision
    save_wav(tmp_path / "own.wav", own)
    mine, theirs = base64.b64decode(answer["wav"]), (tmp_path / "own.wav").read_bytes()
    assert mine[:44] == theirs[:44]
    apart = np.frombuffer(mine[44:], "<i2").astype(int) - np.frombuffer(theirs[44:], "<i2")
    assert np.abs(apart).max() <= 1  # a sample half way between two levels


@pytest.mark.parametrize("rows", [1, 2, 32])
def test_pitches_are_the_same(rows):
    assert np.allclose(page("pitches", rows=rows), pitches(rows), rtol=1e-12)
