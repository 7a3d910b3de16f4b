"""Chapter 6's commands: train a variational autoencoder, and open its widgets as apps."""

from argparse import ArgumentParser, Namespace
from functools import partial

from companion.commands import Command
from companion.commands.apps import app
from companion.commands.training import (
    RUN_FOLDER,
    Budgets,
    add_settings,
    chosen,
    refuse_own_samples,
    say_skipped,
    train,
)

BUDGETS: Budgets = {
    "smoke": {"steps": 10, "batch": 8, "width": 4, "latents": 8},
    "laptop": {"steps": 2000},
    "gpu": {"steps": 40000, "batch": 128, "width": 48, "latents": 64},
}


def _options(parser: ArgumentParser) -> None:
    from companion.training.vae import VAESettings
    from companion.variational import Variational

    add_settings(parser, VAESettings(), BUDGETS)
    plain = Variational()
    for name, about in (
        ("beta", "β, the weight of the divergence from the prior"),
        ("sharpening", "δ, how far the target is sharpened"),
        ("sobel", "γ, the weight of the difference between edges"),
    ):
        value = getattr(plain, name)
        parser.add_argument(
            f"--{name}", type=float, default=value, metavar="WEIGHT", help=f"{about} (default: {value:g})"
        )


def _train(options: Namespace) -> None:
    from companion.data.catalogue import ImageSet, named
    from companion.training.vae import VAESettings, build, shuffled
    from companion.variational import Variational

    objective = Variational(beta=options.beta, sharpening=options.sharpening, sobel=options.sobel)
    settings = chosen(options, VAESettings(objective=objective), BUDGETS)
    if settings.data not in named(ImageSet):
        refuse_own_samples(options.out, settings.data)
    trainer, images = build(settings)
    say_skipped(len(images), images.skipped, "unreadable")
    train(options, settings, trainer, shuffled(images, settings), images.fingerprint)


def _page(name: str, options: Namespace) -> str:
    return f"from companion.latent import apps\n\napps.{name}()"


COMMANDS = {
    "app digits": app(
        "All digits on one plane",
        "the map of digits, and the digit at any place on it",
        partial(_page, "digits"),
    ),
    "app faces": app(
        "A face as a list of numbers",
        "sliders that change drawn faces, or a picture of yours",
        partial(_page, "faces"),
    ),
    "train vae": Command(
        "chapter 6: a variational autoencoder",
        _train,
        _options,
        f"Train a variational autoencoder. {RUN_FOLDER.replace('generator', 'vae')}",
    ),
}
