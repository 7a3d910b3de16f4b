"""The `companion` command. Every error a reader can mend is one sentence and exit code 2."""

import argparse
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from companion import __version__
from companion.errors import CompanionError

OUT_OF_MEMORY = re.compile(
    "out of memory|can't allocate memory|Storage size calculation overflowed|Overflow when unpacking"
)
OBJECTIVES = ("non-saturating", "minimax", "least-squares")
TRAIN_BUDGETS: dict[str, dict[str, Any]] = {
    "smoke": {"steps": 20, "batch": 16, "width": 8},
    "laptop": {"steps": 2000, "batch": 64, "width": 32},
    "gpu": {"steps": 20000, "batch": 128, "width": 64},
}
WGAN_BUDGETS: dict[str, dict[str, Any]] = {
    "smoke": {"steps": 20, "batch": 16, "width": 4},
    "laptop": {"steps": 3000, "batch": 32, "width": 16},
    "gpu": {"steps": 30000, "batch": 64, "width": 48},
}
DEBLUR_BUDGETS: dict[str, dict[str, Any]] = {
    "smoke": {"steps": 5, "batch": 2, "width": 4, "blocks": 2, "critic_width": 4, "size": 32},
    "laptop": {"steps": 4000},
    "gpu": {"steps": 30000, "width": 64, "critic_width": 64, "size": 256},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 something to mend, 130 stopped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or a pipe may not know “✓” or “×”
            stream.reconfigure(errors="replace")
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except CompanionError as error:
        print(f"companion: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ncompanion: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 1
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not OUT_OF_MEMORY.search(str(error)):
            raise
        print(
            "companion: The memory is too small for this; choose a smaller --batch, --width or --size.",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        print(f"companion: {_about(error)}", file=sys.stderr)
        return 2
    return 0


def _about(error: OSError) -> str:
    """One sentence for what the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and give the command again; a run continues with --resume."
    place = f" at {error.filename}" if error.filename else ""
    return (
        f"The system refused something{place}: {error.strerror or error}; check the path and its permissions."
    )


def _train(options: argparse.Namespace) -> None:
    from companion.data.catalogue import ImageSet, named
    from companion.training.gan import build, shuffled

    settings = _settings(options)
    if settings.data not in named(ImageSet):
        _refuse_own_samples(options.out, settings.data)
    trainer, images = build(settings)
    _say_skipped(len(images), images.skipped, "unreadable")
    _run(options, settings, trainer, shuffled(images, settings), images.fingerprint)


def _train_deblur(options: argparse.Namespace) -> None:
    from companion.data.catalogue import PhotoSet, named
    from companion.training.deblurring import build

    settings = _settings(options)
    if settings.data not in named(PhotoSet):
        _refuse_own_samples(options.out, settings.data)
    ready = build(settings)
    _say_skipped(len(ready.photos), ready.skipped, "unreadable, or smaller than a patch with its blur")
    _run(options, settings, ready.trainer, ready.batches, ready.photos.fingerprint)


def _settings(options: argparse.Namespace) -> Any:
    """The run's settings: the model's own, then the budget's, then what was given."""
    from companion.environment import pick_device

    settings = options.settings(options)
    names = {field.name for field in fields(settings)}
    given = {key: value for key, value in vars(options).items() if key in names and value is not None}
    settings = replace(settings, **{**options.budgets[options.budget], **given})
    return replace(settings, device=str(pick_device(settings.device)))


def _refuse_own_samples(out: Path, folder: str) -> None:
    if out.resolve().is_relative_to(Path(folder).resolve()):
        raise CompanionError(
            f"The run folder {out} lies within the pictures in {folder}, so the run would read its own "
            "samples; choose an --out elsewhere."
        )


def _say_skipped(count: int, skipped: tuple[str, ...], why: str) -> None:
    if skipped:
        named = ", ".join(skipped[:5]) + (", …" if len(skipped) > 5 else "")
        print(f"{count} pictures read; left out ({why}): {len(skipped)} ({named})")


def _run(options: argparse.Namespace, settings: Any, trainer: Any, batches: Any, fingerprint: str) -> None:
    """Train in the run folder with a progress bar, until done or stopped."""
    from companion.training.progress import progress
    from companion.training.runs import Run
    from companion.training.stopping import stop_requested

    run = Run.start(
        options.out, settings.as_json(), fingerprint, resume=options.resume, overwrite=options.overwrite
    )
    if options.resume and run.first_step == 0:
        print(f"There is no checkpoint in {options.out} to continue from: the run begins at step 1.")
    reports = run.train(trainer, batches, steps=settings.steps)
    with stop_requested() as stop:
        for _ in progress(
            reports, total=settings.steps, start=run.first_step, label=options.model, leave=True
        ):
            if stop.requested and trainer.step < settings.steps:  # else it ends by itself, with all its files
                reports.close()
                break
    if trainer.step < settings.steps:
        print(
            f"Stopped after step {trainer.step} of {settings.steps}; the same command with --resume continues."
        )
        raise KeyboardInterrupt
    print(
        f"{settings.steps} steps are done: look at {options.out / 'samples'} and {options.out / 'losses.png'}."
    )


def _dcgan(options: argparse.Namespace) -> Any:
    from companion.objectives import LeastSquares, Minimax, NonSaturating
    from companion.training.gan import GANSettings

    kinds = {"non-saturating": NonSaturating, "minimax": Minimax, "least-squares": LeastSquares}
    return GANSettings(objective=kinds[options.loss]())


def _wgan(options: argparse.Namespace) -> Any:
    from companion.objectives import Wasserstein
    from companion.training.gan import ColourSettings

    return ColourSettings(objective=Wasserstein(critic_steps=options.critic_steps, clip=options.clip))


def _wgan_gp(options: argparse.Namespace) -> Any:
    from companion.objectives import OneSidedWassersteinGP, WassersteinGP
    from companion.training.gan import ColourSettings

    kind = OneSidedWassersteinGP if options.one_sided else WassersteinGP
    return ColourSettings(objective=kind(critic_steps=options.critic_steps, weight=options.penalty))


def _deblur(options: argparse.Namespace) -> Any:
    from companion.data.degrade import Camera
    from companion.losses import Perceptual, PixelL1
    from companion.objectives import LeastSquares, NonSaturating, Wasserstein, WassersteinGP
    from companion.training.deblurring import DeblurSettings

    kinds = {
        "non-saturating": NonSaturating,
        "least-squares": LeastSquares,
        "wasserstein": Wasserstein,
        "wasserstein-gp": WassersteinGP,
    }
    backbone = (
        "untrained" if options.budget == "smoke" and not options.backbone else options.backbone or "vgg16"
    )
    content = (Perceptual(50.0, backbone), PixelL1(2000.0))  # as the chapter's recipes have them
    camera = Camera() if options.blur == "shake" else Camera(kind=options.blur, length=12.0)
    return DeblurSettings(objective=kinds[options.loss](), content=content, camera=camera)


def _restore(options: argparse.Namespace) -> None:
    from companion.environment import pick_device
    from companion.restoration import restore_files, restorer

    model = restorer(options.model).to(pick_device(options.device))
    failures = []
    for file, result in restore_files(model, options.photos, options.out):
        if isinstance(result, CompanionError):
            failures.append(f"  {result}")
        else:
            print(f"{file} → {result}", flush=True)
    if failures:
        listed = "\n".join(failures)
        raise CompanionError(f"{len(failures)} of {len(options.photos)} files were not restored:\n{listed}")


def _sonify(options: argparse.Namespace) -> None:
    from companion.sonify import RATE, image_from, images_of_run, save_wav, sound

    images = images_of_run(options.source) if options.source.is_dir() else image_from(options.source)
    waves = sound(images, seconds=options.seconds)
    save_wav(options.out, waves)
    print(f"{options.out}: {len(images)} image{'s' * (len(images) > 1)}, {waves.shape[1] / RATE:.1f} seconds")


def _reproduce(options: argparse.Namespace) -> None:
    from companion.reproduce import RECIPES, reproduce

    if options.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:18} chapter {recipe.chapter}  {recipe.title}")
        return
    budget = "debug" if options.debug else options.budget
    try:
        record = reproduce(
            options.name, options.out, options.work, budget=budget, overwrite=options.overwrite
        )
    except KeyboardInterrupt:
        print("Stopped; the same command continues where it was.")
        raise
    print(f"The record is {record}.")


def _export_faces(options: argparse.Namespace) -> None:
    from companion.data.faces.export import export_faces

    try:
        export_faces(
            options.out, count=options.count, size=options.size, style=options.style, seed=options.seed
        )
    except KeyboardInterrupt:
        print(f"Stopped; {options.out} is as it was before.")
        raise
    print(
        f"{options.count} {options.style}s are in {options.out / 'images'}, their labels in labels.csv beside it."
    )


def _track(options: argparse.Namespace) -> None:
    from companion import vision
    from companion.vision.outputs import as_line, line_output, picture_output
    from companion.vision.sources import open_source

    kinds: dict[str, Any] = {
        "face": vision.FaceDetector,
        "mesh": vision.FaceMesh,
        "hands": vision.HandTracker,
        "pose": vision.PoseEstimator,
    }
    chosen = {"confidence": options.confidence, "model": options.model}
    if options.most is not None:
        chosen["most"] = options.most
    with (
        open_source(options.source) as source,
        kinds[options.mode](**chosen) as tracker,
        picture_output(options.save, source) if options.save else nullcontext() as pictures,
        line_output(options.save, source) as lines,
    ):

        def keep(seen: Any) -> None:
            if pictures is not None:
                pictures.write(seen.frame, tracker.draw(seen.frame.picture, seen.found))
            print(as_line(seen.frame, seen.found), file=lines, flush=True)  # whoever reads a pipe is waiting

        _through(source, tracker.watch(source), keep, options)


def _blur(options: argparse.Namespace) -> None:
    from companion.vision import FaceDetector, privacy
    from companion.vision.outputs import picture_output
    from companion.vision.sources import open_source

    ways = {
        "blur": privacy.blurred,
        "squares": privacy.pixelated,
        "cover": privacy.covered,
        "shake": privacy.shaken,
    }
    hiding = ways[options.how]
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


def _volume(options: argparse.Namespace) -> None:
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


def _through(
    source: Any, results: Iterator[Any], keep: Callable[[Any], None], options: argparse.Namespace
) -> None:
    """Keep every result of a source, with a progress bar, until it ends or somebody asks to stop."""
    from tqdm.auto import tqdm

    from companion.training.stopping import stop_requested

    done = 0
    with stop_requested() as stop:
        for result in tqdm(
            results, total=source.count, desc=source.name, unit="frame", delay=1, dynamic_ncols=True
        ):
            keep(result)
            done += 1
            if stop.requested:
                break
    skipped = getattr(source, "skipped", [])
    if skipped:
        named = ", ".join(skipped[:5]) + (", …" if len(skipped) > 5 else "")
        print(f"Left out, because they could not be read: {len(skipped)} ({named})", file=sys.stderr)
    for name in getattr(source, "first_only", []):
        print(f"Of {name}, which holds several pictures, only the first was taken.", file=sys.stderr)
    where = f"; look at {options.save}" if options.save else ""
    if stop.requested:
        print(f"Stopped after {done} frames{where}.", file=sys.stderr)
        raise KeyboardInterrupt
    print(f"{done} frame{'s' * (done != 1)} done{where}.", file=sys.stderr)


def _assets(options: argparse.Namespace) -> None:
    from companion.data.assets import manifest
    from companion.data.catalogue import entries, fetch

    if options.action == "list":
        for entry in entries():
            print(f"{entry.name:28} {entry.state:18} {entry.licence:14} {entry.description}")
        return
    if not options.names:
        raise CompanionError("Name at least one asset to fetch, or “all”; companion assets list shows them.")
    published = [name for name, asset in manifest().items() if asset.urls]
    for name in published if options.names == ["all"] else options.names:
        print(f"{name}: {', '.join(map(str, fetch(name))) or 'needs no download'}")


def _doctor(options: argparse.Namespace) -> None:
    from companion.doctor import examine

    findings = examine()
    print("\n".join(map(str, findings)))
    troubles = sum(not finding.good for finding in findings)
    if troubles:
        raise CompanionError(f"{troubles} thing{'s' * (troubles > 1)} to mend, named above.")
    print("Everything is ready.")


class _Parser(argparse.ArgumentParser):
    """Errors in our own form: one sentence, what to do, exit code 2."""

    def error(self, message: str) -> Any:
        sentence = message[:1].upper() + message[1:]
        print(f"companion: {sentence}; see {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="companion",
        description="The code behind the course “Generative Vision, Hands On”.",
        epilog="Begin with: companion doctor",
    )
    parser.add_argument("--version", action="version", version=f"companion {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_restore(commands)
    _add_sonify(commands)
    _add_reproduce(commands)
    _add_faces(commands)
    _add_vision(commands)
    assets = commands.add_parser("assets", help="list or fetch data and weights")
    assets.add_argument("action", choices=["list", "fetch"])
    assets.add_argument("names", nargs="*", metavar="NAME", help="what to fetch, or “all”")
    assets.set_defaults(run=_assets)
    doctor = commands.add_parser("doctor", help="check this machine, and say in one line each what to do")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="train a model, in a run folder that can be continued")
    models = train.add_subparsers(title="models", required=True, metavar="MODEL", dest="model")
    dcgan = models.add_parser("dcgan", help="chapter 1: DCGAN", description="Train a DCGAN. " + RUN_FOLDER)
    dcgan.set_defaults(run=_train, settings=_dcgan, budgets=TRAIN_BUDGETS)
    _add_run_options(
        dcgan, data="digits (embedded, default)", steps=2000, size=32, batch=64, width=32, latents=64
    )
    dcgan.add_argument(
        "--objective",
        dest="loss",
        choices=OBJECTIVES,
        default="non-saturating",
        help="default: non-saturating",
    )
    for name, settings, what in (
        ("wgan", _wgan, "a colour WGAN with clipped weights"),
        ("wgan-gp", _wgan_gp, "a colour WGAN with a gradient penalty"),
    ):
        wgan = models.add_parser(
            name,
            help=f"chapter {3 if settings is _wgan else 4}: {what}",
            description=f"Train {what}: uniform latents, resize-convolutions, a critic without normalisation; grey, "
            "colour, or colour with an alpha channel, as the data has it. " + RUN_FOLDER,
        )
        wgan.set_defaults(run=_train, settings=settings, budgets=WGAN_BUDGETS)
        _add_run_options(
            wgan, data="portraits (drawn, default)", steps=3000, size=64, batch=32, width=16, latents=100
        )
        add = wgan.add_argument
        add(
            "--critic-steps",
            type=int,
            default=5,
            metavar="N",
            help="critic's steps for each of the generator's: 5",
        )
        add(
            "--critic-rate",
            type=float,
            metavar="RATE",
            help="the critic's learning rate (default: the paper's)",
        )
        add("--generator-rate", type=float, metavar="RATE", help="the generator's learning rate, likewise")
        if settings is _wgan:
            add("--clip", type=float, default=0.01, metavar="C", help="weights are held in [−C, C]: 0.01")
        else:
            add("--penalty", type=float, default=10.0, metavar="WEIGHT", help="the penalty's weight: 10")
            add("--one-sided", action="store_true", help="fine only slopes above 1")
    _add_deblur(models)


def _add_deblur(models: Any) -> None:
    from companion.data.catalogue import PhotoSet, choices

    deblur = models.add_parser(
        "deblur",
        help="chapter 2: a deblurring GAN",
        description="Train a generator that sharpens photographs shaken by one camera. samples/ shows held-out "
        "photographs: blurred, restored, sharp. " + RUN_FOLDER,
    )
    deblur.set_defaults(run=_train_deblur, settings=_deblur, budgets=DEBLUR_BUDGETS)
    add = deblur.add_argument
    add(
        "--data",
        metavar="NAME|FOLDER",
        help=f"photographs: {choices(PhotoSet)} (default: embedded), a folder, or GoPro's",
    )
    _add_place_and_budget(deblur)
    add("--steps", type=int, metavar="N", help="generator steps (laptop: 4000)")
    add("--size", type=int, metavar="PIXELS", help="side of the training patches (default: 64)")
    add("--batch", type=int, metavar="N", help="patches per step (laptop: 8)")
    add("--width", type=int, metavar="N", help="the generator's channels at full size (laptop: 16)")
    add(
        "--objective",
        dest="loss",
        choices=("non-saturating", "least-squares", "wasserstein", "wasserstein-gp"),
        default="wasserstein-gp",
        help="default: wasserstein-gp",
    )
    add(
        "--blur",
        choices=("shake", "line", "disc", "gaussian"),
        default="shake",
        help="four shakes of 20 pixels (default), or four of another kind, up to 12 pixels wide; GoPro's frames bring "
        "their own",
    )
    add(
        "--backbone",
        choices=("vgg16", "squeezenet-deep-compression", "untrained"),
        help="whose features the content loss compares (default: vgg16, 553 MB to fetch; smoke: untrained)",
    )
    _add_rest(deblur)


RUN_FOLDER = (
    "The run folder gets run.json, metrics.csv, samples/, losses.png, checkpoint/ and, at the end, "
    "generator.safetensors. Ctrl-C is safe: the same command with --resume continues, and the finished run is the "
    "same, bit for bit, as one that was never stopped."
)


def _add_run_options(
    parser: Any, *, data: str, steps: int, size: int, batch: int, width: int, latents: int
) -> None:
    """The options of every run; the numbers are what the help names as defaults."""
    from companion.data.catalogue import ImageSet, choices

    add = parser.add_argument
    add(
        "--data",
        metavar="NAME|FOLDER",
        help=f"{data}; {choices(ImageSet)}, or a folder",
    )
    _add_place_and_budget(parser)
    add("--steps", type=int, metavar="N", help=f"generator steps (laptop: {steps})")
    add("--size", type=int, metavar="PIXELS", help=f"side of the images: 16, 32, 64, 128 … (default: {size})")
    add("--batch", type=int, metavar="N", help=f"images per step (laptop: {batch})")
    add(
        "--width",
        type=int,
        metavar="N",
        help=f"channels at half the image size, doubled at each halving (laptop: {width})",
    )
    add("--latents", type=int, metavar="N", help=f"length of z (default: {latents})")
    _add_rest(parser)


def _add_place_and_budget(parser: Any) -> None:
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FOLDER", help="the run folder")
    add(
        "--budget",
        choices=TRAIN_BUDGETS,
        default="laptop",
        help="sets steps, batch and width (default: laptop)",
    )


def _add_rest(parser: Any) -> None:
    add = parser.add_argument
    add("--seed", type=int, metavar="N", help="default: 1")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda or mps")
    add("--bfloat16", action="store_true", help="faster where the processor has it; see companion doctor")
    add(
        "--compiled", action="store_true", help="compile the networks first: a minute of waiting, then faster"
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="continue the run in the folder")
    existing.add_argument("--overwrite", action="store_true", help="replace the run in the folder")


def _add_faces(commands: Any) -> None:
    faces = commands.add_parser("faces", help="the course's own faces: write them as a data set")
    actions = faces.add_subparsers(title="actions", required=True, metavar="ACTION")
    export = actions.add_parser(
        "export",
        help="a folder of pictures with tables",
        description="Write drawn faces as a published data set would look: images/ (PNG), labels.csv, "
        "landmarks.csv (68 points in pixels) and LICENCE.txt. The same options give the same files. Ctrl-C is safe: "
        "a broken-off export is removed again.",
    )
    add = export.add_argument
    add("out", type=Path, metavar="OUT", help="a new or empty folder")
    add(
        "--count",
        type=int,
        default=5000,
        metavar="N",
        help="how many people, one picture each (default: 5000)",
    )
    add("--size", type=int, default=128, metavar="PIXELS", help="side of the pictures (default: 128)")
    add("--style", choices=["portrait", "caricature"], default="portrait", help="default: portrait")
    add("--seed", type=int, default=0, metavar="N", help="default: 0")
    export.set_defaults(run=_export_faces)


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="sharpen blurred photographs of any size",
        description="Restore blurred photographs, tile by tile. A JPEG becomes a JPEG, everything else a PNG, of the "
        "same name in the folder; alpha, colour profile and EXIF stay, and no file is ever replaced. Sixteen bits "
        "stay in grey pictures; in colour they become eight. Restoring is not undoing: the model has learnt four "
        "simulated shakes, 20 pixels long; it invents detail that suits. On any other blur, real shakes among them, "
        "it helps little or harms: compare before you keep the result.",
    )
    add = restore.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO", help="any picture file with one frame")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the results go; made if missing")
    add(
        "--model",
        default="deblur-best",
        metavar="NAME|FILE",
        help="a pretrained run (default: deblur-best) or the generator.safetensors of a run of yours",
    )
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda or mps")
    restore.set_defaults(run=_restore)


