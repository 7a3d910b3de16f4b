"""Guards the volume knob: how it turns, a real PulseAudio that follows a film of a pinch, other systems' calls."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import types
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from house import PATIENCE, until
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from companion import pretrained
from companion.cli import main
from companion.errors import CompanionError
from companion.reproduce.ch08 import pinch as measured
from companion.reproduce.ch08.pinch import OPEN, RING, film, sound_server
from companion.vision import Frame, HandTracker, Seen
from companion.vision.learning import from_numbers
from companion.vision.volume import (
    Knob,
    KnobSettings,
    MacVolume,
    PulseVolume,
    WindowsVolume,
    amplitude,
    system_volume,
    turn_volume,
)

RATE = 25
NEVER = KnobSettings(hold=1e9)  # a knob that does not lock
FOUND = {e["note"]: e for e in pretrained.details("hand-gestures")["hands"] if e["found"]}
PALM = from_numbers(FOUND["palm"]["hand"])


def turned(knob: Knob, distance, seconds: float, start: float = 0.0) -> float:
    """The level after so many seconds at one pinch, at 25 frames a second."""
    for frame in range(round(seconds * RATE) + 1):
        knob.turn(distance, start + frame / RATE)
    return knob.level


# ---- the knob alone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("distance", "level"), [(0.1, 0), (0.55, 0), (1.025, 0.5), (1.5, 1), (2.0, 1)])
def test_the_level_goes_evenly_from_closed_to_open(distance, level):
    assert turned(Knob(0.4, NEVER), distance, 5) == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_missing_reading_is_no_hand_and_poisons_nothing(bad):
    """Neither a pinch that is no number, nor a moment."""
    knob, without = Knob(0.4, NEVER), Knob(0.4, NEVER)
    for now, distance in ((0.0, 1.0), (0.1, bad), (bad, 1.1), (0.2, 1.2)):
        turn = knob.turn(distance, now)
        assert 0 <= turn.level <= 1
        assert math.isfinite(turn.seconds)
        if math.isfinite(now):
            expected = without.turn(distance if math.isfinite(distance) else None, now)
            assert turn == expected
        else:
            assert (turn.level, turn.pinch) == (expected.level, None)
    assert turned(knob, 1.6, 5, start=1.0) == 1.0


def test_landmarks_that_make_no_hand_are_none():
    """All knuckles in one place, or nowhere: the film goes on."""
    nowhere = (replace(PALM, normalised=np.full_like(PALM.normalised, value)) for value in (0.5, math.nan))
    seen = [
        Seen(Frame(np.zeros((4, 4, 3), np.uint8), number / RATE, str(number)), (hand,))
        for number, hand in enumerate((PALM, *nowhere, PALM))
    ]
    pinches = [turn.pinch for _, turn in turn_volume(seen, types.SimpleNamespace(level=0.4))]
    assert [pinch is None for pinch in pinches] == [False, True, True, False]


def test_half_way_is_18_decibels_down_as_pulseaudio_has_it():
    assert 20 * np.log10(amplitude(0.5)) == pytest.approx(-18.06, abs=0.01)
    assert (amplitude(0), amplitude(1)) == (0, 1)


@given(st.lists(st.one_of(st.none(), st.floats(0, 3)), max_size=60), st.floats(0.01, 5), st.floats(0, 1))
def test_it_never_jumps_up_whatever_the_hand_does(pinches, step, begin):
    settings = KnobSettings(loudest=0.8)
    knob, before = Knob(begin, settings), begin
    for index, distance in enumerate(pinches):
        level = knob.turn(distance, index * step).level
        assert level - before <= settings.rise * min(step, 0.2) + 1e-9
        assert 0 <= level <= max(begin, settings.loudest)
        before = level


def test_the_first_picture_of_a_hand_moves_nothing():
    knob = Knob(0.5)
    assert knob.turn(None, 0.0).level == 0.5
    assert knob.turn(0.0, 10.0).level == 0.5
    assert knob.turn(0.0, 10.04).level < 0.5


def test_without_a_hand_the_level_stays_even_on_its_way():
    knob = Knob(0.0, NEVER)
    level = turned(knob, 1.5, 0.5)
    assert 0.1 < level < 0.3
    assert turned(knob, None, 3.0, start=0.54) == level


def test_it_never_passes_the_loudest():
    assert turned(Knob(0.2, replace(NEVER, loudest=0.6)), 2.0, 5) == pytest.approx(0.6)
    assert turned(Knob(0.9, replace(NEVER, loudest=0.6)), 2.0, 5) == pytest.approx(0.6), "down from above"


def test_trembling_within_the_play_turns_nothing():
    knob = Knob(0.0, NEVER)
    level = turned(knob, 1.025, 4)
    for frame in range(200):
        knob.turn(1.025 + 0.02 * (-1) ** frame, 4.04 + frame / RATE)
    assert knob.level == level


def test_holding_still_locks_and_a_hand_that_comes_back_is_free():
    knob = Knob(0.5)
    assert turned(knob, 1.025, 4) == pytest.approx(0.5, abs=0.03)
    locked = knob.turn(1.025, 4.04)
    assert locked.locked
    assert turned(knob, 0.3, 1, start=4.08) == locked.level, "locked: the hand may go"
    assert knob.turn(None, 5.2).locked
    assert turned(knob, 0.3, 1, start=5.3) == locked.level, "the tracker lost it for a moment"
    turned(knob, None, 1.0, start=6.5)
    assert turned(knob, 0.3, 2, start=8.0) == 0


def test_a_hand_held_still_while_the_level_is_climbing_does_not_lock_it_half_way():
    knob = Knob(0.0, KnobSettings(rise=0.1))
    turned(knob, 1.5, 5)
    assert knob.level == pytest.approx(0.5, abs=0.02)
    assert turned(knob, 1.5, 6, start=5.04) == 1


# ---- turning a loudspeaker ------------------------------------------------------------------------------------------


class Wooden:
    """A loudspeaker that only remembers."""

    name = "wood"

    def __init__(self, level=0.5):
        self.levels = [level]

    @property
    def level(self):
        return self.levels[-1]

    @level.setter
    def level(self, level):
        self.levels.append(level)

    def close(self):
        pass


def seen(count=100, stop=None):
    picture = np.zeros((4, 4, 3), np.uint8)
    for index in range(count):
        if index == stop:
            raise KeyboardInterrupt
        yield Seen(Frame(picture, index / RATE, str(index)), [PALM])


def test_the_loudspeaker_follows_and_is_told_only_what_changes():
    wooden = Wooden()
    turns = list(turn_volume(seen(), wooden))
    assert len(turns) == 100
    assert wooden.level == turns[-1][1].level > 0.9
    assert len(set(wooden.levels)) == len(wooden.levels)


def test_the_volume_is_restored_where_asked_also_after_ctrl_c():
    for restore in (True, False):
        wooden = Wooden()
        with pytest.raises(KeyboardInterrupt):
            list(turn_volume(seen(stop=50), wooden, restore=restore))
        assert max(wooden.levels) > 0.8
        assert (wooden.level == 0.5) is restore
    wooden = Wooden()
    turns = turn_volume(seen(), wooden, restore=True)
    for _ in range(30):
        next(turns)
    turns.close()
    assert wooden.level == 0.5


# ---- a real PulseAudio ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    if not (shutil.which("pulseaudio") and shutil.which("pactl")):
        pytest.skip("pulseaudio and pactl are not installed; tools/system.sh installs them")
    pytest.importorskip("pulsectl")
    with sound_server() as address:
        yield address


def read_back() -> list[float]:
    """What PulseAudio's own command says of its output, one number a channel."""
    told = subprocess.run(["pactl", "get-sink-volume", "nowhere"], capture_output=True, text=True, check=True)
    return [int(word) / 65536 for word in told.stdout.replace(",", " ").split() if word.isdigit()]


