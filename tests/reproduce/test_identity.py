"""Guards who is verified against whom, in whose units, and what one way has over another: on planted embeddings."""

from copy import deepcopy
from functools import cache, partial
from statistics import fmean, stdev

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms.v2.functional import rgb_to_grayscale

from companion.data.assets import manifest
from companion.data.faces import Caricatures, Portraits
from companion.models.identity import SphereFaceConfig
from companion.reproduce.ch00 import faces
from companion.reproduce.ch07 import identity, verifying
from companion.reproduce.ch07.identity import CONTROL, FINE_TUNED, FIRST
from companion.reproduce.ch07.munit import SEEDS
from companion.reproduce.ch07.verifying import Crowd, among_themselves, gaps, over_folds, verified
from companion.reproduce.job import Job
from companion.training.faces import read_faces
from companion.training.identity import new_recognising, recognition_lessons

# ---- a crowd ----

CROWD = Crowd(4, 3, size=16)


@cache
def drawn(kind) -> torch.Tensor:
    """Seven people in six views, `(7, 6, 3, 16, 16)`: those who are learnt from, and after them the strangers."""
    return kind(7, 6, 16, seed=31).rendered().pixels.view(7, 6, 3, 16, 16)


@cache
def strangers() -> dict[str, torch.Tensor]:
    return CROWD.strangers()


