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
from heads import SIZE, Y, known_piece, mesh, photograph
from house import ROOT, run
from torch.nn.functional import avg_pool2d, interpolate

from companion.data import faces
from companion.likeness.aligning import HEAD
from companion.likeness.outlining import hair_seen
from companion.vision.pictures import as_picture

sys.path.insert(0, str(ROOT / "tools"))
from live_models import prepared

pytest.importorskip("cv2")
ALIKE, ON_AVERAGE = 0.99, 0.9995  # intersection over union, of each head and of all

PEOPLE = 16
COARSE = 8  # pixels that the network sees as one


def heads() -> list[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """Drawn people, and what a network might say of their hair and beard: about where, more or less surely."""
    number = torch.arange(PEOPLE)
    shift_x, shift_y = (-middle / HEAD.half for middle in HEAD.centre)
    people = faces.draw(number, torch.zeros_like(number)).replace(
        roll=0.0, shift_x=shift_x, shift_y=shift_y, scale=1 / HEAD.half
    )
    coarse = avg_pool2d(faces.part_masks(people, SIZE), COARSE)
    said = (
        interpolate(coarse, size=SIZE, mode="bilinear") * (0.5 + 0.5 * number / PEOPLE)[:, None, None, None]
    )
    pictures = faces.draw_portraits(people, SIZE).images
    hair, beard = (said[:, faces.PARTS.index(part)] for part in ("hair", "beard"))
    drawn = [(as_picture(picture), hair[row], beard[row]) for row, picture in enumerate(pictures)]
    flat = photograph(
        (225, 180, 160), (90, 60, 40), noise=0
    )  # one colour a component, and many cuts cost the same
    return [*drawn, (flat, known_piece(), torch.zeros(SIZE, SIZE))]


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


@pytest.mark.slow
def test_every_outline_is_the_packages(outlines):
    alike = [overlap(own > 0.5, found > 0.5) for own, found in outlines]
    print(f"{len(alike)} heads: least {min(alike):.4f}, median {np.median(alike):.4f}")
    assert min(alike) >= ALIKE
    assert np.mean(alike) >= ON_AVERAGE


def test_the_outlines_are_no_trifles(outlines):
    """Agreement on nothing would be cheap: most of these heads have hair, and it is found."""
    sizes = [(own > 0.5).mean() for own, _ in outlines]
    print("hair:", np.round(sizes, 2))
    assert np.mean([0.03 < size < 0.5 for size in sizes]) > 0.6


def test_below_the_chin_the_network_is_asked_alone(outlines):
    for own, found in outlines:
        assert np.array_equal(own[Y > 0.95], found[Y > 0.95])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 1.0  # both say that there is no hair