def put(*percents: str) -> None:
    subprocess.run(["pactl", "set-sink-volume", "nowhere", *percents], check=True)


def test_pulseaudio_has_the_level_it_was_given(server):
    loudspeaker = system_volume() if sys.platform == "linux" else PulseVolume()
    assert loudspeaker.name == "Null Output"
    for level in (0.0, 0.31, 1.0):
        loudspeaker.level = level
        assert read_back() == pytest.approx([level, level], abs=1e-4)
        assert loudspeaker.level == pytest.approx(level, abs=1e-4)
    put("42%", "42%")
    assert loudspeaker.level == pytest.approx(0.42, abs=1e-4), "what others do is seen"
    loudspeaker.close()


@pytest.fixture
def pipewire(tmp_path, monkeypatch):
    """PipeWire with its own session, answering as PulseAudio, and an output that goes nowhere."""
    needed = ("dbus-run-session", "pipewire", "wireplumber", "pipewire-pulse", "pactl")
    if absent := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(absent)}: not installed, so PipeWire is not tried")
    pytest.importorskip("pulsectl")
    for name in ("HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/pulse/native")
    start = "pipewire & until [ -S pipewire-0 ]; do sleep 0.1; done; wireplumber & exec pipewire-pulse"
    session = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", start],
        start_new_session=True,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until_told("load-module", "module-null-sink", "sink_name=nowhere")
        until_told("get-default-sink", wanted="nowhere")
        yield
    finally:
        os.killpg(session.pid, signal.SIGTERM)
        session.wait(PATIENCE)


