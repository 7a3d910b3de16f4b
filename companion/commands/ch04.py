"""Chapter 4's command: chapter 3's colour WGAN under a gradient penalty."""

from argparse import ArgumentParser, Namespace

from companion.commands import Command
from companion.commands.ch03 import NETWORKS, add_colour_settings, train_colour
from companion.commands.training import RUN_FOLDER


def _options(parser: ArgumentParser) -> None:
    from companion.objectives import WassersteinGP

    add_colour_settings(parser, WassersteinGP)
    weight = WassersteinGP.weight
    parser.add_argument(
        "--penalty", type=float, default=weight, metavar="WEIGHT", help=f"the penalty's weight: {weight:g}"
    )
    parser.add_argument("--one-sided", action="store_true", help="fine only slopes above 1")


def _train(options: Namespace) -> None:
    from companion.objectives import OneSidedWassersteinGP, WassersteinGP

    kind = OneSidedWassersteinGP if options.one_sided else WassersteinGP
    train_colour(options, kind(critic_steps=options.critic_steps, weight=options.penalty))


COMMANDS = {
    "train wgan-gp": Command(
        "chapter 4: a colour WGAN with a gradient penalty",
        _train,
        _options,
        f"Train a colour WGAN with a gradient penalty: {NETWORKS} {RUN_FOLDER}",
    ),
}
