"""Guards colours, haircuts and drawings: nobody is made lighter or darker, and strength 1 changes nothing."""

import numpy as np
import pytest
import torch

from companion.data.faces import PARTS as RENDERED
from companion.data.faces import Faces, draw, part_masks
from companion.data.faces.parameters import COLOURS, COLUMN, PARAMETERS
from companion.data.faces.prior import SKINS
from companion.errors import CompanionError
from companion.likeness import drawing
from companion.likeness.aligning import HEAD, Upright
from companion.likeness.colours import BROWS, CHEEKS_AND_FOREHEAD, IRISES, LIPS, colours, own_skin
from companion.likeness.hairdressing import SIDE, TEXTURE, dressed
from companion.likeness.measuring import ONE_OF, _put_on
from companion.models.likeness import PARTS, WORN

SHAPE = [COLUMN[parameter.name] for parameter in PARAMETERS if parameter.shape]


@pytest.fixture(autouse=True)
def real_mean(monkeypatch):
    """Of people whose heads are a little narrower than the drawn ones."""
    mean = {
        parameter.name: parameter.mean - 0.1 * (parameter.high - parameter.low) for parameter in drawing.SHAPE
    }
    monkeypatch.setattr(drawing, "real_mean", lambda: mean)
    return mean


def people(count: int, seed: int = 1) -> Faces:
    return draw(torch.arange(count), torch.zeros(count, dtype=torch.long), seed)


# ---- colours ----


@pytest.mark.parametrize("skin", [*SKINS, (230, 160, 150), (90, 60, 70), (180, 140, 60)])
def test_no_skin_is_made_lighter_or_darker(skin):
    colour = np.array(skin) / 255
    assert np.isclose(own_skin(colour).mean(), colour.mean())


@pytest.mark.parametrize("skin", SKINS)
def test_a_skin_of_the_row_stays_as_it_is(skin):
    colour = np.array(skin) / 255
    assert np.allclose(own_skin(colour), colour, atol=1e-6)


def test_a_skin_under_coloured_light_comes_nearer_to_one_that_there_is():
    green = np.array(SKINS[3]) / 255 * (0.9, 1.15, 0.9)
    row = np.array(SKINS) / 255
    away = [np.abs(row - colour).sum(1).min() for colour in (green, own_skin(green))]
    assert away[1] < 0.8 * away[0]


def test_each_colour_is_taken_from_where_the_mesh_says():
    """A face of patches, one colour each."""
    size, points = 80, np.zeros((478, 3))
    painted = {"skin": (200, 150, 120), "lips": (180, 60, 70), "iris": (40, 90, 140)}
    crop = np.full((size, size, 3), 90, np.uint8)
    places = {"skin": CHEEKS_AND_FOREHEAD + BROWS, "lips": LIPS, "iris": IRISES}
    for row, (name, rows) in enumerate(places.items()):
        at = np.array([16.0 * row + 16, 30.0])
        points[list(rows), :2] = (at + 0.5) / size * 2 * HEAD.half - HEAD.half + HEAD.centre
        crop[26:35, int(at[0]) - 5 : int(at[0]) + 6] = painted[name]
    crop[:10] = (60, 40, 30)
    crop[70:] = (10, 20, 200)
    parts = {name: torch.zeros(size, size) for name in PARTS}
    parts["hair"][:10], parts["elsewhere"][70:] = 1, 1
    found = colours(crop, Upright(np.eye(2, 3), points), parts)
    for name in ("lips", "iris"):
        assert np.allclose(found[name] * 255, painted[name])
    assert np.allclose(found["hair"] * 255, (60, 40, 30))
    assert np.allclose(found["clothes"] * 255, (10, 20, 200))
    assert np.isclose(found["skin"].mean() * 255, np.mean(painted["skin"]))
    parts["hair"][:] = 0  # a bald head has the colour of its brows
    assert np.allclose(colours(crop, Upright(np.eye(2, 3), points), parts)["hair"] * 255, painted["skin"])


# ---- hair ----


@pytest.mark.slow
@pytest.mark.api
def test_a_haircut_is_found_by_its_outline():
    """Twelve people: their own outline is met better by what was found than by anybody else's hair."""
    faces = people(12).replace(**dict.fromkeys(ONE_OF, 0.0), yaw=0.0)
    wanted, overlaps, of_others = outline(faces), [], []
    for number in range(len(faces)):
        if wanted[number].sum() < 5:  # bald
            continue
        bare = faces.rows(slice(number, number + 1)).replace(hair_top=0.1, hair_side=0.1, hair_length=0.0)
        doubts, spread = dict.fromkeys(TEXTURE, 1.0), dict.fromkeys(TEXTURE, 0.3)
        found = outline(dressed(bare, wanted[number], doubts, spread))[0]
        overlaps.append(overlap(found, wanted[number]))
        of_others.append(overlap(found, wanted[(number + 1) % len(faces)]))
    assert np.mean(overlaps) > 0.8
    assert np.mean(overlaps) > np.mean(of_others) + 0.2


