"""What the page's faces share with the package's: every parameter, and the numbers of renderers, prior and styles.

Nothing of it is typed a second time in the page.
"""

from pathlib import Path
from typing import Any

import torch

from companion.data.faces import caricature, geometry, grid, prior
from companion.data.faces.parameters import PARAMETERS
from companion.files import write_json
from companion.likeness import drawing
from companion.randomness import _start

SEED = 0  # of the prior in the page: its people are those of `draw(identity, view)`


def files(folder: Path) -> None:
    """`faces.json`."""
    write_json(folder / "faces.json", faces())


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
