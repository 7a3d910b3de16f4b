"""Guards parametric faces: the prior's ranges and independence, what is smooth, what is exact, what lies where.

Nothing here judges beauty: that is done by eye, on the contact sheets in the book.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from house import run
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, cosine_similarity
from torch.utils.data import DataLoader

from benchmarks import faces as benchmark
from companion.data import kept, load
from companion.data.faces import (
    LABELS,
    PARAMETERS,
    PARTS,
    Caricatures,
    Drawn,
    FacePairs,
    Faces,
    Group,
    Portraits,
    Stickers,
    datasets,
    draw,
    draw_caricatures,
    draw_portraits,
    draw_stickers,
    exaggerate,
    interpolate,
    labels,
    landmarks,
    mean_face,
    part_masks,
    render,
    unpaired,
)
from companion.data.faces.datasets import FaceSet
from companion.data.faces.export import export_faces
from companion.data.faces.landmarks import EYES, JAW, MOUTH
from companion.data.faces.parameters import NAMES, columns_of
from companion.data.faces.prior import SKINS, Draws
from companion.data.labels import match, read_table
from companion.errors import CompanionError

MANY = 4096
RENDERERS = [draw_portraits, draw_caricatures]


def people(count: int, seed: int = 0) -> Faces:
    return draw(torch.arange(count), torch.zeros(count, dtype=torch.long), seed)


@pytest.fixture(scope="module")
def crowd() -> Faces:
    return people(MANY)


# the prior


def test_every_parameter_is_documented_and_drawn_within_its_range(crowd: Faces):
    assert len(set(NAMES)) == len(NAMES)
    for column, parameter in enumerate(PARAMETERS):
        assert parameter.meaning
        assert parameter.low <= parameter.mean <= parameter.high, parameter.name
        drawn = crowd.values[:, column]
        assert parameter.low - 1e-6 <= drawn.min() <= drawn.max() <= parameter.high + 1e-6, parameter.name
        assert drawn.std() > 0, f"{parameter.name} never varies"


def most_correlated(columns: dict[Group, Tensor]) -> float:
    """The largest correlation of a column of identity with one of nuisance, in units of what chance leaves, 1 / √N."""
    both = torch.corrcoef(torch.cat([columns[Group.IDENTITY], columns[Group.NUISANCE]], 1).T)
    count = columns[Group.IDENTITY].shape[1]
    return float(both[:count, count:].abs().max() * len(columns[Group.IDENTITY]) ** 0.5)


def by_chance() -> float:
    """What the largest of so many correlations, times √N, exceeds once in ten thousand times (Bonferroni)."""
    pairs = len(columns_of(Group.IDENTITY)) * len(columns_of(Group.NUISANCE))
    return float(torch.special.ndtri(torch.tensor(1 - 1e-4 / (2 * pairs), dtype=torch.float64)))


def parted(faces: Faces, measure: Callable[[Tensor], Tensor]) -> dict[Group, Tensor]:
    groups = (Group.IDENTITY, Group.NUISANCE)
    return {group: measure(faces.values[:, columns_of(group)].double()) for group in groups}


def spreads(values: Tensor) -> Tensor:
    """How far each number lies from its column's middle, as places in the order: robust against long tails."""
    away = (values - values.mean(0)).abs()
    return torch.stack([column.unique(return_inverse=True)[1].double() for column in away.T], 1)


def test_identity_and_nuisance_are_uncorrelated(crowd: Faces):
    """No parameter of one with any of the other, beyond what 4,096 draws leave to chance."""
    assert most_correlated(parted(crowd, lambda values: values)) < by_chance()


def test_nor_does_the_spread_of_one_depend_on_the_other(crowd: Faces):
    """Two numbers can be uncorrelated and yet dependent: whoever has a wide head might turn it further either way."""
    plain, spread = parted(crowd, lambda values: values), parted(crowd, spreads)
    for one, other in ((spread, spread), (spread, plain), (plain, spread)):
        mixed = {Group.IDENTITY: one[Group.IDENTITY], Group.NUISANCE: other[Group.NUISANCE]}
        assert most_correlated(mixed) < by_chance()


