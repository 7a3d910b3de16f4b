"""`companion export`: a trained model as an ONNX file."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from companion.commands import Command


def _options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="NAME|FILE|RUN", help="a pretrained run, a .safetensors file, or a run's folder")
    add("--out", type=Path, required=True, metavar="FILE.onnx", help="the file; none is replaced")
    add("--half", action="store_true", help="store the weights in 16 bits: half the size")


def _export(options: Namespace) -> None:
    from companion.export import export_model

    print(export_model(options.model, options.out, half=options.half))


COMMANDS = {
    "export": Command(
        "write a model as ONNX, for a page or another program",
        _export,
        _options,
        "Write a trained model as an ONNX file and compare what it gives with torch. Needs the packages of "
        "companion's extra “export”.",
    ),
}
