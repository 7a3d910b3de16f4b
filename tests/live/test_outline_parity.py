"""Guards that the page outlines hair as the package does: same picture, same mesh, same words of the network.

The page's GrabCut is its own, OpenCV's step by step. An outline is a verdict: where one step differs a little, all of
it may fall to the other side, and did: half of one head's hair was gone as long as the page computed L*a*b* by its
formula, and OpenCV by its table. So agreement is asked of every head, not of their mean.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from heads import HAIR, SIZE, X, Y, known_piece, mesh, photograph
from house import ROOT, run

from companion.likeness.aligning import HEAD
from companion.likeness.outlining import hair_seen

sys.path.insert(0, str(ROOT / "tools"))
from live_models import prepared

pytest.importorskip("cv2")
ALIKE = 0.99  # intersection over union

TONES = [
    ((225, 180, 160), (90, 60, 40)),
    ((225, 180, 160), (200, 170, 100)),
    ((120, 80, 60), (30, 25, 25)),
    ((235, 200, 190), (150, 70, 40)),
    ((200, 160, 140), (175, 140, 120)),  # hair that is almost skin
]
NOISES = (0.0, 1.0, 4.0, 12.0)  # none: many components have one colour alone, and many cuts cost the same


def heads() -> list[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """Pictures, and what the network says of hair and of beard."""
    pictures = [
        photograph(skin, hair, noise=noise, seed=seed)
        for seed, (skin, hair) in enumerate(TONES)
        for noise in NOISES
    ]
    blurred = torch.from_numpy(np.exp(-(((X + 0.5) / 0.3) ** 2) - ((Y + 0.3) / 0.5) ** 2) * HAIR).float()
    beard = torch.from_numpy((Y > 0.55) * 0.8).float()
    said = (known_piece(), known_piece(0.7), blurred)
    return [(picture, said[place % 3], beard * (place % 2)) for place, picture in enumerate(pictures)]


@pytest.fixture(scope="module")
def outlines(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[np.ndarray, np.ndarray]]:
    """The package's outline of each head, and the page's."""
    everybody = heads()
    own = [hair_seen(picture, mesh(), hair, beard).numpy() for picture, hair, beard in everybody]
    told = [
        {
            "pixels": picture.flatten().tolist(),
            "side": SIZE,
            "points": mesh().points.tolist(),
            "hair": hair.flatten().tolist(),
            "beard": beard.flatten().tolist(),
        }
        for picture, hair, beard in everybody
    ]
    data = prepared(ROOT / "book/live/prepare/draw-me.py").numbers()["outline"]
    window = {"centre": HEAD.centre, "half": HEAD.half}
    cases = tmp_path_factory.mktemp("outlines") / "heads.json"
    cases.write_text(json.dumps({"heads": told, "data": data, "window": window}))
    done = run(str(ROOT / ".venv/bin/node"), str(Path(__file__).parent / "outline_parity.js"), str(cases))
    assert done.returncode == 0, done.stderr
    return list(zip(own, np.array(json.loads(done.stdout)).reshape(-1, SIZE, SIZE), strict=True))


def test_every_outline_is_the_packages(outlines):
    alike = [overlap(own > 0.5, found > 0.5) for own, found in outlines]
    print(f"{len(alike)} heads: least {min(alike):.4f}, median {np.median(alike):.4f}")
    assert min(alike) >= ALIKE


def test_the_outlines_are_no_trifles(outlines):
    """Agreement on nothing would be cheap: most of these heads have hair, and it is found."""
    sizes = [(own > 0.5).mean() / HAIR.mean() for own, _ in outlines]
    assert np.mean([0.5 < size < 1.5 for size in sizes]) > 0.6


def test_below_the_chin_the_network_is_asked_alone(outlines):
    for own, found in outlines:
        assert np.array_equal(own[Y > 0.95], found[Y > 0.95])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))