def test_a_spread_that_depends_is_noticed(crowd: Faces):
    """What correlations overlook: heads that turn further, to both sides, the older they are."""
    turning = crowd.replace(yaw=crowd["yaw"] * (0.5 + crowd["age"]))
    assert most_correlated(parted(turning, lambda values: values)) < by_chance()
    mixed = parted(turning, lambda values: values) | {
        Group.NUISANCE: parted(turning, spreads)[Group.NUISANCE]
    }
    assert most_correlated(mixed) > 2 * by_chance()


def test_a_person_keeps_identity_and_lasting_attributes_from_view_to_view():
    seen = draw(torch.full((50,), 7), torch.arange(50))
    assert (seen.values[:, columns_of(Group.IDENTITY)].std(0) == 0).all()
    assert (seen["beard"].std(), seen["headscarf"].std(), seen["glasses"].std()) == (0, 0, 0)
    for name in ("yaw", "smile", "light_x", "ground_r", "clothes_r"):
        assert seen[name].std() > 0.01, name


def test_factors_hold_a_face_together(crowd: Faces):
    """Grey hair with age alone; lines with age; skins over the whole range, evenly."""
    grey = crowd.rows(crowd.values[:, NAMES.index("age")] < 0.4)
    spread = torch.stack([grey[f"hair_{c}"] for c in "rgb"])
    silver = (spread.amax(0) - spread.amin(0) < 0.06) & (spread.mean(0) > 0.4)
    assert silver.float().mean() < 0.01
    assert torch.corrcoef(torch.stack([crowd["age"], crowd["age_lines"]]))[0, 1] > 0.8
    red = torch.tensor([tone[0] for tone in SKINS]) / 255
    thirds = torch.bucketize(crowd["skin_r"].contiguous(), red[[6, 3]]).bincount(minlength=3) / MANY
    assert (thirds > 0.2).all()


def test_streams_of_numbers_are_uniform_and_unrelated():
    draws = Draws(0, "person", torch.arange(20000))
    one, other, next_seed = (
        draws.uniform("one"),
        draws.uniform("other"),
        Draws(1, "person", draws.index).uniform("one"),
    )
    scene = Draws(0, "scene", draws.index).uniform("one")
    assert abs(one.mean() - 0.5) < 0.01
    assert (torch.histc(one, 20, 0, 1) / 1000 - 1).abs().max() < 0.15
    for pair in ((one, other), (one, next_seed), (one, scene), (one[1:], one[:-1])):
        assert torch.corrcoef(torch.stack(pair))[0, 1].abs() < 0.03


def test_index_alone_decides():
    """The same person and view in any company, and never the same as another seed's."""
    alone = draw(torch.tensor([31]), torch.tensor([2]), seed=4)
    among = draw(torch.arange(40), torch.full((40,), 2), seed=4).rows(slice(31, 32))
    assert torch.equal(alone.values, among.values)
    assert not torch.equal(alone.values, draw(torch.tensor([31]), torch.tensor([2]), seed=5).values)
    everyone = torch.arange(301)  # now and then the processor's vector units round a last bit otherwise
    pieces = [draw(few, torch.zeros_like(few)).values for few in everyone.split(7)]
    assert torch.allclose(torch.cat(pieces), people(301).values, rtol=0, atol=1e-6)


# exaggeration and interpolation


def test_exaggeration_is_mean_at_zero_and_the_person_at_one():
    faces = people(64)
    shape = torch.tensor([p.shape for p in PARAMETERS])
    assert torch.equal(exaggerate(faces, 1).values, faces.values)
    still = exaggerate(faces, 0)
    assert torch.allclose(still.values[:, shape], mean_face(64).values[:, shape])
    assert torch.equal(still.values[:, ~shape], faces.values[:, ~shape])
    mean = mean_face(64).values
    moved = exaggerate(faces, 1.2).values - mean  # at 1.2 nothing has reached its bound
    assert torch.allclose(moved[:, shape], 1.2 * (faces.values - mean)[:, shape], atol=1e-5)


def test_exaggeration_leaves_colour_age_and_pose_alone():
    assert not any(p.shape for p in PARAMETERS if p.group is not Group.IDENTITY)
    assert not any(p.shape for p in PARAMETERS if p.name[-2:] in ("_r", "_g", "_b") or p.name == "age")


