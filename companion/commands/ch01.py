"""Chapter 1's command: train a DCGAN."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from companion.commands import Command
from companion.commands.training import RUN_FOLDER, Budgets, add_settings, by_name, chosen, train_on_images

if TYPE_CHECKING:
    from companion.objectives import Objective

BUDGETS: Budgets = {
    "smoke": {"steps": 20, "batch": 16, "width": 8},
    "laptop": {"steps": 2000, "batch": 64, "width": 32},
    "gpu": {"steps": 20000, "batch": 128, "width": 64},
}


def _objectives() -> "dict[str, type[Objective]]":
    from companion.objectives import LeastSquares, Minimax, NonSaturating

    return by_name(NonSaturating, Minimax, LeastSquares)


def _options(parser: ArgumentParser) -> None:
    from companion.training.gan import GANSettings

    add_settings(parser, GANSettings(), BUDGETS)
    known = list(_objectives())
    parser.add_argument(
        "--objective", dest="loss", choices=known, default=known[0], help=f"default: {known[0]}"
    )


def _train(options: Namespace) -> None:
    from companion.training.gan import GANSettings

    objective = _objectives()[options.loss]()
    train_on_images(options, chosen(options, GANSettings(objective=objective), BUDGETS))


COMMANDS = {
    "train dcgan": Command("chapter 1: DCGAN", _train, _options, f"Train a DCGAN. {RUN_FOLDER}"),
}
