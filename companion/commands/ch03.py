"""Chapter 3's command: train a colour WGAN whose critic's weights are clipped."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from companion.commands import Command
from companion.commands.training import RUN_FOLDER, Budgets, add_settings, chosen, train_on_images

if TYPE_CHECKING:
    from companion.objectives import Objective

BUDGETS: Budgets = {
    "smoke": {"steps": 20, "batch": 16, "width": 4},
    "laptop": {"steps": 3000, "batch": 32, "width": 16},
    "gpu": {"steps": 30000, "batch": 64, "width": 48},
}
NETWORKS = (
    "uniform latents, resize-convolutions, a critic without normalisation; grey, colour, or colour with an alpha "
    "channel, as the data has it."
)


def add_colour_settings(parser: ArgumentParser, objective: "type[Objective]") -> None:
    """The options of a colour WGAN's run, and how many steps the critic takes."""
    from companion.training.gan import ColourSettings

    add_settings(parser, ColourSettings(objective=objective()), BUDGETS)
    parser.add_argument(
        "--critic-steps",
        type=int,
        default=objective.critic_steps,
        metavar="N",
        help=f"critic's steps for each of the generator's: {objective.critic_steps}",
    )


def train_colour(options: Namespace, objective: "Objective") -> None:
    """Train a colour WGAN under an objective."""
    from companion.training.gan import ColourSettings

    train_on_images(options, chosen(options, ColourSettings(objective=objective), BUDGETS))


def _options(parser: ArgumentParser) -> None:
    from companion.objectives import Wasserstein

    add_colour_settings(parser, Wasserstein)
    clip = Wasserstein.clip
    parser.add_argument(
        "--clip", type=float, default=clip, metavar="C", help=f"weights are held in [−C, C]: {clip:g}"
    )


def _train(options: Namespace) -> None:
    from companion.objectives import Wasserstein

    train_colour(options, Wasserstein(critic_steps=options.critic_steps, clip=options.clip))


COMMANDS = {
    "train wgan": Command(
        "chapter 3: a colour WGAN with clipped weights",
        _train,
        _options,
        f"Train a colour WGAN with clipped weights: {NETWORKS} {RUN_FOLDER}",
    ),
}