@pytest.mark.parametrize("render", RENDERERS)
def test_interpolation_is_smooth(render):
    """In 81 steps from a face with long hair to one under a turban no step moves the picture by a jump."""
    faces = people(200, seed=1)
    start = faces.rows((faces["hair_length"] > 1).nonzero()[:1, 0]).replace(
        headscarf=0.0, turban=0.0, glasses=1.0
    )
    end = faces.rows((faces["hair_fade"] > 0.5).nonzero()[:1, 0]).replace(turban=1.0, beard=1.0, glasses=0.0)
    on_the_way = render(interpolate(start, end, 81), 32).images
    moves = (on_the_way[1:] - on_the_way[:-1]).abs().mean((1, 2, 3))
    assert moves.max() < 0.12
    assert (on_the_way[0] - on_the_way[-1]).abs().mean() > 0.1


def longest_step(render, start: Faces, end: Faces, steps: int) -> float:
    """How far the picture moves at most between two neighbours on the way."""
    on_the_way = render(interpolate(start, end, steps + 1), 32).images
    return float((on_the_way[1:] - on_the_way[:-1]).abs().mean((1, 2, 3)).max())


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.slow
def test_interpolation_between_any_two_is_smooth(render):
    """Between random people steps a quarter as long move the picture about a quarter as far; a jump stays a jump.

    What may jump is small: headwear begins at a presence of two per cent.
    """
    ends = people(12, seed=20)
    for row in range(6):
        start, end = ends.rows(slice(row, row + 1)), ends.rows(slice(row + 6, row + 7))
        assert longest_step(render, start, end, 80) < 0.4 * longest_step(render, start, end, 20) + 0.005


@pytest.mark.parametrize("render", RENDERERS)
def test_a_jump_on_the_way_is_noticed(render):
    """A headscarf that is there or not, instead of fading in."""

    def snapping(faces: Faces, size: int) -> Drawn:
        return render(faces.replace(headscarf=faces["headscarf"].round()), size)

    person = people(1, seed=20)
    bare, covered = person.replace(headscarf=0.0), person.replace(headscarf=1.0)
    assert longest_step(snapping, bare, covered, 80) > 0.4 * longest_step(snapping, bare, covered, 20) + 0.005


# pictures


@pytest.mark.parametrize("render", RENDERERS)
def test_pictures_are_bounded_finite_and_differ(render):
    pictures = render(people(24), 48)
    assert pictures.images.shape == (24, 3, 48, 48)
    assert torch.isfinite(pictures.images).all()
    assert pictures.images.abs().max() <= 1
    assert 0 <= pictures.alpha.min() <= pictures.alpha.max() <= 1
    flat = pictures.images.flatten(1)
    apart = torch.cdist(flat, flat) / flat.shape[1] ** 0.5 + torch.eye(24)
    assert apart.min() > 0.1


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("bound", ["low", "high"])
def test_even_the_ends_of_every_range_can_be_drawn(render, bound: str):
    """One parameter at a time at its end, on a real person, and all of them at once."""
    person = people(1, seed=2)
    ends = torch.tensor([getattr(p, bound) for p in PARAMETERS])
    values = person.values.repeat(len(PARAMETERS) + 1, 1)
    values[torch.arange(len(PARAMETERS)), torch.arange(len(PARAMETERS))] = ends
    values[-1] = ends
    assert torch.isfinite(render(exaggerate(Faces(values), 2.5), 24).images).all()


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def levels_apart(one: Tensor, other: Tensor) -> int:
    """The largest difference of two pictures' bytes."""
    return int((one.int() - other.int()).abs().max())


@pytest.mark.parametrize("make", [Portraits, Caricatures])
def test_company_decides_no_pixel_by_more_than_a_level(make):
    """The same items alone, in batches of another size and in another order: up to one level of 255."""
    faces = make(70, size=64, seed=5)
    together = faces.pictures(slice(None)).rgb
    for rows in (torch.tensor([0]), torch.tensor([69, 33, 2]), torch.arange(20, 37)):
        assert levels_apart(faces.pictures(rows).rgb, together[rows]) <= 1


