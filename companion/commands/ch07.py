"""Chapter 7's commands: train a SAGAN or a translation between two sets of pictures, translate, and draw people."""

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from companion.commands import Command, add_fields, say_results
from companion.commands.apps import app
from companion.commands.training import (
    RUN_FOLDER,
    Budgets,
    add_settings,
    by_name,
    chosen,
    refuse_own_samples,
    say_skipped,
    train,
    train_on_images,
)
from companion.errors import CompanionError
from companion.files import shown

if TYPE_CHECKING:
    from torch import Tensor

    from companion.models.munit import Translator
    from companion.objectives import Objective

SAGAN_BUDGETS: Budgets = {
    "smoke": {"steps": 5, "batch": 8, "width": 8},
    "laptop": {"steps": 2000},
    "gpu": {"steps": 60_000, "width": 64, "latents": 128},
}
MUNIT_BUDGETS: Budgets = {
    "smoke": {"steps": 2, "batch": 2, "width": 4, "blocks": 1, "size": 32},
    "laptop": {"steps": 600, "batch": 4},
    "gpu": {"steps": 100_000, "width": 64},
}

WAYS = "a_to_b.safetensors and b_to_a.safetensors"
ALSO = {  # parts of a translation's loss that do not count unless they are asked for
    "cycle": "there and back again",
    "perceptual": "what a trained network sees",
    "identity": "whom a teacher sees in it, where both sets are faces",
    "distilled": "how like others a teacher finds it, where both are faces",
}


def _objectives() -> "dict[str, type[Objective]]":
    from companion.objectives import Hinge, LeastSquares, NonSaturatingR1

    return by_name(Hinge, LeastSquares, NonSaturatingR1)


def _add_objective(parser: ArgumentParser, default: str) -> None:
    known = list(_objectives())
    parser.add_argument(
        "--objective", dest="loss", choices=known, default=default, help=f"default: {default}"
    )


def _sagan_options(parser: ArgumentParser) -> None:
    from companion.training.sagan import SAGANSettings

    add_settings(parser, SAGANSettings(), SAGAN_BUDGETS)
    _add_objective(parser, "hinge")
    parser.add_argument(
        "--no-spectral-norm",
        dest="spectral",
        action="store_false",
        default=None,
        help="leave weights as they are, as a penalised critic wants them",
    )


def _train_sagan(options: Namespace) -> None:
    from companion.training.sagan import SAGANSettings

    settings = SAGANSettings(objective=_objectives()[options.loss]())
    train_on_images(options, chosen(options, settings, SAGAN_BUDGETS))


def _munit_options(parser: ArgumentParser) -> None:
    from companion.data.catalogue import ImageSet, choices
    from companion.losses import BACKBONES
    from companion.training.munit import MUNITSettings

    settings = MUNITSettings()
    add_settings(parser, settings, MUNIT_BUDGETS)
    add = parser.add_argument
    add(
        "--data",
        nargs=2,
        default=settings.data,
        metavar=("A", "B"),
        help=f"two of {choices(ImageSet)}, or two folders (default: {' '.join(settings.data)})",
    )
    _add_objective(parser, "least-squares")
    for name, what in ALSO.items():
        add(f"--{name}", type=float, default=0.0, metavar="WEIGHT", help=f"also mind {what} (default: 0)")
    add("--paired", nargs="?", const="", help=SUPPRESS)  # known only to say why it cannot be had here
    add(
        "--backbone",
        choices=list(BACKBONES),
        help="the trained network (default: squeezenet-deep-compression)",
    )