def the_same(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    """But for the one level by which pictures differ that were drawn in other company."""
    assert found.shape == wanted.shape
    return bool((found.int() - wanted.int()).abs().max() <= 1)


def test_strangers_are_the_people_after_those_who_are_learnt_from():
    found = strangers()
    assert set(found) == {"gallery", "portraits", "drawings"}
    assert the_same(found["gallery"], drawn(Portraits)[4:, 0])
    assert the_same(found["portraits"], drawn(Portraits)[4:, 1])
    assert the_same(found["drawings"], drawn(Caricatures)[4:, 1]), "of the portraits' day"


def test_albums_are_of_portraits_or_half_of_drawings_of_the_same_people_on_other_days():
    albums = CROWD.albums()
    assert set(albums) == {"portraits", "both"}
    assert the_same(albums["portraits"], drawn(Portraits)[:4])
    assert the_same(albums["both"][:, :3], drawn(Portraits)[:4, :3])
    assert the_same(albums["both"][:, 3:], drawn(Caricatures)[:4, 3:])


@pytest.mark.parametrize("kind", [Portraits, Caricatures])
def test_nobody_is_known_and_a_stranger(kind):
    known, unknown = CROWD.known(kind), CROWD.unknown(kind)
    assert isinstance(known, kind)
    assert isinstance(unknown, kind)
    assert set(known.identities.tolist()) == {0, 1, 2, 3}
    assert set(unknown.identities.tolist()) == {4, 5, 6}
    assert (known.seed, unknown.seed) == (verifying.PEOPLE_SEED,) * 2
    assert [CROWD.known(kind, most).people for most in (2, 4, 9)] == [2, 4, 4]


def test_neither_the_judge_nor_the_translations_have_seen_them():
    assert len({verifying.PEOPLE_SEED, faces.PEOPLE_SEED, Portraits(1).seed}) == 3


# ---- verification ----


def of_any_length(rows: torch.Tensor, seed: int) -> torch.Tensor:
    """The same directions."""
    draw = torch.Generator().manual_seed(seed)
    return rows * (0.5 + 3 * torch.rand(len(rows), 1, generator=draw))


@pytest.fixture
def planted() -> dict[str, torch.Tensor]:
    """Forty strangers, four in each fold of ten, at right angles in the gallery.

    Of a fold's four, two have a second portrait like the first, one has the opposite of it, and one (numbers 10 to 19)
    resembles the next person more, by a cosine of 0.8, than themselves, by 0.6. One of four is drawn as themselves, but
    for number 3; all others as the opposite.
    """
    gallery = torch.eye(40)
    portraits, drawings = gallery.clone(), -gallery
    portraits[10:20] = 0.6 * gallery[10:20] + 0.8 * gallery[11:21]
    portraits[30:] *= -1
    drawings[:10] *= -1
    drawings[3] *= -1
    rows = {"gallery": gallery, "portraits": portraits, "drawings": drawings}
    return {name: of_any_length(each, seed) for seed, (name, each) in enumerate(rows.items())}


def test_strangers_are_verified_against_the_gallery_fold_by_fold(planted):
    """Ten wrong pairs at 0.8 are more than one in a thousand, less than one in a hundred: only the rarer bars 0.6."""
    found = verified(planted)
    assert set(found) == {"portraits", "drawings"}
    assert found["portraits"]["1 %"] == [0.75] * 10
    assert found["portraits"]["0.1 %"] == [0.5] * 10
    for rate in ("1 %", "0.1 %"):
        assert found["drawings"][rate] == [0.25] * 3 + [0.0] + [0.25] * 6
    pairs = 40 * 39
    assert found["portraits"]["area"] == pytest.approx((20 + 10 * (pairs - 10) / pairs) / 40)
    assert found["drawings"]["area"] == pytest.approx(9 / 40)


def test_a_drawing_is_held_against_the_gallery_and_not_against_the_portrait_of_its_day(planted):
    """Drawn as the other day's portrait shows them, and everybody in the gallery as somebody else."""
    planted["drawings"] = planted["portraits"].clone()
    planted["gallery"] = planted["gallery"].roll(1, 0)
    found = verified(planted)
    assert fmean(found["drawings"]["0.1 %"]) == 0
    planted["gallery"] = planted["portraits"].clone()
    assert fmean(verified(planted)["drawings"]["0.1 %"]) == 1


# ---- one set of pictures ----


@pytest.fixture
def album() -> tuple[torch.Tensor, torch.Tensor]:
    """Forty people in two pictures each, in any order, under odd numbers: 30 twice alike, nine opposite, an outlier.

    The outlier's second picture is, nearly, the first person's.
    """
    first, second = torch.eye(40), torch.eye(40)
    second[30:39] *= -1
    second[39] = first[0] - 0.1 * first[39]
    order = torch.randperm(80, generator=torch.Generator().manual_seed(1))
    who = 3 * torch.arange(40).repeat(2) + 7
    return of_any_length(torch.cat([first, second]), 5)[order], who[order]


def test_each_pair_of_a_set_is_asked_about_once_and_no_picture_is_held_against_itself(album):
    """Against themselves all eighty would be alike, and seven of eight true pairs accepted."""
    found = among_themselves(*album)
    assert found["area"] == pytest.approx(30 / 40)
    assert found["1 %"] == found["0.1 %"] == [0.75] * 10


def test_a_picture_is_found_where_the_nearest_other_one_is_of_the_same_person(album):
    assert among_themselves(*album)["nearest"] == 60 / 80


def test_same_pictures_are_told_apart_perfectly_and_chance_is_chance():
    torch.manual_seed(0)
    who = torch.arange(40).repeat_interleave(4)
    exact = among_themselves(torch.eye(40)[who] + 0.01 * torch.randn(160, 40), who)
    assert (exact["area"], exact["nearest"]) == (1, 1)
    assert exact["1 %"] == [1.0] * verifying.FOLDS
    blind = among_themselves(torch.randn(160, 40), who)
    assert blind["area"] == pytest.approx(0.5, abs=0.06)
    assert blind["nearest"] < 0.15


# ---- what is said of them ----


def rates(one_percent: list[float], rarer: list[float], area: float) -> dict[str, object]:
    return {"area": area, "1 %": one_percent, "0.1 %": rarer}


def found_with(portraits: float, drawings: float) -> verifying.Found:
    """As a seed may find, alike in all ten folds."""
    tasks = {"portraits": portraits, "drawings": drawings}
    return {task: rates([share] * 10, [share / 2] * 10, share / 4) for task, share in tasks.items()}


def test_a_rate_is_the_mean_of_folds_and_its_deviation_is_of_the_seeds_mean():
    one, other = [0.1 * fold for fold in range(10)], [0.5] * 10
    rows = [{"task": rates(one, other, 0.7)}, {"task": rates(other, other, 0.8) | {"nearest": 1.0}}]
    rows[0]["task"]["nearest"] = 0.5
    area, nearest, rate, rarer = over_folds("encoder", rows, {"task": "two of them"}, "40 people")
    assert (area.name, area.value) == ("area under the curve, two of them: encoder", pytest.approx(0.75))
    assert (nearest.name, nearest.value) == ("recall at one, two of them: encoder", pytest.approx(0.75))
    means = [(mine + its) / 2 for mine, its in zip(one, other, strict=True)]
    assert rate.name == "true accepts at 1 % false, two of them: encoder"
    assert (rate.value, rate.spread) == (pytest.approx(fmean(means)), pytest.approx(stdev(means)))
    assert rarer.name == "true accepts at 0.1 % false, two of them: encoder"
    assert (rarer.value, rarer.spread, rarer.n) == (pytest.approx(0.5), 0, 10)
    assert area.protocol == "40 people, all pairs; 2 seeds"
    assert "deviation over 10 folds" in rate.protocol
    single = next(over_folds("encoder", rows[:1], {"task": "two of them"}, "40 people"))
    assert (single.value, single.protocol) == (pytest.approx(0.7), "40 people, all pairs; one run")


def test_a_gap_is_positive_where_ones_own_accepts_more_seed_by_seed():
    own, others = [found_with(0.9, 0.6), found_with(0.7, 0.6)], [found_with(0.6, 0.8), found_with(0.6, 0.6)]
    portraits, drawings = gaps("one, minus the other", own, others)
    assert portraits.name == "true accepts at 1 % false, two portraits: one, minus the other"
    assert portraits.value == pytest.approx((0.3 + 0.1) / 2)
    assert portraits.spread == pytest.approx(stdev([0.3, 0.1]))
    assert drawings.name == "true accepts at 1 % false, a portrait and a drawing: one, minus the other"
    assert drawings.value == pytest.approx(-0.1)
    assert "2 seeds" in drawings.protocol


def test_what_fine_tuning_gains_is_over_the_control_and_not_over_where_both_began():
    found = {
        FIRST: [found_with(0.1, 0.1)],
        CONTROL: [found_with(0.7, 0.3)],
        FINE_TUNED: [found_with(0.6, 0.8)],
    }
    portraits, drawings = identity.gains(found)
    assert portraits.name.endswith("two portraits: portraits, then both, minus the control")
    assert (portraits.value, drawings.value) == (pytest.approx(-0.1), pytest.approx(0.5))


# ---- lessons ----


def test_the_control_goes_on_with_portraits_and_the_other_with_both_from_the_same_start(
    tmp_path, monkeypatch
):
    """Bit for bit what the lessons by themselves make; all that differs between the two is the album."""
    monkeypatch.setattr("companion.training.runs.losses_of_run", lambda folder, then: None)
    draw = torch.Generator().manual_seed(0)
    portraits, both = torch.randint(256, (2, 4, 2, 3, 32, 32), dtype=torch.uint8, generator=draw)
    albums = {"portraits": portraits, "both": both}

    def lessons(model: nn.Module, album: torch.Tensor, seed: int) -> nn.Module:
        made = recognition_lessons(model, album, rounds=1, seed=seed)
        list(made.trainer.run(made.batches, steps=made.steps))
        (taught,) = made.trainer.products().values()
        return taught

    first = lessons(new_recognising(4, SphereFaceConfig(width=2), seed=5), portraits, 5)
    wanted = {
        FIRST: deepcopy(first),
        FINE_TUNED: lessons(deepcopy(first), both, 15),
        CONTROL: lessons(deepcopy(first), portraits, 15),
    }
    budget = {"people": 4, "rounds": 1, "tested": 3, "width": 2}
    found = identity.taught_each_way(Job(tmp_path), 5, albums, budget)
    assert set(found) == set(wanted)
    for name, model in wanted.items():
        theirs = model.encoder.state_dict()
        for key, value in found[name].state_dict().items():
            assert torch.equal(value, theirs[key]), (name, key)
    weights = [next(found[name].parameters()) for name in identity.WAYS]
    assert not any(torch.equal(weights[one], weights[other]) for one, other in ((0, 1), (0, 2), (1, 2)))


class Projecting(nn.Module):
    """Stands in for an encoder: another seed sees other directions."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.directions = nn.Parameter(torch.randn(3 * 32 * 32, 8, generator=draw))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.directions


class Planted:
    """Stands in for a crowd: noise, by which encoders that project can be told apart."""

    def __init__(self, learnt: int, tested: int) -> None:
        self.counts = learnt, tested
        self.draw = torch.Generator().manual_seed(0)

    def albums(self) -> dict[str, torch.Tensor]:
        return {"portraits": self.noise(5, 6), "both": self.noise(5, 6)}

    def strangers(self) -> dict[str, torch.Tensor]:
        gallery = self.noise(40)
        return {
            "gallery": gallery,
            "portraits": gallery // 2 + self.noise(40) // 2,
            "drawings": self.noise(40),
        }

    def noise(self, *shape: int) -> torch.Tensor:
        return torch.randint(256, (*shape, 3, 32, 32), dtype=torch.uint8, generator=self.draw)


def summed(rows: dict[str, torch.Tensor]) -> verifying.Found:
    """In place of `verified`: numbers in which every row counts, by what it shows."""
    gallery = float(rows["gallery"].double().abs().mean())
    return {
        task: rates([gallery - float(rows[task].double().abs().mean())] * 10, [0.5] * 10, gallery)
        for task in verifying.TASKS
    }


def test_the_recipe_verifies_its_strangers_by_every_encoder_of_every_seed(tmp_path, monkeypatch):
    budget = {"people": 5, "rounds": 1, "tested": 40, "width": 2}
    monkeypatch.setitem(identity.BUDGETS, "laptop", budget)
    monkeypatch.setattr(identity, "Crowd", Planted)
    monkeypatch.setattr(identity, "verified", summed)
    monkeypatch.setattr(identity, "gradients", lambda pixels: pixels.flatten(1).float().square())
    crowd, taught, asked = Planted(5, 40), {}, []
    albums, strangers = crowd.albums(), crowd.strangers()
    plain = {name: identity.grey(pixels) for name, pixels in strangers.items()}

    def stand_in(job, seed, given, its_budget):
        assert its_budget == budget
        assert all(torch.equal(given[name], pixels) for name, pixels in albums.items())
        taught[seed] = {name: Projecting(10 * seed + at) for at, name in enumerate(identity.WAYS)}
        return taught[seed]

    monkeypatch.setattr(identity, "taught_each_way", stand_in)
    monkeypatch.setattr(identity, "formulas", lambda *given: asked.append(given) or {"a formula": plain})
    result = identity.identity(Job(tmp_path))
    ((given, theirs),) = asked
    assert given.counts == crowd.counts
    assert all(torch.equal(theirs[name], pixels) for name, pixels in strangers.items())

    def by(embed) -> verifying.Found:
        return summed({name: embed(pixels) for name, pixels in strangers.items()})

    found = result.details["found"]
    for name in identity.WAYS:
        wanted = [by(partial(read_faces, taught[seed][name])) for seed in SEEDS]
        assert found[name] == wanted
        assert wanted[0] != wanted[1]
    untrained = [new_recognising(2, SphereFaceConfig(width=2), seed=seed).encoder for seed in SEEDS]
    assert found["an untrained network"] == [by(partial(read_faces, one)) for one in untrained]
    assert found["histograms of gradients"] == [by(identity.gradients)]
    assert found["a formula"] == [summed(plain)]
    assert result.model is taught[SEEDS[0]][FINE_TUNED]
    assert result.seeds == SEEDS
    assert result.metrics[-2:] == identity.gains(found)
    named = {metric.name: metric for metric in result.metrics}
    portraits = named[f"true accepts at 1 % false, two portraits: {CONTROL}"]
    folds = torch.tensor([row["portraits"]["1 %"] for row in found[CONTROL]])
    assert portraits.value == pytest.approx(float(folds.mean())) != 0
    assert "40 strangers, all pairs; 3 seeds" in portraits.protocol


# ---- without a network ----


def turned(points: np.ndarray, angle: float, scale: float, shift: complex) -> np.ndarray:
    moved = (points @ [1, 1j]) * scale * np.exp(1j * angle) + shift
    return np.stack([moved.real, moved.imag], 1)


def nearest_to(goal: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What is left between a goal and points laid onto it: least squares over complex numbers."""
    numbers, wanted = points @ [1, 1j], goal @ [1, 1j]
    system = np.stack([numbers, np.ones_like(numbers)], 1)
    left = system @ np.linalg.lstsq(system, wanted, rcond=None)[0] - wanted
    return np.stack([left.real, left.imag], 1).flatten()


def test_landmarks_that_are_turned_scaled_and_shifted_lie_on_their_goal_and_mirrored_ones_do_not():
    goal = np.random.default_rng(0).normal(size=(9, 2)) * 10
    points = np.stack([turned(goal, 0.7, 0.3, 5 - 2j), turned(goal, -2.0, 4.0, 1j), goal * [-1, 1]])
    found = identity.laid(goal, torch.from_numpy(points))
    assert found.shape == (3, 18)
    assert found[:2].abs().max() < 1e-5
    assert found[2].abs().max() > 1


@pytest.fixture(scope="module")
def unwhitened() -> dict[str, dict[str, torch.Tensor]]:
    """The rows of every formula as they are before whitening, and those of the others as “known”."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "whitened", lambda rows, known: {**rows, "known": known})
        patch.setattr(identity, "OTHERS", 3)
        return identity.formulas(CROWD, strangers())


def test_formulas_compare_strangers_and_are_whitened_by_people_who_are_none(unwhitened):
    rows, known = unwhitened["grey pixels, whitened"], drawn(Portraits)[:3]
    for found, pixels in (
        *((rows[name], pixels) for name, pixels in strangers().items()),
        (rows["known"].flatten(0, 1), known.flatten(0, 1)),
    ):
        levels = rgb_to_grayscale(pixels).float().flatten(1)
        torch.testing.assert_close(found, levels - levels.mean(1, keepdim=True), atol=2.0, rtol=0)
        assert found.mean(1).abs().max() < 1e-3
    assert rows["known"].shape == (3, 6, 256)


def test_true_landmarks_are_laid_onto_the_mean_of_known_people(unwhitened):
    """Those of strangers, of portraits and drawings each, and those that tell how much they vary."""
    rows = unwhitened["true landmarks, whitened"]
    assert set(rows) == {"gallery", "portraits", "drawings", "known"}
    photographed, sketched = (
        kind(7, 6, 16, seed=31).landmarks(slice(None)).view(7, 6, 68, 2).double().numpy()
        for kind in (Portraits, Caricatures)
    )
    goal = photographed[:3].reshape(-1, 68, 2).mean(0)
    wanted = {
        "gallery": photographed[4:, 0],
        "portraits": photographed[4:, 1],
        "drawings": sketched[4:, 1],
        "known": photographed[:3].reshape(-1, 68, 2),
    }
    for name, points in wanted.items():
        found = rows[name].reshape(-1, 136).numpy()
        np.testing.assert_allclose(found, np.stack([nearest_to(goal, one) for one in points]), atol=1e-4)
        assert np.abs(found - (points - goal).reshape(-1, 136)).max() > 0.1, "they were not there before"


def test_landmarks_that_are_off_are_off_by_half_a_pixel(unwhitened):
    true, off = (
        unwhitened[f"{name}, whitened"] for name in ("true landmarks", "landmarks off by half a pixel")
    )
    for name, rows in true.items():
        assert (off[name] - rows).std() == pytest.approx(0.5, rel=0.1), name
    errors = torch.stack([off[name] - true[name] for name in ("gallery", "portraits", "drawings")])
    assert torch.corrcoef(errors.flatten(1)).triu(1).abs().max() < 0.2, "each has errors of its own"


# ---- real people ----


@pytest.mark.slow
def test_of_real_people_the_recipe_says_how_many_of_each_encoder_there_were(tmp_path):
    """Its debug run leaves dlib out, and the rest is there; a picture is never compared with itself."""
    if not manifest()["orl"].here:
        pytest.skip("needs the ORL faces: companion assets fetch orl")
    result = identity.identity_people(Job(tmp_path, "debug"))
    areas = {m.name: m for m in result.metrics if m.name.startswith("area")}
    assert len(areas) == 4
    assert all(0.5 < one.value < 1 for one in areas.values())
    assert all("120 of 120 photographs of 12 people" in one.protocol for one in areas.values())


def test_of_dlibs_pairs_those_count_in_which_it_finds_both_faces(tmp_path, monkeypatch, album):
    """It misses ten of eighty; the others are given planted embeddings, under their own people's numbers."""
    rows, who = album
    there = torch.ones(80, dtype=torch.bool)
    there[(who < 7 + 3 * 10).nonzero()[::2, 0]] = False  # one picture each of some, both of others
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (80, 3, 8, 8), dtype=torch.uint8, generator=draw)
    monkeypatch.setattr(identity, "people", lambda size: (pixels, who))
    monkeypatch.setattr(identity, "gradients", identity.grey)
    monkeypatch.setattr(identity, "read_faces", lambda model, pixels: pixels.flatten(1).float())
    monkeypatch.setattr(identity, "dlib_embeddings", lambda pixels: (rows * there[:, None], there))
    twice = [int((who[there] == number).sum()) == 2 for number in who.unique()]
    result = identity.identity_people(Job(tmp_path))
    named = {metric.name: metric for metric in result.metrics}
    area = named["area under the curve, two photographs: dlib's network"]
    wanted = among_themselves(rows[there], who[there])
    assert sum(twice) < 40
    assert area.value == pytest.approx(wanted["area"])
    assert f"70 of 80 photographs of {len(who[there].unique())} people (ORL)" in area.protocol
    assert named["recall at one, two photographs: dlib's network"].value == pytest.approx(wanted["nearest"])