@pytest.mark.parametrize("make", [Portraits, Caricatures])
@pytest.mark.slow
def test_the_number_of_threads_decides_no_pixel_by_more_than_a_level(make, two_threads):
    faces = make(6, size=64, seed=5)
    with_two = faces.pictures(slice(None)).rgb
    assert torch.equal(faces.pictures(slice(None)).rgb, with_two)
    torch.set_num_threads(1)
    assert levels_apart(faces.pictures(slice(None)).rgb, with_two) <= 1


@pytest.mark.slow
def test_everything_is_drawn_on_the_faces_device(monkeypatch):
    """On the device “meta”, which computes nothing and, as CUDA does, refuses tensors of two devices."""
    # meta does not know who wears what, so everybody wears everything
    monkeypatch.setattr(Tensor, "nonzero", lambda mask: torch.arange(len(mask), device=mask.device)[:, None])
    faces = people(3).to("meta")
    for style in RENDERERS:
        pictures = style(faces, 32)
        assert pictures.rgb.is_meta
        assert pictures.alpha.is_meta
    ends = (faces.rows(slice(0, 1)), faces.rows(slice(1, 2)))
    derived = [exaggerate(faces, 2.0).values, interpolate(*ends, 3).values, labels(faces)]
    assert all(found.is_meta for found in [*derived, landmarks(faces, 32), part_masks(faces, 32)])


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_draws_the_same_pictures(render):
    """On the faces' device, and up to two levels the processor's."""
    faces = people(40, seed=5)
    drawn = render(faces.to("cuda"), 64)
    assert drawn.images.device.type == drawn.alpha.device.type == "cuda"
    here = render(faces, 64)
    assert levels_apart(drawn.rgb.cpu(), here.rgb) <= 2
    assert torch.allclose(landmarks(faces.to("cuda"), 64).cpu(), landmarks(faces, 64), atol=1e-2)
    assert torch.allclose(part_masks(faces.to("cuda"), 64).cpu(), part_masks(faces, 64), atol=1e-2)


@pytest.mark.parametrize(("render", "allowed"), [(draw_portraits, 0.045), (draw_caricatures, 0.075)])
@pytest.mark.slow
def test_size_does_not_matter(render, allowed: float):
    """A small picture is the large one seen from further off."""
    faces = people(12, seed=3)
    small, large = render(faces, 64), render(faces, 256)
    assert (small.images - avg_pool2d(large.images, 4)).abs().mean() < allowed
    assert (small.alpha - avg_pool2d(large.alpha, 4)).abs().mean() < 0.02


@pytest.mark.parametrize("render", RENDERERS)
def test_alpha_shows_the_person_and_only_the_person(render):
    """Where alpha is zero the background's colour decides; where it is one it has no say."""
    faces = people(16, seed=4)
    one, other = (
        render(faces.replace(ground_r=v, ground_g=v, far_r=v, ground_phase=v * 0.7), 64) for v in (0.1, 0.9)
    )
    changed = (one.images - other.images).abs().mean(1, keepdim=True)
    if render is draw_portraits:  # the caricature's pen follows ground_phase a little
        assert changed[one.alpha > 0.999].max() < 6e-3
        assert changed[one.alpha < 0.001].mean() > 0.1
    share = one.alpha.mean((1, 2, 3))
    assert 0.2 < share.min() < share.max() < 0.95


def test_expression_pose_and_light_show(crowd: Faces):
    person = people(1, seed=6).replace(
        mouth_open=0.0, yaw=0.0, light_x=0.8, hair_thin=1.0, beanie=0.0, sun_hat=0.0
    )
    person = person.replace(turban=0.0, headscarf=0.0)
    here = draw_portraits(person, 64).images
    for change in ({"smile": 1.2}, {"mouth_open": 0.9}, {"yaw": 0.35}, {"light_x": -0.8}, {"glasses": 1.0}):
        moved = (draw_portraits(person.replace(**change), 64).images - here).abs()
        assert moved.mean() > 0.0004, change
        assert moved.max() > 0.05, change


# landmarks and masks


def inside_head(points: Tensor, masks: Tensor) -> Tensor:
    """Value of the face's masks under each point `(N, K, 2)`."""
    face = 1 - masks[:, [PARTS.index(part) for part in ("background", "clothes", "neck")]].sum(1)
    x, y = points.long().clamp(0, face.shape[-1] - 1).unbind(-1)
    return face[torch.arange(len(face))[:, None], y, x]


