"""Chapter 8: a pinch on film turns a loudspeaker that nobody hears; how long that takes, and how steady it is.

**The film is made from two real photographs**, since no real film of a pinch was at hand: an open hand, whose thumb and
index finger are drawn together by bending the picture, and a hand that makes a ring. Every frame gets noise of its own,
as a camera's would have, and the hand trembles by a fraction of a pixel. The loudspeaker is an output of a real
PulseAudio server that leads nowhere.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates, shift

from companion.data.assets import fetch
from companion.errors import CompanionError
from companion.metrics import Measurement
from companion.randomness import stream
from companion.reproduce.job import Job, Recipe, Result
from companion.vision import Frame, Hand, HandPoint, HandTracker, Picture, Seen
from companion.vision.gestures import pinch
from companion.vision.models import model_name
from companion.vision.smoothing import OneEuroFilter
from companion.vision.volume import Knob, PulseVolume, turn_volume

OPEN, RING = "mm_hand_front_back.jpg", "onehand10k_1402_ok_pinch.jpg"
SIZE = (360, 480)  # width and height of the film
BENT = {  # how far each joint goes along when the tips meet: all the way, or a part of it
    HandPoint.THUMB_TIP: 1.0,
    HandPoint.THUMB_IP: 0.55,
    HandPoint.THUMB_MCP: 0.15,
    HandPoint.INDEX_TIP: 1.0,
    HandPoint.INDEX_DIP: 0.75,
    HandPoint.INDEX_PIP: 0.4,
}
# Seconds, and how the tips are then, in parts of the way from where the photograph has them to their middle; the ring
# photograph is “closed”. Between two moments the fingers go evenly.
SCRIPT: list[tuple[float, float | None]] = [
    (0.0, 0.0), (2.5, 0.0), (4.0, 0.75), (4.1, None), (6.0, None), (6.1, 0.75), (7.5, 0.0), (9.0, 0.0),
]  # fmt: skip
STILL, MOVING = (0.5, 2.5), (2.8, 3.9)  # seconds in which the hand of the script is held open, and closes


@dataclass(frozen=True)
class Film:
    """The frames, and for each how the fingers are in the script."""

    frames: list[Frame]
    closed: list[float | None]


def pinch_to_volume(job: Job) -> Result:
    """Milliseconds from a frame to the volume read back; jitter at rest, lag in motion, smoothed and not."""
    folder = fetch("vision-photographs")
    with HandTracker(most=1) as tracker:
        shown = film(folder, tracker, rate=8 if job.debug else 25)
        took, curves = timed(shown, tracker), followed(shown, tracker)
        settings = {"device": "cpu", "model": tracker.model.name, "frames": len(shown.frames)}
    frames = f"{len(shown.frames)} frames of {SIZE[0]}×{SIZE[1]}"
    made = (
        f"{frames}, a film made of two real photographs with noise added; model {model_name(tracker.model)}"
    )
    return Result(settings, [1], [*_times(took, made), *_steadiness(curves, made)], {**took, **curves})


def timed(shown: Film, tracker: HandTracker) -> dict[str, list[float]]:
    """Milliseconds from each frame in memory until its hand is found, and until the server tells the new volume."""
    given: list[float] = []
    found: list[float] = []
    heard: list[float] = []

    def frames() -> Iterator[Frame]:
        for frame in shown.frames:
            given.append(time.perf_counter())
            yield frame

    def seen() -> Iterator[Seen[Hand]]:
        for one in tracker.follow(frames()):
            found.append(1000 * (time.perf_counter() - given[-1]))
            yield one

    with sound_server(), closing(PulseVolume()) as loudspeaker:
        for _, turn in turn_volume(seen(), loudspeaker):
            if abs(loudspeaker.level - turn.level) > 1e-3:
                raise CompanionError("PulseAudio did not take the volume it was given; try again.")
            heard.append(1000 * (time.perf_counter() - given[-1]))
    return {"milliseconds to the hand": found, "milliseconds to the volume": heard}


def followed(shown: Film, tracker: HandTracker) -> dict[str, list[float]]:
    """The pinch in each frame with a hand, as measured and smoothed in two ways, and the level it sets."""
    knob = Knob(0.0)
    constant = OneEuroFilter(1.0, 0.0)  # the same filter, its cutoff not rising with the speed
    curves: dict[str, list[float]] = {
        name: [] for name in ("seconds", "measured", "one euro", "constant cutoff", "level")
    }
    for frame, hands in tracker.follow(shown.frames):
        if not hands:
            continue
        distance = pinch(hands[0])
        turn = knob.turn(distance, frame.seconds)
        assert turn.pinch is not None  # a hand was seen
        values = (frame.seconds, distance, turn.pinch, float(constant(distance, frame.seconds)), turn.level)
        for name, value in zip(curves, values, strict=True):
            curves[name].append(round(value, 4))
    return curves


def _times(took: dict[str, list[float]], made: str) -> list[Measurement]:
    way = f"{made}; the camera's own delay is not in it"
    hand, volume = took["milliseconds to the hand"], took["milliseconds to the volume"]
    return [
        Measurement("frame to volume, median (ms)", float(np.median(volume)), way),
        Measurement("frame to volume, 95 of 100 within (ms)", float(np.percentile(volume, 95)), way),
        Measurement("of which the hand tracker, median (ms)", float(np.median(hand)), way),
    ]


def _steadiness(curves: dict[str, list[float]], made: str) -> list[Measurement]:
    times = np.array(curves["seconds"])
    still, moving = ((times > first) & (times < last) for first, last in (STILL, MOVING))
    measured = np.array(curves["measured"])
    speed = np.polyfit(times[moving], measured[moving], 1)[0]  # hand-widths a second, below zero
    at_rest = f"standard deviation in hand-widths while the hand is held open for {STILL[1] - STILL[0]:.0f} s; {made}"
    closing_ = f"mean distance to the measured pinch over its speed while it closes; {made}"
    jitter = [
        Measurement(f"jitter, {name}", float(np.std(np.array(curves[name])[still])), at_rest)
        for name in ("measured", "one euro", "constant cutoff")
    ]
    lag = [
        Measurement(
            f"lag, {name} (ms)",
            float(1000 * (np.array(curves[name]) - measured)[moving].mean() / -speed),
            closing_,
        )
        for name in ("one euro", "constant cutoff")
    ]
    return [*jitter, *lag]


def film(photographs: Path, tracker: HandTracker, *, rate: float = 25.0, noise: float = 4.0) -> Film:
    """Make the film.

    Args:
        photographs: The folder with both pictures.
        tracker: Finds the joints to bend.
        rate: Frames a second.
        noise: Standard deviation of each frame's own noise, in steps of 255.
    """
    palm = _photo(photographs / OPEN, box=(0, 0, 480, 640))
    ring = _photo(photographs / RING, box=(0, 20, 226, 321))
    joints = tracker.find(palm)[0].pixels.astype(np.float64)
    rng = np.random.default_rng(stream(1, "grain of a film"))
    frames, states = [], []
    bent: dict[float | None, Picture] = {None: ring}
    for index in range(round(SCRIPT[-1][0] * rate) + 1):
        state = _state(index / rate)
        if state not in bent:
            bent[state] = _bend(palm, joints, state or 0.0)
        frames.append(Frame(_grain(bent[state], rng, noise), index / rate, str(index)))
        states.append(state)
    return Film(frames, states)


def _photo(path: Path, box: tuple[int, int, int, int]) -> Picture:
    with Image.open(path) as opened:
        image = opened.convert("RGB").crop(box)
    return np.asarray(image.resize(SIZE, Image.Resampling.BICUBIC))


def _state(seconds: float) -> float | None:
    for (start, first), (end, last) in pairwise(SCRIPT):
        if start <= seconds < end:
            if first is None or last is None:
                return first
            return round(first + (last - first) * (seconds - start) / (end - start), 4)
    return SCRIPT[-1][1]


def _bend(picture: Picture, joints: NDArray[np.float64], closed: float) -> Picture:
    """The picture with thumb and index finger drawn together, by a thin-plate spline that leaves the border alone."""
    height, width, _ = picture.shape
    middle = (joints[HandPoint.THUMB_TIP] + joints[HandPoint.INDEX_TIP]) / 2
    moved = joints.copy()
    for joint, share in BENT.items():
        tip = HandPoint.THUMB_TIP if joint <= HandPoint.THUMB_TIP else HandPoint.INDEX_TIP
        moved[joint] += share * closed * (middle - joints[tip])
    edge = [(x, y) for x in np.linspace(0, width - 1, 6) for y in np.linspace(0, height - 1, 6)]
    border = np.array([point for point in edge if point[0] in (0, width - 1) or point[1] in (0, height - 1)])
    targets, sources = np.concatenate([moved, border]), np.concatenate([joints, border])
    coarse = np.stack(np.meshgrid(np.arange(0, width, 8), np.arange(0, height, 8)), -1)
    offsets = RBFInterpolator(targets, sources - targets)(coarse.reshape(-1, 2)).reshape(coarse.shape)
    x, y = (
        np.asarray(Image.fromarray(offsets[..., axis].astype(np.float32)).resize((width, height)))
        for axis in (0, 1)
    )
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [
        map_coordinates(picture[..., c], [rows + y, columns + x], order=1, mode="nearest") for c in range(3)
    ]
    return np.stack(channels, -1)


def _grain(picture: Picture, rng: np.random.Generator, noise: float) -> Picture:
    trembling = shift(picture.astype(np.float32), (*rng.normal(0, 0.3, 2), 0), order=1, mode="nearest")
    return np.asarray(np.clip(trembling + rng.normal(0, noise, picture.shape), 0, 255), np.uint8)


@contextmanager
def sound_server() -> Iterator[str]:
    """A PulseAudio of our own, with one output that goes nowhere; `PULSE_SERVER` leads to it inside the block.

    Yields:
        Its address.
    """
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        address = f"unix:{folder}/socket"
        own = {**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder}
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        modules = [
            "module-null-sink sink_name=nowhere",
            f"module-native-protocol-unix socket={folder}/socket auth-anonymous=1",
        ]
        if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
            raise CompanionError(
                "PulseAudio is not installed; on Debian: apt-get install pulseaudio pulseaudio-utils."
            )
        server = subprocess.Popen(
            [*command, *(f"--load={module}" for module in modules)],
            env={name: value for name, value in own.items() if name != "PULSE_SERVER"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before = os.environ.get("PULSE_SERVER")
        os.environ["PULSE_SERVER"] = address
        try:
            _wait_for(Path(folder) / "socket", server)
            yield address
        finally:
            if before is None:
                del os.environ["PULSE_SERVER"]
            else:
                os.environ["PULSE_SERVER"] = before
            server.terminate()
            server.wait(10)


def _wait_for(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise RuntimeError(f"PulseAudio ended with code {server.returncode}.")
        if socket.exists() and subprocess.run(["pactl", "info"], capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError("PulseAudio does not answer.")


RECIPES: dict[str, Recipe] = {"pinch-to-volume": Recipe("From a pinch to the volume", 8, pinch_to_volume)}