def until_told(*question: str, wanted: str = "") -> None:
    """Ask the sound server again and again until it answers as wanted."""

    def answered() -> bool:
        told = subprocess.run(["pactl", *question], capture_output=True, text=True)
        return told.returncode == 0 and wanted in told.stdout

    until(answered)


def test_pipewire_has_the_level_it_was_given(pipewire):
    """Only where it is installed; tools/system.sh installs PulseAudio alone."""
    put("60%", "30%")
    with closing(PulseVolume()) as loudspeaker:
        for level in (0.8, 0.0, 0.4):
            loudspeaker.level = level
            assert read_back() == pytest.approx([level, level / 2], abs=1e-4)
            assert loudspeaker.level == pytest.approx(level, abs=1e-4)


def test_half_the_level_is_18_decibels_in_pulseaudio_too(server):
    loudspeaker = PulseVolume()
    loudspeaker.level = 0.5
    told = subprocess.run(["pactl", "get-sink-volume", "nowhere"], capture_output=True, text=True, check=True)
    assert "-18.06 dB" in told.stdout
    loudspeaker.close()


def test_the_balance_stays_even_through_silence(server):
    put("60%", "30%")
    loudspeaker = PulseVolume()
    for level in (0.8, 0.0, 0.4):
        loudspeaker.level = level
        assert read_back() == pytest.approx([level, level / 2], abs=1e-4)
    loudspeaker.close()
    put("100%", "100%")


@pytest.fixture(scope="module")
def pinching():
    """A film of a pinch, made from two real photographs (companion.reproduce.ch08.pinch says how)."""
    from companion.data.assets import cache_folder

    folder = cache_folder() / "vision-photos"
    if not all((folder / name).is_file() for name in (OPEN, RING)):
        pytest.skip("the photographs for the film are not at hand")
    pytest.importorskip("mediapipe")
    try:
        tracker = HandTracker(most=1)
    except CompanionError as missing:
        pytest.skip(str(missing))
    with tracker:
        yield film(folder, tracker, rate=10), tracker


@pytest.mark.slow
def test_a_pinch_on_film_turns_the_real_volume(server, pinching):
    shown, tracker = pinching
    put("40%")
    loudspeaker = PulseVolume()
    levels = []
    for _, turn in turn_volume(
        tracker.follow(shown.frames), loudspeaker, replace(NEVER, rise=0.8), restore=True
    ):
        levels.append(max(read_back()))
        assert levels[-1] == pytest.approx(turn.level, abs=1e-4)
    at = {frame.seconds: level for frame, level in zip(shown.frames, levels, strict=True)}
    assert at[0.0] == pytest.approx(0.4, abs=1e-4)
    assert at[2.5] > 0.95, "the open hand: loud"
    assert 0.2 < at[3.9] < 0.6, "half closed"
    assert at[5.5] < 0.03, "the ring: silent"
    assert at[9.0] > 0.9, "open again"
    assert max(np.diff(levels)) <= 0.8 * 0.1 + 1e-3, "never a jump up"
    assert max(read_back()) == pytest.approx(0.4, abs=1e-4), "as it was"
    loudspeaker.close()


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.slow
def test_the_command_turns_the_volume_with_a_video(server, pinching, tmp_path, restore, capsys):
    cv2 = pytest.importorskip("cv2")
    shown, _ = pinching
    video = tmp_path / "pinch.avi"
    height, width, _ = shown.frames[0].picture.shape
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for frame in shown.frames[:56]:  # until the ring is closed
        writer.write(np.ascontiguousarray(frame.picture[..., ::-1]))
    writer.release()
    put("40%")
    assert main(["vision", "volume", "--source", str(video), *(["--restore"] if restore else [])]) == 0
    assert max(read_back()) == pytest.approx(0.4 if restore else 0.0, abs=0.03)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 56
    assert '"level": ' in lines[0]