@pytest.mark.parametrize("k", [0.0, 1.0, 2.5])
@pytest.mark.slow
def test_landmarks_lie_inside_the_head(k: float):
    """All of them; in a wild caricature the outer ends of long brows may pass the edge of a narrow head."""
    faces = exaggerate(people(64, seed=7), k)
    points, masks = landmarks(faces, 128), part_masks(faces, 128)
    assert points.shape == (64, 68, 2)
    outside = inside_head(points[:, 17:], masks) <= 0.5
    assert outside.sum() == 0 if k <= 1 else outside.float().mean() < 0.002
    assert (points[:, JAW].amin((0, 1)) > 0).all()
    assert (points[:, JAW].amax((0, 1)) < 128).all()


def test_masks_agree_with_landmarks():
    faces = people(48, seed=8).replace(hair_fringe=0.0, lids=0.0, moustache=0.0)
    points, masks = landmarks(faces, 128), part_masks(faces, 128)
    assert (masks.sum(1) - 1).abs().max() < 1e-5
    ys, xs = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    for part, rows, allowed in (("eyes", EYES, 1.5), ("mouth", MOUTH, 1.8)):
        mask = masks[:, PARTS.index(part)]
        weight = mask.sum((1, 2))
        assert weight.min() > 8
        centre = torch.stack([(mask * xs).sum((1, 2)) / weight, (mask * ys).sum((1, 2)) / weight], 1)
        drawn = points[:, rows].mean(1)
        assert (centre - drawn).norm(dim=1).median() < allowed, part


def test_landmarks_move_with_the_pose():
    person = people(1, seed=9).replace(roll=0.0, yaw=0.0, pitch=0.0, shift_x=0.0, asymmetry=0.0)
    straight = landmarks(person, 100)[0]
    nose, chin = 30, 8
    assert abs(straight[nose, 0] - 50) < 0.5
    assert landmarks(person.replace(yaw=0.3), 100)[0, nose, 0] > straight[nose, 0] + 3
    rolled = landmarks(person.replace(roll=0.15), 100)[0]
    assert rolled[chin, 0] < straight[chin, 0] - 2
    moved = landmarks(person.replace(shift_x=0.06), 100)[0]
    assert torch.allclose(moved - straight, torch.tensor([3.0, 0.0]), atol=1e-3)
    smiling = landmarks(person.replace(smile=1.2), 100)[0]
    assert smiling[48, 1] < smiling[66, 1]


def test_left_and_right_mirror():
    """A symmetric face straight ahead has symmetric landmarks."""
    points = landmarks(mean_face(), 100)[0]
    mirrored = points * torch.tensor([-1.0, 1.0]) + torch.tensor([100.0, 0.0])
    for left, right in ((0, 16), (3, 13), (17, 26), (36, 45), (39, 42), (48, 54), (31, 35)):
        assert torch.allclose(points[left], mirrored[right], atol=0.05)


# sets


def test_a_set_is_the_same_in_any_order_and_from_any_worker():
    faces = Portraits(people=6, views=2, size=32, seed=5)
    whole = faces[:]
    assert whole.shape == (12, 3, 32, 32)
    loaded = DataLoader(faces, batch_size=5)  # type: ignore[arg-type]
    assert (torch.cat(list(loaded)) - whole).abs().max() < 2 / 255
    chosen = torch.tensor([7, 0, 11])
    assert (faces[chosen] - whole[chosen]).abs().max() < 2 / 255
    assert torch.equal(faces[-1], faces[11])
    with pytest.raises(IndexError):
        faces[12]


@pytest.mark.parametrize("make", [Portraits, Caricatures, FacePairs])
@pytest.mark.slow
@pytest.mark.api
def test_workers_bring_the_same_batches(make):
    """In processes of their own, with one thread each as here: the same pictures, bit for bit."""
    faces = make(people=7, size=24, seed=5)
    seen = [
        [
            torch.stack(batch) if make is FacePairs else batch
            for batch in DataLoader(faces, 3, num_workers=count)
        ]
        for count in (0, 2)
    ]
    assert len(seen[0]) == len(seen[1]) == 3
    assert all(torch.equal(one, other) for one, other in zip(*seen, strict=True))
    assert not torch.equal(seen[0][0], seen[0][1])