def test_what_the_margin_adds_is_the_record_less_what_is_taught_without(tmp_path, monkeypatch):
    budget = {"people": 5, "rounds": 1, "tested": 40, "width": 2}
    monkeypatch.setitem(identity.BUDGETS, "laptop", budget)
    monkeypatch.setattr(identity, "Crowd", Planted)
    asked = []

    def stand_in(job, seed, albums, its_budget, *, margin, ways):
        asked.append((seed, margin, ways))
        return {FIRST: Projecting(seed)}

    def found(value):
        return {task: rates([value] * 10, [value / 2] * 10, value) for task in verifying.TASKS}

    known = {FIRST: [found(0.9), found(0.8), found(0.7)]}
    monkeypatch.setattr(identity, "taught_each_way", stand_in)
    monkeypatch.setattr(identity, "verified", lambda rows: found(0.4))
    monkeypatch.setattr(identity.pretrained, "details", lambda name: {"found": known})
    result = identity.identity_margin(Job(tmp_path))
    assert asked == [(seed, 0.0, (FIRST,)) for seed in SEEDS]
    told = {one.name: one for one in result.metrics}
    for words in verifying.TASKS.values():
        one = told[f"true accepts at 1 % false, {words}: {FIRST}: what the margin adds"]
        assert one.value == pytest.approx(0.4)
        assert one.interval[0] < 0.2 < 0.6 < one.interval[1], "Student's, over three seeds"
        other = told[f"true accepts at 0.1 % false, {words}: {FIRST}: what the margin adds"]
        assert other.value == pytest.approx(0.2)
        assert told[f"area under the curve, {words}: {FIRST}, no margin"].value == pytest.approx(0.4)
