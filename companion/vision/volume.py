"""A volume knob in the air: thumb and index finger set how loud this machine is (chapter 8).

A **level** is what a volume slider shows, 0 to 1: equal steps of a slider are meant to sound equally large, and its
amplitude is about the cube of it. PulseAudio keeps such a scale itself (PipeWire speaks its protocol); `amplitude` is
for those that don't, such as a web page's player.
"""

import _ctypes
import json
import math
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from companion.errors import CompanionError
from companion.files import shown
from companion.vision.frames import Picture
from companion.vision.gestures import pinch
from companion.vision.landmarks import Hand
from companion.vision.smoothing import HoldToLock, OneEuroFilter
from companion.vision.trackers import Seen


class Loudspeaker(Protocol):
    """Whatever has a volume."""

    name: str

    @property
    def level(self) -> float:
        """The level it has now."""

    @level.setter
    def level(self, level: float) -> None:
        """Set it."""

    def close(self) -> None:
        """Let go of it; the volume stays."""


def amplitude(level: float) -> float:
    """The factor on a sound's samples for a level, its cube, as PulseAudio has it: half way is −18 dB."""
    return level**3


# ---- from a pinch to a level ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KnobSettings:
    """How the knob turns."""

    closed: float = 0.55  # hand-widths between thumb and index finger: silence
    opened: float = 1.5  # hand-widths: as loud as it gets
    loudest: float = 1.0  # level that is never passed
    rise: float = 0.4  # levels a second upwards, at most: nobody is startled
    fall: float = 2.0  # levels a second downwards, at most
    play: float = 0.03  # levels: a smaller change of the hand is trembling
    hold: float = 1.5  # seconds of holding still that lock the knob
    still: float = 0.06  # hand-widths: what counts as holding still
    gone: float = 0.5  # seconds without a hand that free it again


@dataclass(frozen=True)
class Turn:
    """The knob at one moment."""

    seconds: float
    level: float
    locked: bool
    pinch: float | None  # hand-widths, smoothed; None where no hand is seen

    def as_line(self, source: str) -> str:
        """One line of JSON, with the name of the frame."""
        distance = None if self.pinch is None else round(self.pinch, 4)
        record = {"source": shown(source), "seconds": round(self.seconds, 3), "pinch": distance}
        return json.dumps(
            {**record, "level": round(self.level, 4), "locked": self.locked}, ensure_ascii=False
        )


@dataclass
class Knob:
    """From pinches to levels, without any loudspeaker.

    The level never jumps up: it climbs at `rise` at most, only while a hand is seen, and never above `loudest`. Who
    holds still locks it, and may then take the hand away; a hand that comes back turns it again. A pinch that is NaN or
    infinite is no hand; at a moment that is, nothing changes at all.
    """

    level: float  # to begin with
    settings: KnobSettings = KnobSettings()
    _smooth: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(1.0, 2.0), init=False, repr=False)
    _lock: HoldToLock = field(init=False, repr=False)
    _wanted: float = field(init=False, repr=False)
    _seen: float | None = field(default=None, init=False, repr=False)  # the last moment with a hand
    _last: float = field(default=0.0, init=False, repr=False)  # the last moment

    def __post_init__(self) -> None:
        self._lock = HoldToLock(self.settings.hold, self.settings.still)
        self._wanted = self.level

    def turn(self, distance: float | None, seconds: float) -> Turn:
        """The knob after a pinch of so many hand-widths, or None where no hand is seen; time never goes back."""
        if not math.isfinite(seconds):
            return Turn(self._last, self.level, self._lock.locked is not None, None)
        step, self._last = seconds - self._last, seconds
        if distance is None or not math.isfinite(distance):
            if self._seen is not None and seconds - self._seen > self.settings.gone:
                self._seen = None
            return Turn(seconds, self.level, self._lock.locked is not None, None)
        if self._seen is None:  # a new hand: nothing moves before its second picture
            self._smooth.reset()
            self._lock.reset()
            step = 0.0
        distance = float(self._smooth(distance, seconds))
        if self._lock.locked is None:
            self._want(distance)
            self._move(step)
            if self.level == self._wanted:
                self._lock(distance, seconds)
        self._seen = seconds
        return Turn(seconds, self.level, self._lock.locked is not None, distance)

    def _want(self, distance: float) -> None:
        span = self.settings.opened - self.settings.closed
        share = min(1.0, max(0.0, (distance - self.settings.closed) / span))
        wanted = share * self.settings.loudest
        if abs(wanted - self._wanted) > self.settings.play or share in (0, 1):
            self._wanted = wanted

    def _move(self, step: float) -> None:
        step = min(step, 0.2)  # a camera that hung for a while is no leave to jump
        low, high = self.level - self.settings.fall * step, self.level + self.settings.rise * step
        self.level = min(max(self._wanted, low), high)