def _add_sonify(commands: Any) -> None:
    sonify = commands.add_parser(
        "sonify",
        help="listen to a picture, or to a run's samples over training",
        description="Play a picture from left to right: rows become pitch (the top is the highest), brightness becomes "
        "loudness, red sounds on the left and blue on the right, and the more saturated a colour, the more of the "
        "octave above sounds along. Of a run, the first sample of each grid is played, one after another.",
    )
    add = sonify.add_argument
    add("source", type=Path, metavar="IMAGE|RUN", help="a picture file or a run folder")
    add("--out", type=Path, required=True, metavar="FILE.wav", help="the sound; no file is replaced")
    add("--seconds", type=float, default=2.0, metavar="S", help="of each picture (default: 2)")
    sonify.set_defaults(run=_sonify)


def _add_reproduce(commands: Any) -> None:
    reproduce = commands.add_parser(
        "reproduce",
        help="make one of the book's long runs again; without a name, list them",
        description="Make a pretrained file and its run record. Stop with Ctrl-C; the same command continues.",
    )
    add = reproduce.add_argument
    add("name", nargs="?", metavar="NAME", help="which run")
    add("--out", type=Path, default=Path("reproduced"), metavar="FOLDER", help="default: reproduced")
    add(
        "--work",
        type=Path,
        default=Path("runs/reproduce"),
        metavar="FOLDER",
        help="where unfinished work is kept",
    )
    add("--budget", choices=["laptop", "gpu"], default="laptop", help="default: laptop")
    add("--debug", action="store_true", help="run it tiny, to see that it runs")
    add("--overwrite", action="store_true", help="replace an older record")
    reproduce.set_defaults(run=_reproduce)


