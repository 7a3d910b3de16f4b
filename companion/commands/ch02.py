"""Chapter 2's commands: train a deblurring GAN, and restore photographs with what it learnt."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from companion.commands import Command, say_results
from companion.commands.training import (
    RUN_FOLDER,
    Budgets,
    add_settings,
    by_name,
    chosen,
    refuse_own_samples,
    say_skipped,
    train,
)
from companion.errors import CompanionError
from companion.files import shown

if TYPE_CHECKING:
    from companion.objectives import Objective

BUDGETS: Budgets = {
    "smoke": {"steps": 5, "batch": 2, "width": 4, "blocks": 2, "critic_width": 4, "size": 32},
    "laptop": {"steps": 4000},
    "gpu": {"steps": 30000, "width": 64, "critic_width": 64, "size": 256},
}


def _objectives() -> "dict[str, type[Objective]]":
    from companion.objectives import LeastSquares, NonSaturating, Wasserstein, WassersteinGP

    return by_name(NonSaturating, LeastSquares, Wasserstein, WassersteinGP)


def _train_options(parser: ArgumentParser) -> None:
    from companion.data.degrade import KINDS
    from companion.losses import BACKBONES
    from companion.training.deblurring import DeblurSettings

    add_settings(parser, DeblurSettings(), BUDGETS)
    add = parser.add_argument
    add(
        "--objective",
        dest="loss",
        choices=list(_objectives()),
        default="wasserstein-gp",
        help="default: wasserstein-gp",
    )
    add(
        "--blur",
        choices=KINDS,
        default="shake",
        help="four shakes of 20 pixels (default), or four of another kind, up to 12 pixels wide; GoPro's frames bring "
        "their own",
    )
    add(
        "--backbone",
        choices=list(BACKBONES),
        help="whose features the content loss compares (default: vgg16, 553 MB to fetch; smoke: untrained)",
    )


def _train(options: Namespace) -> None:
    from companion.data.catalogue import PhotoSet, named
    from companion.data.degrade import Camera
    from companion.losses import Perceptual, PixelL1
    from companion.training.deblurring import DeblurSettings, build

    backbone = options.backbone or ("untrained" if options.budget == "smoke" else "vgg16")
    settings = chosen(
        options,
        DeblurSettings(
            objective=_objectives()[options.loss](),
            content=(Perceptual(50.0, backbone), PixelL1(2000.0)),  # as the chapter's recipes have them
            camera=Camera() if options.blur == "shake" else Camera(kind=options.blur, length=12.0),
        ),
        BUDGETS,
    )
    if settings.data not in named(PhotoSet):
        refuse_own_samples(options.out, settings.data)
    ready = build(settings)
    say_skipped(len(ready.photos), ready.skipped, "unreadable, or smaller than a patch with its blur")
    train(options, settings, ready.trainer, ready.batches, ready.photos.fingerprint)


def _restore_options(parser: ArgumentParser) -> None:
    from companion.tiling import DEFAULT

    add = parser.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO", help="any picture file with one frame")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the results go; made if missing")
    add(
        "--model",
        default=DEFAULT,
        metavar="NAME|FILE",
        help=f"a pretrained run (default: {DEFAULT}) or the generator.safetensors of a run of yours",
    )
    add(
        "--strength",
        type=float,
        default=1.0,
        metavar="PART",
        help="how much of the change is made, from 0 to 1 (default: 1)",
    )
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda or mps")


def _restore(options: Namespace) -> None:
    from companion.environment import pick_device
    from companion.listening import Listening
    from companion.restoration.colour import paints
    from companion.tiling import restore_files, restorer

    if not 0 <= options.strength <= 1:
        raise CompanionError(f"--strength cannot be {options.strength:g}; choose a part from 0 to 1.")
    model = Listening(restorer(options.model).to(pick_device(options.device)), options.strength)

    def heard() -> Iterator[tuple[Path, str | CompanionError]]:
        for file, result in restore_files(model, options.photos, options.out, paints=paints(options.model)):
            found = model.finding()  # in this file alone, whatever became of it
            if isinstance(result, CompanionError):
                yield file, result
            else:
                yield file, f"{shown(result)}{f': {found}' if found else ''}"

    say_results(heard(), len(options.photos), "restored", str)


COMMANDS = {
    "train deblur": Command(
        "chapter 2: a deblurring GAN",
        _train,
        _train_options,
        "Train a generator that sharpens photographs shaken by one camera. samples/ shows held-out photographs: "
        f"blurred, restored, sharp. {RUN_FOLDER}",
    ),
    "restore": Command(
        "sharpen blurred photographs of any size",
        _restore,
        _restore_options,
        "Restore blurred photographs, tile by tile. A JPEG becomes a JPEG, everything else a PNG, of the same name in "
        "the folder; alpha, colour profile and EXIF stay, and no file is ever replaced. Sixteen bits stay in grey "
        "pictures; in colour they become eight. The blur is looked for in the busiest part of each photograph and "
        "undone; a line says how wide it seemed. What seems sharp stays as it was, and so does nearly everything with "
        "more than a little noise. Of 32 pictures of real shakes all gained, by 3.5 dB on average; of 29 sharp ones "
        "none changed. Some out of focus lost, at worst 2.5 dB: compare before you keep the result. A blur that "
        "differs from place to place, or is wider than 41 pixels, is not undone. --model deblur-best knows four "
        "simulated shakes.",
    ),
}
