"""`python -m benchmarks.vision`: the trackers of chapter 8 beside bare MediaPipe, frame by frame in one run.

What does the wrapper cost? Each frame goes through both, in turns as to which is first, so that a busy machine is
unfair to neither; both get the same contiguous RGB picture in memory. Bare MediaPipe ends with its own result, ours
with arrays in pixels and fractions. The frames are a pan over one real photograph: a real picture, not a real movement.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.data import astronaut
from tqdm import tqdm

from benchmarks import report
from companion.data.assets import cache_folder
from companion.environment import environment
from companion.files import write_json
from companion.vision import FaceDetector, FaceMesh, Frame, HandTracker, Picture, PoseEstimator, Tracker

KINDS: dict[str, type[Tracker[Any]]] = {
    "face": FaceDetector,
    "mesh": FaceMesh,
    "hands": HandTracker,
    "pose": PoseEstimator,
}
PHOTOGRAPH = "mm_pointing_up.jpg"  # a face, a raised hand, half a body; in `vision-photos` in the cache
SIZE = (640, 480)  # a webcam's
RATE = 30.0
LIMIT = 0.10  # the most that the wrapper may add

Pass = Callable[[Frame], int]  # takes a frame, gives how many were found


def pan(frames: int) -> tuple[str, list[Frame]]:
    """A slow pan over a photograph, and the photograph's name."""
    path = cache_folder() / "vision-photos" / PHOTOGRAPH
    photo = Image.open(path).convert("RGB") if path.is_file() else Image.fromarray(astronaut())
    name = PHOTOGRAPH if path.is_file() else "scikit-image's astronaut (no hand in it)"
    width, height = SIZE
    large = np.asarray(photo.resize((width, width)))  # square photographs both
    path_down = np.linspace(0, width - height, frames).astype(int)
    pictures = [np.ascontiguousarray(large[top : top + height]) for top in path_down]
    return name, [Frame(picture, index / RATE, str(index)) for index, picture in enumerate(pictures)]


def ours(tracker: Tracker[Any], *, video: bool) -> Pass:
    """Our wrapper: every picture on its own, or a video followed."""
    if not video:
        return lambda frame: len(tracker.find(frame.picture))
    waiting: list[Frame] = []

    def frames() -> Any:
        while True:
            yield waiting.pop()

    following = tracker.follow(frames())

    def follow(frame: Frame) -> int:
        waiting.append(frame)
        return len(next(following).found)

    return follow


def bare(tracker: Tracker[Any], *, video: bool) -> Pass:
    """MediaPipe alone, with the same options and model."""
    import mediapipe as mp

    task = tracker._new_task("VIDEO" if video else "IMAGE")

    def image(picture: Picture) -> Any:
        return mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)

    def count(result: Any) -> int:
        return len(next(value for value in vars(result).values()))

    if video:
        return lambda frame: count(task.detect_for_video(image(frame.picture), round(frame.seconds * 1000)))
    return lambda frame: count(task.detect(image(frame.picture)))


def compare(
    kind: type[Tracker[Any]], frames: Sequence[Frame], *, video: bool, warm_up: int
) -> dict[str, Any]:
    """Milliseconds a frame of both, every one of them, and what follows from them."""
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    found: dict[str, int] = {"bare": 0, "ours": 0}
    with ExitStack() as stack:
        tracker = stack.enter_context(kind(most=1))
        passes = {"bare": bare(tracker, video=video), "ours": ours(tracker, video=video)}
        for index, frame in enumerate(frames):
            order = ("bare", "ours") if index % 2 else ("ours", "bare")
            for name in order:
                start = time.perf_counter()
                count = passes[name](frame)
                if index >= warm_up:
                    times[name].append(1000 * (time.perf_counter() - start))
                    found[name] += count
        model = tracker.model.name
    medians = {name: statistics.median(values) for name, values in times.items()}
    added = statistics.median(b - a for a, b in zip(times["bare"], times["ours"], strict=True))
    return {
        "tracker": kind.__name__,
        "model": model,
        "mode": "video" if video else "picture",
        "found": found,
        "milliseconds": {name: round(value, 3) for name, value in medians.items()},
        "frames_per_second": {name: round(1000 / value, 1) for name, value in medians.items()},
        "added_milliseconds": round(added, 3),
        "overhead": round(added / medians["bare"], 4),
        "all_milliseconds": {name: [round(value, 3) for value in values] for name, values in times.items()},
    }


def run(*, quick: bool = False, frames: int = 300) -> dict[str, Any]:
    """Measure every tracker in both modes and give the record."""
    name, given = pan(4 if quick else frames)
    before = os.getloadavg()[0]
    cases = [
        compare(kind, given, video=video, warm_up=1 if quick else 10)
        for kind in tqdm(KINDS.values(), unit="tracker", disable=None)
        for video in (False, True)
    ]
    return {
        "title": "Trackers beside bare MediaPipe",
        "command": "python -m benchmarks.vision",
        **asdict(environment(torch.device("cpu"))),
        "mediapipe": version("mediapipe"),
        "protocol": {
            "photograph": name,
            "frames": len(given),
            "size": list(SIZE),
            "order": "each frame through both, in turns as to which is first; medians; the overhead is the median of "
            "the differences over bare MediaPipe's median",
        },
        "load_before_and_after": [round(before, 2), round(os.getloadavg()[0], 2)],
        "cases": cases,
    }


def write(found: dict[str, Any], folder: Path) -> None:
    """`vision.json`."""
    write_json(folder / "vision.json", found)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vision", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="four frames, to see that all works; not recorded"
    )
    parser.add_argument("--frames", type=int, default=300, help="frames (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the record (default: benchmarks/results)")
    chosen = parser.parse_args(arguments)
    found = run(quick=chosen.quick, frames=chosen.frames)
    print(report.plain(report.vision_table(found)))
    over = [f"{case['tracker']} ({case['mode']})" for case in found["cases"] if case["overhead"] > LIMIT]
    print(f"More than {LIMIT:.0%} over bare MediaPipe: {', '.join(over) or 'none'}.")
    out = chosen.out or (None if chosen.quick else report.RESULTS)
    if out:
        write(found, out)
        report.render(out)
        print(f"Recorded in {out}: vision.json and throughput.md")


if __name__ == "__main__":
    main()
