"""What “Draw me” needs besides the faces: the network that reads them, its numbers, the face mesh, and a sample.

The mesh's model is MediaPipe's; it is taken from where the course keeps its downloads (`companion assets fetch
face-landmarker`), and the demo says so where it is not there.
"""

from pathlib import Path
from typing import Any

import torch
from live_models import Network
from live_samples import finder, photograph

from companion import pretrained
from companion.errors import CompanionError
from companion.files import write_json
from companion.likeness import aligning, colours, hairdressing, lessons, lighting, measuring, outlining
from companion.models import likeness
from companion.models.likeness import LikenessReader
from companion.randomness import generator

MODELS = (Network("likeness"),)


def files(folder: Path) -> None:
    """`likeness.json`, `astronaut.jpg` and what it was measured to be, and the face mesh's model if it is at hand."""
    write_json(folder / "likeness.json", numbers())
    sitter = photograph(folder)
    write_json(folder / "draw-me.json", {"sample": sample(sitter) if finder("face", folder) else None})


def sample(sitter: Path) -> list[float] | None:
    """The sample as the package measures it, so that the demo opens with somebody; None without MediaPipe."""
    try:
        with measuring.Measurer(most=1) as measurer:
            (found,) = measurer.measure(sitter)
    except CompanionError:
        return None
    return rounded(found.faces.values[0].tolist())


def numbers() -> dict[str, Any]:
    """What measuring a photograph needs besides the network."""
    reader = pretrained.load(measuring.MODEL)
    assert isinstance(reader, LikenessReader)
    windows = {"head": aligning.HEAD, "near": aligning.EYES_TO_MOUTH}
    varied = hairdressing.VARIED
    random = generator(0, "haircuts")
    noise = [torch.randn(hairdressing.TRIED, generator=random).tolist() for _ in varied]
    return {
        "measured": likeness.MEASURED,
        "worn": likeness.WORN,
        "parts": list(likeness.PARTS),
        "size": reader.config.size,
        "near": reader.config.near,
        "finer": aligning.FINER,
        "windows": {name: {"centre": w.centre, "half": w.half} for name, w in windows.items()},
        "template": rounded(reader.template.tolist()),
        "middle": rounded(reader.middle.tolist()),
        "spread": rounded(reader.spread.tolist()),
        **{"doubted": measuring.DOUBTED, "sure": measuring.SURE, "sureOtherwise": measuring.SURE_OTHERWISE},
        **{"depth": lessons.DEPTH_COUNTS, "logs": likeness.LOGS, "leastDoubt": hairdressing.LEAST_DOUBT},
        "told": hairdressing.TOLD,
        **{"oneOf": measuring.ONE_OF, "amount": measuring.AMOUNT},
        "rows": {
            **{"skin": colours.CHEEKS_AND_FOREHEAD, "brows": colours.BROWS, "lips": colours.LIPS},
            **{"irises": colours.IRISES},
        },
        **{"toOwnSkin": colours.TO_OWN_SKIN, "surePixel": colours.SURE, "enough": colours.ENOUGH},
        "clothesFrom": colours.CLOTHES_FROM,
        "light": {
            "window": {"centre": lighting.WINDOW.centre, "half": lighting.WINDOW.half},
            **{"side": lighting.SIDE, "eyes": lighting.EYES, "limbus": lighting.LIMBUS},
            **{
                "brighter": lighting.BRIGHTER,
                "white": lighting.WHITE.tolist(),
                "believed": lighting.BELIEVED,
            },
            **{"least": lighting.LEAST, "most": lighting.MOST, "enough": lighting.ENOUGH},
        },
        "outline": {
            **{"oval": outlining.OVAL, "brows": outlining.BROWS, "chin": outlining.CHIN},
            **{"finer": measuring.FINER, "around": outlining.AROUND, "beyond": outlining.BEYOND},
            **{"closeToBrows": outlining.CLOSE_TO_BROWS, "belowBrows": outlining.BELOW_BROWS},
            **{"aboveChin": outlining.ABOVE_CHIN, "strand": outlining.STRAND},
            **{"surelyHead": outlining.SURELY_HEAD, "surelyFace": outlining.SURELY_FACE},
            **{"surelyBare": outlining.SURELY_BARE},
            **{"thinks": outlining.THINKS, "knows": outlining.KNOWS},
            **{"other": outlining.OTHER, "quiteOther": outlining.QUITE_OTHER},
            **{"leastSpread": outlining.LEAST_SPREAD, "gloss": outlining.GLOSS},
            **{"rounds": outlining.ROUNDS, "speck": outlining.SPECK},
        },
        "haircuts": {
            **{"side": hairdressing.SIDE, "tried": hairdressing.TRIED, "best": hairdressing.BEST},
            **{"opinion": hairdressing.OPINION, "texture": hairdressing.TEXTURE, "bald": hairdressing.BALD},
            "varied": {
                name: [amount, rounded(row)]
                for (name, amount), row in zip(varied.items(), noise, strict=True)
            },
        },
    }


def rounded(values: Any) -> Any:
    """Numbers to eight digits, which is what a float holds."""
    return [rounded(value) for value in values] if isinstance(values, list) else float(f"{values:.8g}")