@pytest.mark.parametrize("kind_of_source", ["folder", "video"])
@pytest.mark.slow
def test_without_a_hand_the_command_turns_nothing(
    server, tracker, person, film, tmp_path, kind_of_source, capsys
):
    tracker(HandTracker)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(person).save(folder / name)
    source = folder if kind_of_source == "folder" else film(person, frames=3)
    put("40%", "40%")
    assert main(["vision", "volume", "--source", str(source)]) == 0
    turns = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(turn["pinch"], turn["level"], turn["locked"]) for turn in turns] == [(None, 0.4, False)] * 3
    assert read_back() == pytest.approx([0.4, 0.4], abs=1e-4)


def test_an_output_that_goes_away_is_one_sentence():
    if not (shutil.which("pulseaudio") and shutil.which("pactl")):
        pytest.skip("pulseaudio and pactl are not installed")
    pytest.importorskip("pulsectl")
    with sound_server():
        loudspeaker = PulseVolume()
        subprocess.run(
            ["pactl", "load-module", "module-null-sink", "sink_name=other"], check=True, capture_output=True
        )
        subprocess.run(["pactl", "unload-module", "module-null-sink"], check=True)
        with pytest.raises(CompanionError, match="“Null Output” is gone"):
            loudspeaker.level = 0.5
        loudspeaker.close()


@pytest.mark.parametrize("restore", [True, False])
def test_a_sound_server_that_dies_in_mid_turn_is_one_sentence(restore):
    """Whatever is asked of it next, and though the volume was to be set back at the end."""
    if not (shutil.which("pulseaudio") and shutil.which("pactl")):
        pytest.skip("pulseaudio and pactl are not installed")
    pytest.importorskip("pulsectl")
    with sound_server():
        loudspeaker = PulseVolume()
    with (
        closing(loudspeaker),
        pytest.raises(CompanionError, match="“Null Output” is gone, or its sound server is"),
    ):
        list(turn_volume(iter([]), loudspeaker, restore=restore))
    with pytest.raises(CompanionError, match="its sound server is"):
        loudspeaker.level = 0.5


def test_a_server_that_dies_is_one_sentence_of_the_command(monkeypatch, camera, tracker, person, capsys):
    """Played, so that it holds without PulseAudio: the second setting fails as pulsectl says it."""
    pulsectl = pytest.importorskip("pulsectl")
    from companion.vision import volume

    told = iter([0.4, 0.4])

    class Dying(PulseVolume):
        name = "Null Output"

        def __init__(self) -> None:
            self._trouble = (pulsectl.PulseError, pulsectl.PulseDisconnected)
            self._sink, self._pulse = (
                "nowhere",
                types.SimpleNamespace(get_sink_by_name=self.sink, close=self.gone),
            )

        def sink(self, name: str) -> object:
            if (level := next(told, None)) is None:
                self.gone()
            return types.SimpleNamespace(volume=types.SimpleNamespace(values=[level]))

        def gone(self) -> None:
            raise pulsectl.PulseDisconnected

    monkeypatch.setattr(volume, "turn_volume", lambda seen, loud, *_, **__: (loud.level for _ in range(9)))
    monkeypatch.setattr(volume, "system_volume", Dying)
    monkeypatch.setattr(
        "companion.commands.ch08._through", lambda source, results, keep, options: list(results)
    )
    tracker(HandTracker)
    camera(sees=person)
    assert main(["vision", "volume", "--source", "0"]) == 2
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("companion: ")]
    assert "its sound server is" in sentence


def test_a_machine_without_a_sound_server_is_told_what_to_do(monkeypatch, tmp_path):
    pytest.importorskip("pulsectl")
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    with pytest.raises(
        CompanionError, match=r"nothing answers in PulseAudio's protocol.*notebook's own player"
    ):
        PulseVolume()
    if sys.platform == "linux":
        assert main(["vision", "volume", "--source", "0"]) == 2


def test_without_pulsectl_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pulsectl", None)
    with pytest.raises(CompanionError, match="pip install p(ulsectl|ycaw)"):
        PulseVolume()


# ---- other systems, as far as their calls go ------------------------------------------------------------------------