def test_splits_share_nobody():
    for faces in (Portraits(50, views=3, first=10), Caricatures(50, k=2.0)):
        parts = faces.split()
        seen = [set(part.identities.tolist()) for part in parts]
        assert sum(len(part) for part in parts) == len(faces)
        assert set.union(*seen) == set(faces.identities.tolist())
        assert not (seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2])


def test_unpaired_sets_share_nobody_and_pairs_show_the_same_person():
    portraits, caricatures = unpaired(5, size=32, seed=2)
    assert not set(portraits.identities.tolist()) & set(caricatures.identities.tolist())
    pairs = FacePairs(4, size=32, seed=2)
    portrait, caricature = pairs[1]
    assert torch.equal(portrait, Portraits(4, size=32, seed=2)[1])
    assert torch.equal(caricature, Caricatures(4, size=32, seed=2)[1])
    apart, _ = FacePairs(4, size=32, seed=2, apart=True)[0:2]
    assert apart.shape == (2, 3, 32, 32)


def test_labels_are_what_the_parameters_say():
    faces = Portraits(200, seed=3)
    truth = faces.labels()
    assert truth.shape == (200, len(LABELS))
    assert truth.dtype == torch.bool
    rows = faces.table()
    assert [row["glasses"] == 1 for row in rows] != []
    assert torch.equal(torch.tensor([[row[name] for name in LABELS] for row in rows]).bool(), truth)
    hidden = faces.faces().replace(headscarf=1.0, earrings=1.0)
    assert not LABELS["earrings"](hidden).any()


def test_every_label_is_common_enough_to_learn(crowd: Faces):
    for name, rule in LABELS.items():
        assert 0.015 < rule(crowd).float().mean() < 0.7, name


def test_the_rendered_cache_holds_the_same_pictures():
    faces = Caricatures(5, size=24, seed=8)
    images = faces.rendered()
    assert images.labels.tolist() == list(range(5))
    assert (images[:] - faces[:]).abs().max() <= 1.01 / 127.5


def test_a_sticker_is_the_drawing_without_its_paper():
    """Over black and over its ground it is what was drawn; what no one covers is black; no colour exceeds its alpha."""
    stickers, drawn = Stickers(40, size=48, seed=8), Caricatures(40, size=48, seed=8).pictures(slice(None))
    images = stickers[:]
    assert images.shape == (40, 4, 48, 48)
    assert torch.equal(images[:, 3:], 2 * drawn.alpha - 1)
    assert (images[:, :3] <= images[:, 3:] + 1e-6).all()
    solid, nothing = (drawn.alpha > 0.999).expand(-1, 3, -1, -1), (drawn.alpha < 1e-3).expand(-1, 3, -1, -1)
    assert 0.2 < solid.float().mean() < 0.8
    assert 0.2 < nothing.float().mean() < 0.8
    assert (images[:, :3][solid] - drawn.images[solid]).abs().max() < 0.01
    assert images[:, :3][nothing].max() < -0.99
    kept_as_bytes = stickers.rendered()
    assert kept_as_bytes.pixels.shape == (40, 4, 48, 48)
    assert (kept_as_bytes[:] - images).abs().max() <= 1.01 / 127.5


def test_a_sticker_has_no_rim_of_paper():
    """Another paper behind the same drawing hardly shows; in pixels that are merely multiplied by alpha it does."""
    plain, disc = (people(60).replace(wash=0.0, disc=there) for there in (0.0, 1.0))
    stickers = [draw_stickers(faces).images for faces in (plain, disc)]
    drawings = [draw_caricatures(faces) for faces in (plain, disc)]
    merely_multiplied = [(drawn.images + 1) * drawn.alpha for drawn in drawings]
    rim, thick = ((one - other).abs() for one, other in (stickers, merely_multiplied))
    assert rim.mean() < 0.35 * thick.mean()
    assert rim.max() < 0.7 * thick.max()
    assert thick.max() > 0.1


