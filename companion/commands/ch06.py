"""Chapter 6's commands: train a variational autoencoder, and open its widgets as apps."""

from argparse import ArgumentParser, Namespace
from functools import partial

from companion.commands import Command, Group
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


def _app_options(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8866, help="of the page (default: 8866)")
    parser.add_argument("--no-browser", action="store_true", help="only print the page's address")


def _app(name: str, title: str, options: Namespace) -> None:
    from companion.serving import serve

    code = f"from companion.latent import apps\n\napps.{name}()"
    serve(title, code, port=options.port, browser=not options.no_browser)


def _app_command(name: str, title: str, about: str) -> Command:
    description = (
        f"Open {about} as a page in the browser. Voilà serves it to this machine alone; pictures stay here. Ctrl-C "
        "ends it."
    )
    return Command(about, partial(_app, name, title), _app_options, description)


COMMANDS = {
    "app": Group("chapter 6: its widgets as pages on this machine", "apps", "APP"),
    "app digits": _app_command(
        "digits", "All digits on one plane", "the map of digits, and the digit at any place on it"
    ),
    "app faces": _app_command(
        "faces",
        "A face as a list of numbers",
        "sliders that change drawn faces, or a picture of yours",
    ),
    "train vae": Command(
        "chapter 6: a variational autoencoder",
        _train,
        _options,
        f"Train a variational autoencoder. {RUN_FOLDER.replace('generator', 'vae')}",
    ),
}