@pytest.fixture
def osascript(tmp_path, monkeypatch):
    """A stand-in for macOS's command that keeps the volume in a file; on a Mac nothing of this was tried."""
    script = tmp_path / "osascript"
    script.write_text(
        '#!/bin/sh\ncase "$2" in "set volume output volume "*) echo "${2##* }" > "$STATE" ;; *) cat "$STATE" ;; esac\n'
    )
    script.chmod(0o755)
    state = tmp_path / "state"
    state.write_text("30\n")
    monkeypatch.setenv("STATE", str(state))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "platform", "darwin")
    return state


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="needs a shell")
def test_macos_is_asked_in_its_own_words(osascript):
    loudspeaker = system_volume()
    assert isinstance(loudspeaker, MacVolume)
    assert loudspeaker.level == 0.3
    loudspeaker.level = 0.456
    assert osascript.read_text() == "46\n"
    loudspeaker.close()


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="needs a shell")
def test_a_mac_without_a_volume_is_one_sentence(osascript):
    osascript.write_text("missing value\n")
    with pytest.raises(CompanionError, match="no volume of its own"):
        system_volume()


def test_windows_is_asked_through_pycaw(monkeypatch):
    """As pycaw's own source has the calls; on Windows nothing of this was tried."""
    given = []
    endpoint = types.SimpleNamespace(
        GetMasterVolumeLevelScalar=lambda: 0.25, SetMasterVolumeLevelScalar=lambda *told: given.append(told)
    )
    utilities = types.SimpleNamespace(GetSpeakers=lambda: types.SimpleNamespace(EndpointVolume=endpoint))
    monkeypatch.setitem(sys.modules, "pycaw", types.ModuleType("pycaw"))
    monkeypatch.setitem(sys.modules, "pycaw.pycaw", types.SimpleNamespace(AudioUtilities=utilities))
    monkeypatch.setattr(sys, "platform", "win32")
    loudspeaker = system_volume()
    assert isinstance(loudspeaker, WindowsVolume)
    assert loudspeaker.level == 0.25
    loudspeaker.level = 0.5
    assert given == [(0.5, None)]

    def unplugged(*_: object) -> float:
        raise OSError("the device was removed")

    endpoint.GetMasterVolumeLevelScalar = endpoint.SetMasterVolumeLevelScalar = unplugged
    with pytest.raises(CompanionError, match="The output is gone"):
        loudspeaker.level  # noqa: B018
    with pytest.raises(CompanionError, match="The output is gone"):
        loudspeaker.level = 0.2
    monkeypatch.setitem(sys.modules, "pycaw.pycaw", None)
    with pytest.raises(CompanionError, match="needs pycaw"):
        system_volume()


def test_the_way_from_a_frame_to_the_volume_is_timed(pinching):
    if not (shutil.which("pulseaudio") and shutil.which("pactl")):
        pytest.skip("pulseaudio and pactl are not installed")
    shown, tracker = pinching
    few = replace(shown, frames=shown.frames[:4])
    took, curves = measured.timed(few, tracker), measured.followed(few, tracker)
    hand, volume = took.values()
    assert len(hand) == len(volume) == len(curves["measured"]) == 4
    assert all(0 < first < last for first, last in zip(hand, volume, strict=True))
    assert curves["measured"][0] == curves["one euro"][0] == curves["constant cutoff"][0]


def test_jitter_and_lag_of_known_curves():
    """A value hops by ±0.02, then falls by 0.5 a second; smoothing halves the hops and comes 0.1 s late."""
    times = np.arange(0, 4.5, 0.04)
    fall = np.clip(2.6 - times, None, 0) * 0.5
    late = np.clip(2.7 - times, None, 0) * 0.5
    hops = 0.02 * (-1.0) ** np.arange(len(times)) * (times < 2.6)
    curves = {"seconds": times, "measured": fall + hops, "one euro": late + hops / 2, "constant cutoff": fall}
    found = {metric.name: metric.value for metric in measured._steadiness(curves, "")}
    assert found["jitter, measured"] == pytest.approx(0.02, rel=1e-3)
    assert found["jitter, one euro"] == pytest.approx(0.01, rel=1e-3)
    assert found["jitter, constant cutoff"] == 0
    assert found["lag, one euro (ms)"] == pytest.approx(100, rel=1e-3)
    assert found["lag, constant cutoff (ms)"] == pytest.approx(0, abs=1e-6)