def _train_munit(options: Namespace) -> None:
    from dataclasses import replace

    from companion.data.catalogue import ImageSet, named
    from companion.training.munit import PAPER, MUNITSettings, build

    if options.paired is not None:
        raise CompanionError(
            "The option --paired needs people who are known on both sides, and a command has no way to name them; "
            "leave it out, or give pairs to companion.training.munit.build in Python."
        )
    options.data = tuple(options.data)
    shares = replace(PAPER, **{name: getattr(options, name) for name in ALSO})
    settings = MUNITSettings(objective=_objectives()[options.loss](), shares=shares)
    settings = chosen(options, settings, MUNIT_BUDGETS)
    for source in settings.data:
        if source not in named(ImageSet):
            refuse_own_samples(options.out, source)
    ready = build(settings)
    for images in ready.images:
        say_skipped(len(images), images.skipped, "unreadable")
    train(options, settings, ready.trainer, ready.batches, ready.fingerprint)


def _translate_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("pictures", nargs="+", type=Path, metavar="PICTURE", help="pictures of the set that is left")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the results go; made if missing")
    add(
        "--model",
        required=True,
        metavar="RUN|FILE|NAME",
        help="the folder of a run, one of its .safetensors files, or a pretrained run",
    )
    add(
        "--back",
        action="store_true",
        help="from the second set to the first, where the model knows both ways",
    )
    styles = parser.add_mutually_exclusive_group()
    styles.add_argument("--styles", type=int, default=1, metavar="N", help="styles to draw (default: 1)")
    styles.add_argument(
        "--like",
        type=Path,
        metavar="PICTURE",
        help="take the style of this picture; its numbers that hardly vary over the pictures the model learnt from "
        "are drawn",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of styles, or their numbers, that are drawn (default: 0)",
    )


def _translate(options: Namespace) -> None:
    from companion.translation import drawn_styles, translate_files, translator

    model = translator(options.model, back=options.back)
    drawn = options.like is None
    styles = drawn_styles(model, options.styles, options.seed) if drawn else _style_like(model, options)
    results = translate_files(model, options.pictures, options.out, styles)
    say_results(results, len(options.pictures), "translated", _places)


def _style_like(model: "Translator", options: Namespace) -> "Tensor":
    """The style of the example, mended by what the model's run learnt from; says so where that is not known."""
    from companion.translation import learnt_from, style_like

    others = learnt_from(options.model, model.config.size, back=options.back)
    if others is None:
        print(
            "Which numbers of a style say nothing is not known of this model, so the style is used as it was read.",
            file=sys.stderr,
        )
    return style_like(model, options.like, others, seed=options.seed)


def _places(places: list[Path]) -> str:
    return ", ".join(map(shown, places))


def _caricature_options(parser: ArgumentParser) -> None:
    from companion.likeness.drawing import MOST
    from companion.likeness.files import ALL_STYLES, Wish

    wish = Wish()
    add = parser.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO", help="photographs with faces in them")
    add("--out", type=Path, required=True, metavar="FOLDER", help="where the drawings go; made if missing")
    add(
        "--strength",
        type=float,
        default=wish.strength,
        metavar="K",
        help=f"0 to {MOST:g}: how many times as far from the mean as the person is; 1 is a likeness (default: "
        f"{wish.strength:g})",
    )
    add("--style", choices=ALL_STYLES, default=wish.style, help=f"default: {wish.style}")
    add("--size", type=int, default=wish.size, metavar="PIXELS", help=f"default: {wish.size}")
    add("--morph", action="store_true", help="also a GIF that goes from the portrait to the drawing and back")
    add("--most", type=int, default=4, metavar="N", help="how many faces of a picture at most (default: 4)")
    add("--confidence", type=float, default=0.5, metavar="C", help="0 to 1 (default: 0.5)")


def _caricature(options: Namespace) -> None:
    from companion.likeness.files import Wish, draw_files
    from companion.likeness.measuring import Measurer

    wish = Wish(options.strength, options.style, options.size, options.morph)
    with Measurer(most=options.most, confidence=options.confidence) as measurer:
        results = draw_files(measurer, options.photos, options.out, wish)
        say_results(results, len(options.photos), "drawn", _places)


def _caricature_page(options: Namespace) -> str:
    from companion.vision.trackers import FaceMesh

    FaceMesh().close()  # says what is missing before a page is served
    return "from companion.likeness import apps\n\napps.caricature()"