def turn_volume(
    seen: Iterable[Seen[Hand]],
    loudspeaker: Loudspeaker,
    settings: KnobSettings | None = None,
    *,
    restore: bool = False,
) -> Generator[tuple[Seen[Hand], Turn], None, None]:
    """Let the first hand of each frame turn a loudspeaker's volume.

    Args:
        seen: Frames with hands, as `HandTracker.watch` and `follow` give them.
        loudspeaker: What is turned.
        settings: How; the standard ones if not given.
        restore: Set the volume back at the end, however it comes: Ctrl-C and errors too.

    Yields:
        Each frame with its hands, and the knob, once the loudspeaker has followed.
    """
    before = loudspeaker.level
    knob = Knob(before, settings or KnobSettings())
    try:
        for one in seen:
            level = knob.level
            turn = knob.turn(_pinch(one.found), one.frame.seconds)
            if turn.level != level:
                loudspeaker.level = turn.level
            yield one, turn
    finally:
        if restore:
            loudspeaker.level = before


def _pinch(found: Sequence[Hand]) -> float | None:
    """The first hand's; None without one, or where its landmarks make no hand."""
    try:
        return pinch(found[0]) if found else None
    except ValueError:
        return None


def draw_level(picture: Picture, turn: Turn) -> Picture:
    """A copy of the picture with the level as a bar along its right edge, in another colour once it is locked."""
    height, width, _ = picture.shape
    drawn = picture.copy()
    left, top = width - max(4, width // 24), round(height * (1 - turn.level))
    drawn[:, left:] //= 3
    drawn[top:, left:] = LOCKED if turn.locked else FREE
    return drawn


FREE, LOCKED = (0, 158, 115), (230, 159, 0)


# ---- what can be turned ---------------------------------------------------------------------------------------------


def system_volume() -> Loudspeaker:
    """The volume of the machine Python runs on.

    Raises:
        CompanionError: It has none that can be set, in one sentence that says what to do.
    """
    if sys.platform == "darwin":
        return MacVolume()
    if sys.platform == "win32":
        return WindowsVolume()
    return PulseVolume()


class PulseVolume:
    """The default output of PulseAudio, or of PipeWire, which speaks its protocol.

    The balance between left and right stays as it was found at the start.

    Raises:
        CompanionError: No sound server answers, it has no output, or pulsectl is not installed.
    """

    _gone = False  # asked once more after that, PulseAudio's library would end the process

    def __init__(self) -> None:
        try:
            import pulsectl
        except ModuleNotFoundError:
            raise CompanionError(
                "The system's volume needs pulsectl; install it with: pip install pulsectl."
            ) from None
        except (ImportError, OSError):
            raise CompanionError(NO_SOUND.format("PulseAudio's library is missing")) from None
        self._trouble = (pulsectl.PulseError, pulsectl.PulseDisconnected)
        try:
            self._pulse: Any = pulsectl.Pulse("companion")
        except self._trouble:
            raise CompanionError(NO_SOUND.format("nothing answers in PulseAudio's protocol")) from None
        try:
            sink = self._pulse.get_sink_by_name("@DEFAULT_SINK@")
        except self._trouble:
            self.close()
            raise CompanionError(NO_SOUND.format("the sound server has no output")) from None
        self.name: str = sink.description
        self._sink: str = sink.name  # a name, since numbers are given anew
        loudest = max(sink.volume.values)
        self._balance = [value / loudest if loudest else 1.0 for value in sink.volume.values]

    @property
    def level(self) -> float:
        """The loudest channel's."""
        return float(max(self._found().volume.values))

    @level.setter
    def level(self, level: float) -> None:
        """Set it."""
        sink = self._found()
        volume = sink.volume
        volume.values = [level * share for share in self._balance]
        try:
            self._pulse.volume_set(sink, volume)
        except self._trouble:
            raise self._lost() from None

    def _found(self) -> Any:
        if self._gone:
            raise self._lost()
        try:
            return self._pulse.get_sink_by_name(self._sink)
        except self._trouble:
            raise self._lost() from None

    def _lost(self) -> CompanionError:
        self._gone = True
        return CompanionError(
            f"The output “{self.name}” is gone, or its sound server is; plug it in again, or start anew with another."
        )

    def close(self) -> None:
        """Let go of the sound server, if it is still there; the volume stays."""
        self._gone = True
        with suppress(*self._trouble):
            self._pulse.close()


TROUBLE_ON_WINDOWS = (OSError, getattr(_ctypes, "COMError", OSError))  # the latter is there on Windows alone
NO_SOUND = (
    "This machine has no volume to turn ({}); on a remote machine, in a container or on Colab, turn the notebook's "
    "own player instead (companion.vision.browser.Player)."
)


class MacVolume:
    """The volume of macOS, through its own scripting command.

    Raises:
        CompanionError: The output has no volume of its own, as many screens have not.
    """

    name = "this Mac"

    def __init__(self) -> None:
        self.level  # noqa: B018 (asking shows whether there is one)

    @property
    def level(self) -> float:
        """What the menu bar's slider shows."""
        answer = self._run("output volume of (get volume settings)")
        if not (answer or "").isdigit():
            raise CompanionError(
                "This Mac's output has no volume of its own; choose its loudspeakers or headphones under Sound."
            )
        return int(answer or 0) / 100

    @level.setter
    def level(self, level: float) -> None:
        """Set it."""
        if self._run(f"set volume output volume {round(100 * level)}") is None:
            raise CompanionError("This Mac's volume can no longer be set; start anew.")

    @staticmethod
    def _run(script: str) -> str | None:
        """What the command answers; None if it fails."""
        try:
            done = subprocess.run(["osascript", "-e", script], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def close(self) -> None:
        """Nothing is held open."""


class WindowsVolume:
    """The volume of Windows' default output, through pycaw.

    Raises:
        CompanionError: There is no output, or pycaw is not installed.
    """

    name = "this computer"

    def __init__(self) -> None:
        try:
            from pycaw.pycaw import AudioUtilities
        except ImportError:
            raise CompanionError(
                "The system's volume needs pycaw; install it with: pip install pycaw."
            ) from None
        try:
            self._endpoint: Any = AudioUtilities.GetSpeakers().EndpointVolume
        except TROUBLE_ON_WINDOWS:
            raise CompanionError(NO_SOUND.format("Windows knows no output")) from None

    @property
    def level(self) -> float:
        """What the taskbar's slider shows."""
        with self._lost():
            return float(self._endpoint.GetMasterVolumeLevelScalar())

    @level.setter
    def level(self, level: float) -> None:
        """Set it."""
        with self._lost():
            self._endpoint.SetMasterVolumeLevelScalar(min(1.0, level), None)

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except TROUBLE_ON_WINDOWS:
            raise CompanionError(
                "The output is gone; plug it in again, or start anew with another."
            ) from None

    def close(self) -> None:
        """Nothing is held open."""
