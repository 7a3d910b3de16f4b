"""`python -m benchmarks.gestures`: from a frame to the volume, how long it takes and how steady it is.

A film of a pinch (see `benchmarks.pinch`: made from two real photographs) is shown frame by frame to the hand tracker,
the knob and a real PulseAudio server with an output that goes nowhere. Timed is the way from a frame in memory to the
moment the server reports the new volume. Jitter is the standard deviation of the pinch while the hand holds still.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.pinch import Film, film, sound_server
from companion.data.assets import cache_folder
from companion.environment import environment
from companion.vision import Frame, HandTracker
from companion.vision.gestures import pinch
from companion.vision.smoothing import OneEuroFilter
from companion.vision.volume import Knob, KnobSettings, PulseVolume, turn_volume


def timed(shown: Film, tracker: HandTracker) -> list[float]:
    """Milliseconds from each frame to the volume read back."""
    given: list[float] = []

    def frames() -> Iterator[Frame]:
        for frame in shown.frames:
            given.append(time.perf_counter())
            yield frame

    took = []
    with sound_server():
        loudspeaker = PulseVolume()
        for _, turn in turn_volume(tracker.follow(frames()), loudspeaker):
            assert abs(loudspeaker.level - turn.level) < 1e-3
            took.append(1000 * (time.perf_counter() - given[-1]))
        loudspeaker.close()
    return took


def steadiness(shown: Film, tracker: HandTracker) -> dict[str, float]:
    """Jitter of the pinch in hand-widths while the hand is held open, and how far smoothing lags while it moves."""
    raw, smooth, seconds = [], [], []
    knob = Knob(0.0, KnobSettings())
    for frame, hands in tracker.follow(shown.frames):
        if not hands:
            continue
        raw.append(pinch(hands[0]))
        smooth.append(float(knob.turn(raw[-1], frame.seconds).pinch or 0))
        seconds.append(frame.seconds)
    times, measured, smoothed = np.array(seconds), np.array(raw), np.array(smooth)
    still = (times > 0.5) & (times < 2.5)
    moving = (times > 2.8) & (times < 3.9)
    constant = OneEuroFilter(1.0, 0.0)  # the same filter, its cutoff not rising with the speed
    plain = np.array([float(constant(value, now)) for value, now in zip(raw, seconds, strict=True)])
    speed = np.polyfit(times[moving], measured[moving], 1)[0]
    return {
        "jitter": float(measured[still].std()),
        "jitter smoothed": float(smoothed[still].std()),
        "jitter smoothed, constant cutoff": float(plain[still].std()),
        "lag in milliseconds": float(1000 * (smoothed - measured)[moving].mean() / -speed),
        "lag in milliseconds, constant cutoff": float(1000 * (plain - measured)[moving].mean() / -speed),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gestures", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few frames, to see that all works; not recorded"
    )
    parser.add_argument("--out", type=Path, help="folder of the record (default: benchmarks/results)")
    chosen = parser.parse_args(arguments)
    before = os.getloadavg()[0]
    with HandTracker(most=1) as tracker:
        shown = film(cache_folder() / "vision-photos", tracker, rate=8 if chosen.quick else 25)
        took = timed(shown, tracker)
        steady = steadiness(shown, tracker)
        model = tracker.model.name
    found: dict[str, Any] = {
        "title": "From a frame to the volume",
        "command": "python -m benchmarks.gestures",
        **environment(torch.device("cpu")),
        "load": [round(before, 2), round(os.getloadavg()[0], 2)],
        "model": model,
        "frames": len(shown.frames),
        "size": [shown.frames[0].picture.shape[1], shown.frames[0].picture.shape[0]],
        "film": "made from two real photographs, one bent; noise and trembling added",
        "milliseconds": {
            "median": round(float(np.median(took)), 1),
            "95 of 100": round(float(np.percentile(took, 95)), 1),
        },
        "steadiness": {name: round(value, 4) for name, value in steady.items()},
    }
    print(json.dumps({key: found[key] for key in ("milliseconds", "steadiness")}, indent=1))
    out = chosen.out or (None if chosen.quick else Path("benchmarks/results"))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "gestures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
