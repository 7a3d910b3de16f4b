"""Chapter 8's commands: find faces, meshes, hands and poses, turn the volume, and hide faces."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion.commands import Command, Group
from companion.errors import CompanionError
from companion.files import shown

if TYPE_CHECKING:
    from companion.vision.privacy import Hiding


def _add_source(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        default="0",
        metavar="0|FILE|FOLDER",
        help="a camera's number, a video, a picture, or a folder of pictures (default: camera 0)",
    )
    parser.add_argument("--confidence", type=float, default=0.5, metavar="C", help="0 to 1 (default: 0.5)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a model file of your own")


def _add_save(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--save", type=Path, metavar="OUT", help="a folder, or for videos and cameras a video file"
    )


def _track_options(parser: ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--most", type=int, metavar="N", help="how many to look for at most")
    _add_save(parser)


def _volume_options(parser: ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--restore", action="store_true", help="set the volume back at the end")
    parser.add_argument(
        "--loudest", type=float, default=1.0, metavar="L", help="never above this, 0 to 1 (default: 1)"
    )
    _add_save(parser)


def _blur_options(parser: ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--how", choices=list(_ways()), default="blur", help="default: blur")
    parser.add_argument(
        "--save", type=Path, required=True, metavar="OUT", help="a folder, or for videos a video file"
    )


def _outside(options: Namespace) -> None:
    """Refuse results among the pictures that they are made of."""
    from companion.data.reading import refuse_within

    if options.save and Path(options.source).is_dir():
        refuse_within(Path(options.source), options.save)


def _track(kind: str, options: Namespace) -> None:
    from companion import vision
    from companion.vision.outputs import as_line, line_output, picture_output
    from companion.vision.sources import open_source

    _outside(options)
    chosen = {"confidence": options.confidence, "model": options.model}
    if options.most is not None:
        chosen["most"] = options.most
    with (
        open_source(options.source) as source,
        getattr(vision, kind)(**chosen) as tracker,
        picture_output(options.save, source) if options.save else nullcontext() as pictures,
        line_output(options.save, source) as lines,
    ):

        def keep(seen: Any) -> None:
            if pictures is not None:
                pictures.write(seen.frame, tracker.draw(seen.frame.picture, seen.found))
            print(as_line(seen.frame, seen.found), file=lines, flush=True)  # whoever reads a pipe is waiting

        _through(source, tracker.watch(source), keep, options)


def _ways() -> "dict[str, Hiding]":
    from companion.vision import privacy

    return {
        "blur": privacy.blurred,
        "squares": privacy.pixelated,
        "cover": privacy.covered,
        "shake": privacy.shaken,
    }


def _blur(options: Namespace) -> None:
    from companion.vision import FaceDetector, privacy
    from companion.vision.outputs import picture_output
    from companion.vision.sources import open_source

    _outside(options)
    hiding = _ways()[options.how]
    with (
        open_source(options.source) as source,
        FaceDetector(confidence=options.confidence, model=options.model) as detector,
        picture_output(options.save, source) as pictures,
    ):
        hidden = privacy.hide_in_source(source, detector, hiding)
        _through(source, hidden, lambda result: pictures.write(*result), options)
    if options.how != "cover":
        print(
            "Blurs and squares leave enough to tell people by; --how cover leaves nothing of a face.",
            file=sys.stderr,
        )
    print("Look at every result: the detector overlooks faces, small and turned ones most.", file=sys.stderr)


def _volume(options: Namespace) -> None:
    from companion.vision import HandTracker
    from companion.vision.outputs import line_output, picture_output
    from companion.vision.sources import open_source
    from companion.vision.volume import KnobSettings, draw_level, system_volume, turn_volume

    if not 0 < options.loudest <= 1:
        raise CompanionError(
            f"A loudest level of {options.loudest:g} cannot be; choose one above 0, up to 1."
        )
    settings = KnobSettings(loudest=options.loudest)
    with (
        closing(system_volume()) as loudspeaker,
        open_source(options.source) as source,
        HandTracker(most=1, confidence=options.confidence, model=options.model) as tracker,
        picture_output(options.save, source) if options.save else nullcontext() as pictures,
        line_output(options.save, source) as lines,
        closing(turn_volume(tracker.watch(source), loudspeaker, settings, restore=options.restore)) as turns,
    ):
        print(
            f"Thumb and index finger turn the volume of {loudspeaker.name}; hold still to lock.",
            file=sys.stderr,
        )

        def keep(result: Any) -> None:
            seen, turn = result
            if pictures is not None:
                pictures.write(seen.frame, draw_level(tracker.draw(seen.frame.picture, seen.found), turn))
            print(turn.as_line(seen.frame.name), file=lines, flush=True)

        _through(source, turns, keep, options)


def _through(source: Any, results: Iterator[Any], keep: Callable[[Any], None], options: Namespace) -> None:
    """Keep every result of a source, with a progress bar, until it ends or somebody asks to stop."""
    from tqdm.auto import tqdm

    from companion.training.stopping import stop_requested

    done = 0
    with stop_requested("Stopping after this frame; Ctrl-C again stops at once.") as stop:
        for result in tqdm(
            results, total=source.count, desc=source.name, unit="frame", delay=1, dynamic_ncols=True
        ):
            keep(result)
            done += 1
            if stop.requested:
                break
    skipped = getattr(source, "skipped", [])
    if skipped:
        from companion.data.reading import named

        print(f"Left out, because they could not be read: {named(skipped)}", file=sys.stderr)
    for name in getattr(source, "first_only", []):
        print(f"Of {shown(name)}, which holds several pictures, only the first was taken.", file=sys.stderr)
    where = f"; look at {shown(options.save)}" if options.save else ""
    if stop.requested:
        print(f"Stopped after {done} frames{where}.", file=sys.stderr)
        raise KeyboardInterrupt
    print(f"{done} frame{'s' * (done != 1)} done{where}.", file=sys.stderr)


def _tracking(what: str, kind: str) -> Command:
    """The command that finds something with a tracker of `companion.vision`."""
    return Command(
        f"find {what}",
        partial(_track, kind),
        _track_options,
        f"Find {what}. Without --save, one line of JSON per frame is printed. With it, a folder gets one annotated "
        "picture per picture and found.jsonl; a video or camera becomes an annotated video with a .jsonl file beside "
        "it. Nothing is overwritten, and Ctrl-C keeps what is done.",
    )


COMMANDS = {
    "vision": Group(
        "chapter 8: find faces, meshes, hands and poses, or hide faces; nothing leaves this machine",
        "modes",
        "MODE",
    ),
    "vision face": _tracking("faces, as boxes", "FaceDetector"),
    "vision mesh": _tracking("faces, as meshes of 478 landmarks", "FaceMesh"),
    "vision hands": _tracking("hands, with their sides", "HandTracker"),
    "vision pose": _tracking("bodies", "PoseEstimator"),
    "vision volume": Command(
        "turn this machine's volume with thumb and index finger",
        _volume,
        _volume_options,
        "Thumb and index finger together: silence; apart: loud. The volume never jumps up. Hold still for a moment to "
        "lock it, then take the hand away. Ctrl-C ends it. Prints one line of JSON per frame, or with --save keeps "
        "them beside the annotated pictures or video.",
    ),
    "vision blur": Command(
        "hide every face found",
        _blur,
        _blur_options,
        "Hide every face that is found, in pictures or in a video. No such filter is a promise: look at the result, "
        "and where it matters choose --how cover, since blurs and squares leave enough to tell people apart. A film's "
        "sound is copied, and voices tell people apart, too. --how shake is chapter 2's blur, for undoing it: "
        "companion restore.",
    ),
}