def test_where_no_hair_is_seen_none_is_drawn():
    faces = people(1).replace(**dict.fromkeys(ONE_OF, 0.0))
    found = dressed(faces, torch.zeros(40, 40), dict.fromkeys(TEXTURE, 1.0), dict.fromkeys(TEXTURE, 0.3))
    assert outline(found).sum() < 0.02 * SIDE**2


def outline(faces: Faces) -> torch.Tensor:
    shift_x, shift_y = (-middle / HEAD.half for middle in HEAD.centre)
    framed = faces.replace(roll=0.0, shift_x=shift_x, shift_y=shift_y, scale=1 / HEAD.half)
    return part_masks(framed, SIDE)[:, RENDERED.index("hair")]


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.minimum(one, other).sum() / torch.maximum(one, other).sum())


# ---- what is worn ----


def test_only_what_is_sure_is_worn_and_one_hat_at_most():
    nothing = dict.fromkeys(WORN, 0.1)
    assert not any(_put_on(nothing).values())
    assert _put_on(nothing | {"glasses": 0.97})["glasses"] == 1
    assert _put_on(nothing | {"makeup": 0.6})["makeup"] == 0
    both = _put_on(nothing | {"turban": 0.97, "headscarf": 0.99})
    assert (both["turban"], both["headscarf"]) == (0, 1)


# ---- drawings ----


def test_strength_one_is_a_likeness_and_none_is_nobody_in_particular(real_mean):
    faces = people(5)
    assert torch.equal(drawing.exaggerated(faces, 1).values, faces.values)
    nobody = drawing.exaggerated(faces, 0).values[:, SHAPE]
    assert torch.allclose(nobody, torch.tensor([real_mean[p.name] for p in drawing.SHAPE]).expand_as(nobody))


def test_strength_moves_shape_away_from_real_people_and_nothing_else(real_mean):
    faces = people(5)
    twice = drawing.exaggerated(faces, 1.2).values
    others = [column for column in range(len(PARAMETERS)) if column not in SHAPE]
    assert torch.equal(twice[:, others], faces.values[:, others])
    mean = torch.tensor([real_mean[p.name] for p in drawing.SHAPE])
    wanted = mean + 1.2 * (faces.values[:, SHAPE] - mean)
    low, high = (torch.tensor([getattr(p, end) for p in drawing.SHAPE]) for end in ("low", "high"))
    slack = drawing.SLACK * (high - low)
    assert torch.allclose(twice[:, SHAPE], wanted.clamp(low - slack, high + slack), atol=1e-5)


@pytest.mark.parametrize("strength", [-0.1, 4.1, float("nan"), float("inf")])
def test_a_strength_that_cannot_be_drawn_is_refused(strength):
    with pytest.raises(CompanionError, match="choose 0"):
        drawing.exaggerated(people(1), strength)


@pytest.mark.parametrize("style", drawing.STYLES)
def test_each_style_is_another_drawing_of_the_same_person(style):
    faces = people(1)
    (drawn,) = drawing.caricature(faces, 1.5, style, 64)
    assert drawn.shape == (64, 64, 3)
    assert drawn.dtype == np.uint8
    for other in set(drawing.STYLES) - {style}:
        assert not np.array_equal(drawn, drawing.caricature(faces, 1.5, other, 64)[0])


def test_an_unknown_style_is_refused():
    with pytest.raises(CompanionError, match="choose ink, hatched, sepia, print"):
        drawing.caricature(people(1), style="oil")


def test_a_morph_goes_from_the_portrait_to_the_caricature():
    faces = people(1)
    frames = list(drawing.morph(faces, 1.8, "ink", 64, frames=5))
    assert len(frames) == 5
    first, last = drawing.portrait(faces, 64)[0], drawing.caricature(faces, 1.8, "ink", 64)[0]
    assert (
        np.abs(frames[0].astype(int) - first).mean() < 3
    )  # the pen's settings change a portrait by nothing one sees
    assert np.array_equal(frames[-1], last)


def test_everybody_sits_in_the_same_light_in_their_own_colours():
    faces = people(3)
    seated = drawing.sitting(faces)
    own = [
        f"{name}_{c}"
        for name in COLOURS
        if name in ("skin", "hair", "iris", "lips", "clothes")
        for c in "rgb"
    ]
    for name in own:
        assert torch.equal(seated[name], faces[name])
    for name, value in drawing.STUDIO.items():
        assert torch.allclose(seated[name], torch.tensor(value))