def _add_vision(commands: Any) -> None:
    vision = commands.add_parser(
        "vision",
        help="chapter 8: find faces, meshes, hands and poses, or hide faces; nothing leaves this machine",
    )
    modes = vision.add_subparsers(title="modes", required=True, metavar="MODE", dest="mode")
    for mode, what in (
        ("face", "faces, as boxes"),
        ("mesh", "faces, as meshes of 478 landmarks"),
        ("hands", "hands, with their sides"),
        ("pose", "bodies"),
    ):
        track = modes.add_parser(
            mode,
            help=f"find {what}",
            description=f"Find {what}. Without --save, one line of JSON per frame is printed. With it, a folder gets "
            "one annotated picture per picture and found.jsonl; a video or camera becomes an annotated video with a "
            ".jsonl file beside it. Nothing is overwritten, and Ctrl-C keeps what is done.",
        )
        _add_source(track)
        track.add_argument("--most", type=int, metavar="N", help="how many to look for at most")
        track.add_argument(
            "--save", type=Path, metavar="OUT", help="a folder, or for videos and cameras a video file"
        )
        track.set_defaults(run=_track)
    volume = modes.add_parser(
        "volume",
        help="turn this machine's volume with thumb and index finger",
        description="Thumb and index finger together: silence; apart: loud. The volume never jumps up. Hold still for "
        "a moment to lock it, then take the hand away. Ctrl-C ends it. Prints one line of JSON per frame, or with "
        "--save keeps them beside the annotated pictures or video.",
    )
    _add_source(volume)
    volume.add_argument("--restore", action="store_true", help="set the volume back at the end")
    volume.add_argument(
        "--loudest", type=float, default=1.0, metavar="L", help="never above this, 0 to 1 (default: 1)"
    )
    volume.add_argument(
        "--save", type=Path, metavar="OUT", help="a folder, or for videos and cameras a video file"
    )
    volume.set_defaults(run=_volume)
    blur = modes.add_parser(
        "blur",
        help="hide every face found",
        description="Hide every face that is found, in pictures or in a video. No such filter is a promise: look at "
        "the result, and where it matters choose --how cover, since blurs and squares leave enough to tell people "
        "apart. --how shake is chapter 2's blur, for undoing it: companion restore.",
    )
    _add_source(blur)
    blur.add_argument(
        "--how", choices=["blur", "squares", "cover", "shake"], default="blur", help="default: blur"
    )
    blur.add_argument(
        "--save", type=Path, required=True, metavar="OUT", help="a folder, or for videos a video file"
    )
    blur.set_defaults(run=_blur)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        default="0",
        metavar="0|FILE|FOLDER",
        help="a camera's number, a video, a picture, or a folder of pictures (default: camera 0)",
    )
    parser.add_argument("--confidence", type=float, default=0.5, metavar="C", help="0 to 1 (default: 0.5)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a model file of your own")