def test_a_set_that_took_long_to_draw_is_drawn_once(tmp_path: Path, monkeypatch):
    """Kept by everything that decides its pictures: style, size, seed, people, k and the code that draws."""
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path))
    monkeypatch.setattr(kept, "WORTH_KEEPING", -1.0)
    drawn: list[type] = []
    original = FaceSet._drawn
    monkeypatch.setattr(FaceSet, "_drawn", lambda self, place: drawn.append(self) or original(self, place))
    sets = [
        Portraits(3, size=16),
        Portraits(3, size=17),
        Portraits(3, size=16, seed=1),
        Portraits(3, 2, size=16),
    ]
    sets += [Portraits(3, size=16, first=1), Caricatures(3, size=16), Caricatures(3, size=16, k=2.0)]
    sets += [Stickers(3, size=16)]
    fingerprints = [faces.rendered().fingerprint for faces in sets]
    assert len(set(fingerprints)) == len(drawn) == len(sets)
    assert [faces.rendered().fingerprint for faces in sets] == fingerprints
    assert len(drawn) == len(sets)
    monkeypatch.setattr(datasets, "_renderers", lambda: "another version")
    sets[0].rendered()
    assert len(drawn) == len(sets) + 1


def test_nonsense_is_refused_in_words():
    with pytest.raises(CompanionError, match="give 1 or more"):
        Portraits(0)
    with pytest.raises(CompanionError, match="choose from 16"):
        draw_portraits(people(1), 4)


def test_portraits_of_one_person_are_nearer_to_each_other_than_chance():
    """Not trivially: pose, light and dress change the pixels. But not hopelessly either."""
    faces = Portraits(24, views=2, size=32, seed=11)[:].flatten(1)
    faces = faces - faces.mean(0)
    first, second = faces[0::2], faces[1::2]
    alike = cosine_similarity(first[:, None], second[None], dim=2)
    own, others = alike.diag().mean(), (alike.sum() - alike.diag().sum()) / (24 * 23)
    assert own > others
    assert (alike.argmax(1) == torch.arange(24)).float().mean() < 0.9


@pytest.mark.parametrize("size", [64, 128])
def test_memory_is_bounded_by_the_batch_and_not_by_the_set(monkeypatch, size: int):
    """However many faces are asked for, so many pixels at most are drawn at once."""
    seen = []

    def watched(columns, side):
        seen.append(len(columns.values) * side**2)
        return columns.values.new_zeros(len(columns.values), 3, side, side), columns.values.new_zeros(
            len(columns.values), side, side
        )

    monkeypatch.setattr(render, "portrait", watched)
    pictures = draw_portraits(people(300), size)
    assert len(pictures.images) == 300
    assert max(seen) <= render.CHUNK
    assert sum(seen) == 300 * size**2


# export


@pytest.mark.parametrize("style", ["portrait", "caricature"])
def test_export_writes_a_data_set_and_the_same_one_again(tmp_path: Path, style: str):
    for name in ("one", "two"):
        export_faces(tmp_path / name, count=3, size=32, style=style, seed=3)
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert [path.as_posix() for path in files] == [
        "LICENCE.txt", "images/00000.png", "images/00001.png", "images/00002.png", "labels.csv", "landmarks.csv",
    ]  # fmt: skip
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    with Image.open(tmp_path / "one" / "images" / "00002.png") as image:
        assert (image.mode, image.size) == ("RGB", (32, 32))
    with open(tmp_path / "one" / "labels.csv", encoding="utf-8", newline="") as rows:
        table = list(csv.DictReader(rows))
    assert [row["identity"] for row in table] == ["0", "1", "2"]
    assert set(LABELS) < set(table[0])


@pytest.mark.slow
def test_another_process_exports_the_same_files(tmp_path: Path):
    """Bit for bit, with as many threads as here."""
    export_faces(tmp_path / "here", count=3, size=32, style="caricature", seed=3)
    asked = ("--count", "3", "--size", "32", "--style", "caricature", "--seed", "3")
    command = (sys.executable, "-m", "companion", "faces", "export", str(tmp_path / "there"), *asked)
    done = run("env", f"OMP_NUM_THREADS={torch.get_num_threads()}", *command)
    assert done.returncode == 0, done.stderr
    here, there = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("here", "there")
    )
    assert len(here) == 3 + 3  # pictures; labels, landmarks, licence
    assert here == there


