"""The commands that belong to no chapter: the machine, the assets, the long runs, listening, the course's faces."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from companion.commands import Command, Group
from companion.errors import CompanionError
from companion.files import shown


def _doctor(options: Namespace) -> None:
    from companion.doctor import examine

    findings = examine()
    print("\n".join(map(str, findings)))
    troubles = sum(finding.to_mend for finding in findings)
    if troubles:
        raise CompanionError(f"{troubles} thing{'s' * (troubles > 1)} to mend, named above.")
    print("Everything is ready.")


def _assets_options(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "fetch"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to fetch, or “all”")


def _assets(options: Namespace) -> None:
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


def _reproduce_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
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


def _reproduce(options: Namespace) -> None:
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
    print(f"The record is {shown(record)}.")


def _sonify_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("source", type=Path, metavar="IMAGE|RUN", help="a picture file or a run folder")
    add("--out", type=Path, required=True, metavar="FILE.wav", help="the sound; no file is replaced")
    add("--seconds", type=float, default=2.0, metavar="S", help="of each picture (default: 2)")


def _sonify(options: Namespace) -> None:
    from companion.sonify import RATE, image_from, images_of_run, save_wav, sound

    images = images_of_run(options.source) if options.source.is_dir() else image_from(options.source)
    waves = sound(images, seconds=options.seconds)
    save_wav(options.out, waves)
    print(
        f"{shown(options.out)}: {len(images)} image{'s' * (len(images) > 1)}, {waves.shape[1] / RATE:.1f} seconds"
    )


def _export_options(parser: ArgumentParser) -> None:
    from companion.data.faces.export import STYLES

    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="a new or empty folder")
    add(
        "--count",
        type=int,
        default=5000,
        metavar="N",
        help="how many people, one picture each (default: 5000)",
    )
    add("--size", type=int, default=128, metavar="PIXELS", help="side of the pictures (default: 128)")
    add("--style", choices=list(STYLES), default="portrait", help="default: portrait")
    add("--seed", type=int, default=0, metavar="N", help="default: 0")


def _export_faces(options: Namespace) -> None:
    from companion.data.faces.export import export_faces

    try:
        export_faces(
            options.out, count=options.count, size=options.size, style=options.style, seed=options.seed
        )
    except KeyboardInterrupt:
        print(f"Stopped; {shown(options.out)} is as it was before.")
        raise
    images = shown(options.out / "images")
    print(f"{options.count} {options.style}s are in {images}, their labels in labels.csv beside it.")


COMMANDS = {
    "doctor": Command("check this machine, and say in one line each what to do", _doctor),
    "assets": Command("list or fetch data and weights", _assets, _assets_options),
    "reproduce": Command(
        "make one of the book's long runs again; without a name, list them",
        _reproduce,
        _reproduce_options,
        "Make a pretrained file and its run record. Stop with Ctrl-C; the same command continues.",
    ),
    "sonify": Command(
        "listen to a picture, or to a run's samples over training",
        _sonify,
        _sonify_options,
        "Play a picture from left to right: rows become pitch (the top is the highest), brightness becomes loudness, "
        "red sounds on the left and blue on the right, and the more saturated a colour, the more of the octave above "
        "sounds along. Of a run, the first sample of each grid is played, one after another.",
    ),
    "faces": Group("the course's own faces: write them as a data set", "actions", "ACTION"),
    "faces export": Command(
        "a folder of pictures with tables",
        _export_faces,
        _export_options,
        "Write drawn faces as a published data set would look: images/ (PNG), labels.csv, landmarks.csv (68 points in "
        "pixels) and LICENCE.txt. The same options give the same files. Ctrl-C is safe: a broken-off export is removed "
        "again.",
    ),
}
