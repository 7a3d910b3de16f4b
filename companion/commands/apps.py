"""`companion app`: widgets as pages of this machine; here is the one that belongs to no chapter."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial

from companion.commands import Command, Group


def app(
    title: str,
    about: str,
    code: Callable[[Namespace], str],
    options: Callable[[ArgumentParser], None] | None = None,
) -> Command:
    """A command that serves a widget as a page.

    Args:
        title: The page's heading.
        about: What is opened, for the help.
        code: From the options to the page's one cell of Python, which ends in the widget; the place for refusals, since
            it is asked before anything is served.
        options: Adds further ones than the page's own.
    """
    description = (
        f"Open {about} as a page in the browser. Voilà serves it to this machine alone; pictures stay here. Ctrl-C "
        "ends it."
    )
    return Command(about, partial(_serve, title, code), partial(_options, options), description)


def _options(further: Callable[[ArgumentParser], None] | None, parser: ArgumentParser) -> None:
    if further is not None:
        further(parser)
    parser.add_argument("--port", type=int, default=8866, help="of the page (default: 8866)")
    parser.add_argument("--no-browser", action="store_true", help="only print the page's address")


def _serve(title: str, code: Callable[[Namespace], str], options: Namespace) -> None:
    from companion.serving import serve

    serve(title, code(options), port=options.port, browser=not options.no_browser)


def _browse_options(parser: ArgumentParser) -> None:
    from companion.data.catalogue import ImageSet, PhotoSet, choices
    from companion.viewer.album import SIZE
    from companion.viewer.apps import ALIKE

    add = parser.add_argument
    add(
        "--data",
        default="digits",
        metavar="SET|FOLDER",
        help=f"{choices(ImageSet)}, {choices(PhotoSet)}, a folder of pictures, or what companion align wrote "
        "(default: digits)",
    )
    add("--size", type=int, default=SIZE, metavar="PIXELS", help=f"side of the pictures (default: {SIZE})")
    add(
        "--alike",
        choices=ALIKE,
        default="pixels",
        help="find neighbours also by what the network of digits, faces or photographs sees (default: pixels)",
    )


def _browse(options: Namespace) -> str:
    from companion.viewer.album import check_source

    check_source(options.data, options.size)
    chosen = f"{options.data!r}, size={options.size}, alike={options.alike!r}"
    return f"from companion.viewer import apps\n\napps.browse({chosen})"


COMMANDS = {
    "app": Group("the course's widgets as pages on this machine", "apps", "APP"),
    "app browse": app(
        "Look through pictures",
        "a data set or folder, page by page, each picture with its neighbours",
        _browse,
        _browse_options,
    ),
}