@pytest.mark.parametrize("style", [Portraits, Caricatures])
@pytest.mark.slow
@pytest.mark.api
def test_an_export_is_read_back_as_any_other_data_set(tmp_path: Path, style: type[FaceSet]):
    """Through the folder loader: the same pictures and the same labels."""
    export_faces(tmp_path / "set", count=5, size=32, style=style.__name__.lower()[:-1], seed=3)
    found = match(load(tmp_path / "set", size=32), read_table(tmp_path / "set" / "labels.csv"))
    assert set(found.images.skipped) == {"LICENCE.txt", "labels.csv", "landmarks.csv"}
    assert found.undescribed == found.missing == ()
    faces = style(5, size=32, seed=3)
    assert torch.equal(found.images.pixels, faces.pictures(slice(None)).rgb)
    told = torch.tensor(found.table[list(LABELS)].to_numpy())
    assert torch.equal(told.bool(), faces.labels())
    assert torch.equal(found.classed("identity").labels, faces.identities)
    values = torch.tensor(found.table[[f"parameter_{name}" for name in NAMES]].to_numpy())
    assert (values - faces.faces().values).abs().max() < 1e-4
    points = match(found.images, read_table(tmp_path / "set" / "landmarks.csv")).table
    assert (torch.tensor(points.to_numpy()).view(5, 68, 2) - faces.landmarks(slice(None))).abs().max() < 1e-3


@pytest.mark.parametrize("existed", [False, True])
def test_a_broken_off_export_leaves_nothing(tmp_path: Path, monkeypatch, existed: bool):
    """Ctrl-C at the third picture of five; then the same command succeeds."""
    folder = tmp_path / "set"
    if existed:
        folder.mkdir()
    save, left = Image.Image.save, iter(range(2))

    def interrupted(self, *arguments, **options):
        if next(left, None) is None:
            monkeypatch.setattr(Image.Image, "save", save)
            raise KeyboardInterrupt
        save(self, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_faces(folder, count=5, size=16)
    assert folder.exists() is existed
    assert not any(tmp_path.rglob("*.*"))
    export_faces(folder, count=5, size=16)
    assert len(list((folder / "images").iterdir())) == 5


@pytest.mark.slow
def test_of_two_exports_into_one_folder_the_second_is_refused_and_the_first_finishes(
    tmp_path: Path, monkeypatch
):
    save = Image.Image.save
    second = []

    def meanwhile(self, *arguments, **options):
        if not second:
            command = [
                sys.executable,
                "-m",
                "companion",
                "faces",
                "export",
                str(tmp_path / "set"),
                "--count",
                "1",
            ]
            second.append(subprocess.run(command, capture_output=True, text=True))
        save(self, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", meanwhile)
    export_faces(tmp_path / "set", count=3, size=16)
    assert second[0].returncode == 2
    assert "Another process is writing" in second[0].stderr
    assert len(list((tmp_path / "set/images").iterdir())) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_what_a_killed_export_left_does_not_stop_the_next(tmp_path: Path):
    (tmp_path / ".set.1.part/images").mkdir(parents=True)
    (tmp_path / ".set.1.part/images/00000.png").touch()
    export_faces(tmp_path / "set", count=1, size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_export_refuses_what_it_cannot_do(tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(CompanionError, match="not an empty folder"):
        export_faces(tmp_path / "full", count=1)
    with pytest.raises(CompanionError, match="style of faces"):
        export_faces(tmp_path / "new", count=1, style="oil")
    assert not (tmp_path / "new").exists()


# benchmark


@pytest.mark.slow
def test_the_benchmark_runs_and_records_every_style_and_size(tmp_path: Path):
    benchmark.main(["--quick", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "faces.json").read_text(encoding="utf-8"))
    assert {(case["style"], case["size"]) for case in found["cases"]} == {
        (style, size) for style in ("portrait", "caricature") for size in (64, 128)
    }
    assert {case["threads"] for case in found["cases"]} == {1}
    assert all(case["median"] > 0 for case in found["cases"])
    page = (tmp_path / "throughput.md").read_text(encoding="utf-8")
    assert page.count("\n| ") == 1 + len(found["cases"])
    assert found["command"] == f"python -m benchmarks.faces --quick --out {tmp_path}"
    assert sum(case["as_set"] for case in found["cases"]) == 4
    for case in found["cases"]:
        how = "as a data set, eager" if case["as_set"] else "eager"
        assert f"| {case['style']}s | {case['size']}×{case['size']} | {how} | {case['threads']} | " in page
