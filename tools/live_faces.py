"""Write what the page's faces share with the package's as JSON: python tools/live_faces.py.

`book/live/faces/faces.json` holds every parameter and every number that the renderers and the prior are made of;
`book/live/likeness/likeness.json` what “Draw me” needs besides. Nothing of it is typed a second time in the page, and a
test compares both files with what this would write.
"""

import json
from pathlib import Path
from typing import Any

import torch

from companion import pretrained
from companion.data.faces import caricature, geometry, grid, prior
from companion.data.faces.parameters import PARAMETERS
from companion.files import write_text
from companion.likeness import aligning, colours, drawing, hairdressing, lessons, measuring
from companion.models import likeness
from companion.models.likeness import LikenessReader
from companion.randomness import _start, generator

LIVE = Path(__file__).parents[1] / "book/live"
SEED = 0  # of the prior in the page: its people are those of `draw(identity, view)`


def faces() -> dict[str, Any]:
    """Parameters, and the constants of renderers, prior and drawing styles."""
    return {
        "parameters": [
            {
                **{"name": p.name, "group": p.group.value, "low": p.low, "mean": p.mean, "high": p.high},
                **{"shape": p.shape, "meaning": p.meaning},
            }
            for p in PARAMETERS
        ],
        "constants": {
            **{"DEPTH": geometry.DEPTH, "WIDER_EYES": caricature.WIDER_EYES, "LINE": caricature.LINE},
            **{"HATCH": caricature.HATCH},
        },
        "widest": {"scale": grid.WIDEST_SCALE, "roll": grid.WIDEST_ROLL},
        "papers": caricature.PAPERS,
        "inks": caricature.INKS,
        "prints": caricature.PRINTS,
        "prior": {
            **{"skins": prior.SKINS, "hairs": prior.HAIRS, "reds": prior.REDS, "greys": prior.GREYS},
            **{"irises": prior.IRISES, "garments": prior.GARMENTS, "grounds": prior.GROUNDS},
            "hair": prior.HAIR,
            "cuts": {
                name: {"values": values, "less": less, "more": more, "coiled": name in prior.COILED}
                for name, (values, less, more) in prior.STYLES.items()
            },
            **{"expressions": prior.EXPRESSIONS, "loadings": prior.LOADINGS, "factors": prior.FACTORS},
            "streams": streams(),
        },
        "styles": drawing.STYLES,
        "studio": drawing.STUDIO,
        "realMean": drawing.real_mean(),
        "slack": drawing.SLACK,
    }


def streams() -> dict[str, str]:
    """Where each of the prior's streams of random numbers starts, 64 bits in hexadecimal, by “whose name”."""
    used = set()

    class Listening(prior.Draws):
        def uniform(self, name: str) -> torch.Tensor:
            used.add(f"{self.who}'s {name}")
            return super().uniform(name)

    one = torch.zeros(1, dtype=torch.long)
    person, scene = Listening(SEED, "person", one), Listening(SEED, "scene", one)
    prior._identity(person), prior._lasting(person), prior._passing(person, scene), prior._nuisance(scene)
    return {purpose: f"{_start(SEED, purpose, 0):016x}" for purpose in sorted(used)}


def likeness_numbers() -> dict[str, Any]:
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
        **{"oneOf": measuring.ONE_OF, "amount": measuring.AMOUNT},
        "rows": {
            **{"skin": colours.CHEEKS_AND_FOREHEAD, "brows": colours.BROWS, "lips": colours.LIPS},
            **{"irises": colours.IRISES},
        },
        **{"toOwnSkin": colours.TO_OWN_SKIN, "surePixel": colours.SURE, "enough": colours.ENOUGH},
        "clothesFrom": colours.CLOTHES_FROM,
        "haircuts": {
            **{"side": hairdressing.SIDE, "tried": hairdressing.TRIED, "best": hairdressing.BEST},
            **{"opinion": hairdressing.OPINION, "texture": hairdressing.TEXTURE, "bald": hairdressing.BALD},
            "varied": {name: [amount, rounded(row)] for (name, amount), row in zip(varied.items(), noise, strict=True)},
        },
    }


def rounded(values: Any) -> Any:
    """Numbers to eight digits, which is what a float holds."""
    return [rounded(value) for value in values] if isinstance(values, list) else float(f"{values:.8g}")


FILES = {"faces/faces.json": faces, "likeness/likeness.json": likeness_numbers}


def written(content: dict[str, Any]) -> str:
    """As the file holds it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    for name, content in FILES.items():
        write_text(LIVE / name, written(content()))