def _align_options(parser: ArgumentParser) -> None:
    from companion.likeness.preparing import Preparation

    add = parser.add_argument
    add("pictures", type=Path, metavar="IN", help="a folder of pictures, searched with its subfolders")
    add("out", type=Path, metavar="OUT", help="where the faces go; made if missing")
    add_fields(parser, Preparation())


def _align(options: Namespace) -> None:
    from tqdm.auto import tqdm

    from companion import pretrained
    from companion.likeness.measuring import MODEL
    from companion.likeness.preparing import REPORT, SHEET, Aligner, Preparation, align, count
    from companion.vision.trackers import FaceMesh

    how = Preparation(**{name: getattr(options, name) for name in Preparation.options()})
    template = pretrained.load(MODEL).get_buffer("template").double().numpy()
    with FaceMesh(most=2, confidence=how.confidence) as tracker:
        outcomes = align(options.pictures, options.out, Aligner(template, tracker, how))
        total = count(options.pictures)
        found = list(tqdm(outcomes, total=total, desc="align", unit="picture", leave=False))
    left_out = Counter(outcome.reason for outcome in found if outcome.reason)
    reasons = "".join(f"\n  {number}: {reason}" for reason, number in left_out.most_common())
    kept = len(found) - left_out.total()
    print(f"{kept} of {len(found)} pictures became faces: look at {shown(options.out / SHEET)}.")
    if left_out:
        print(f"Left out, one by one in {shown(options.out / REPORT)}:{reasons}")


COMMANDS = {
    "align": Command(
        "cut faces out of pictures, upright and of one size, for learning",
        _align,
        _align_options,
        "Find the one face of every picture below a folder by its mesh, turn it upright by a similarity, and cut it "
        "out. Profiles, small faces and meshes that fit no face are left out; align.csv says why, and align.png shows "
        "all. WebCaricature is read as it is published, with its own points. The pictures are never touched; what is "
        "there already is left alone, so Ctrl-C is safe: the same command goes on. A folder that holds other files, or "
        "faces cut out with other options, is refused.",
    ),
    "app caricature": app(
        "You, drawn",
        "a photograph of yours as portrait and caricature, with a slider between likeness and more",
        _caricature_page,
    ),
    "caricature": Command(
        "draw the people in photographs, their own features exaggerated",
        _caricature,
        _caricature_options,
        "Measure every face and draw it: shape, expression, hair, spectacles and colours as far as they can be told, "
        "everything else as in the mean face. It has learnt from drawn people alone: a photograph's hair is often told "
        "but roughly, and details of nose and lips hardly at all. K moves all of a face's shape away from the mean of "
        "real people. It makes nobody older, heavier, darker or lighter than K makes their own shape. One face makes "
        "NAME.png, several make NAME-1.png and so on, from left to right; no file is ever replaced, and nothing leaves "
        "this machine.",
    ),
    "train sagan": Command(
        "chapter 7: a GAN whose places look at each other",
        _train_sagan,
        _sagan_options,
        "Train a SAGAN: self-attention, spectral normalisation, the hinge objective, and a critic that learns four "
        f"times as fast as the generator. {RUN_FOLDER}",
    ),
    "train munit": Command(
        "chapter 7: a translation between two sets of pictures",
        _train_munit,
        _munit_options,
        "Train MUNIT on two sets of pictures that have nothing to do with each other. samples/ shows pictures of the "
        "first set, below them the same in two styles that were drawn and in those of pictures of the second set; then "
        f"the other way round. {RUN_FOLDER.replace('generator.safetensors', WAYS)}",
    ),
    "translate": Command(
        "draw pictures again as those of another set",
        _translate,
        _translate_options,
        "Translate the central square of each picture with a model that companion train munit made. One style makes "
        "NAME.png, several make NAME-1.png and so on; no file is ever replaced.",
    ),
}
