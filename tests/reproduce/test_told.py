"""Guards how a translation is told whom it draws: by whom, whom it knows, who judges it, and what a way adds."""

from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from companion import pretrained
from companion.data.batches import Domains
from companion.data.faces import Caricatures, Portraits, unpaired
from companion.data.webp import from_webp
from companion.metrics import Measurement
from companion.models.identity import SphereFaceConfig
from companion.models.munit import MUNITConfig, Translator
from companion.reproduce.ch07 import told
from companion.reproduce.ch07.munit import SEEDS, Truth
from companion.reproduce.ch07.told import KNOWN, LEARNT, NOBODY, TESTED, TOLD, TRIED, UNTRAINED, Way
from companion.reproduce.job import Job
from companion.training.identity import Teacher, new_recognising
from companion.training.munit import PAPER, Shares

# ---- who is who ----


def test_nobody_is_in_two_parts():
    """Neither learnt from, nor known on both sides, nor tested on, nor looked at for the choice of weights."""
    portraits, caricatures = unpaired(LEARNT)
    parts = {
        "learnt": set(portraits.identities.tolist()) | set(caricatures.identities.tolist()),
        "known": set(Portraits(KNOWN, first=told.KNOWN_FROM).identities.tolist()),
        "tested": set(Portraits(TESTED, first=Truth(32, TESTED).first).identities.tolist()),
        "tried": set(Portraits(TESTED, first=TRIED["first"]).identities.tolist()),
    }
    for one, other in combinations(parts, 2):
        assert not parts[one] & parts[other], (one, other)
    assert TRIED["seed"] not in SEEDS


def test_who_is_known_on_both_sides_is_known_by_a_portrait_and_the_same_persons_drawing():
    pairs = told.known_pairs(3)
    for found, kind in ((pairs.a, Portraits), (pairs.b, Caricatures)):
        wanted = kind(3, size=32, seed=0, first=20_000)[:]
        torch.testing.assert_close(found, wanted, atol=1.5 / 127.5, rtol=0)


# ---- who tells ----


def test_each_way_puts_its_own_share_into_the_papers_loss():
    assert Way().shares == PAPER
    assert Way.by("identity", 3.0).shares == Shares(identity=3.0)
    assert Way.by("distillation", 30.0).shares == Shares(distilled=30.0)
    assert Way.by("pairs", 10.0).shares == Shares(paired=10.0)


def test_the_teacher_is_the_packaged_encoder():
    wanted = pretrained.load("identity").state_dict()
    found = told.teacher_for(Way.by("identity", 1.0)).state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.fixture
def fewer(monkeypatch) -> int:
    """How many people are known on both sides, so that the test need not draw two hundred."""
    monkeypatch.setattr(told, "KNOWN", 12)
    return 12


def test_an_untrained_teacher_is_centred_on_the_known_portraits(fewer):
    centred, portraits = told.teacher_for(Way(untrained=True)), told.known_pairs(fewer).a
    with torch.no_grad():
        torch.testing.assert_close(centred(portraits).mean(0), torch.zeros(64), atol=1e-5, rtol=0)
        assert centred.encoder(portraits).mean(0).norm() > 0.1
    fresh = new_recognising(2, SphereFaceConfig(), seed=0).encoder.state_dict()
    assert all(torch.equal(value, fresh[key]) for key, value in centred.encoder.state_dict().items())


def test_an_untrained_teacher_is_asked_for_something_once_it_is_centred(fewer):
    """Less their mean, its embeddings of portraits and of their drawings are not all alike; as they are, they are."""
    pairs = told.known_pairs(fewer)
    centred = told.teacher_for(Way(untrained=True))
    for encoder, asked in ((centred, True), (centred.encoder, False)):
        assert (Teacher(encoder, pairs.a).identity(pairs.b, pairs.a) > 0.05) == asked


# ---- who judges ----


class Hue(nn.Module):
    """Embeds a picture by its red and its green."""

    config = SimpleNamespace(size=4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :2].mean((2, 3))


def at_angles(*degrees: float) -> torch.Tensor:
    """Pictures whose embeddings lie there."""
    turns = torch.tensor(degrees).deg2rad()
    colours = torch.stack([turns.cos(), turns.sin(), torch.zeros(len(turns))], 1)
    return colours[:, :, None, None].expand(-1, -1, 4, 4)


@pytest.fixture
def seen_by_hue(monkeypatch) -> None:
    known = {"identity": Hue()}
    monkeypatch.setattr(told.pretrained, "load", known.__getitem__)


@pytest.mark.usefixtures("seen_by_hue")
def test_the_teacher_looks_for_translations_among_portraits_and_not_the_other_way_round():
    """Of the translations the second is nearer to another's portrait; of the portraits only the third finds its own."""
    portraits, images = at_angles(0, 30, 90), at_angles(10, 5, 95)
    assert told.teachers_recall(images, portraits) == pytest.approx(2 / 3)
    assert told.teachers_recall(portraits, images) == pytest.approx(1 / 3)


class Moving(nn.Module):
    """A translator to the next person's picture in the list, and a style of no effect."""

    def __init__(self) -> None:
        super().__init__()
        self.still = nn.Parameter(torch.zeros(()))

    def forward(self, images: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        assert styles.eq(7).all()
        return torch.cat([images[:1], images[1:].roll(1, 0)]) + self.still


@pytest.mark.usefixtures("seen_by_hue")
def test_the_judges_recall_is_the_truths_and_the_teachers_stands_beside_it():
    trainer = SimpleNamespace(translator={"a": Moving()}.__getitem__)
    truth = SimpleNamespace(
        portraits=at_angles(0, 30, 60, 90),
        styles=lambda its: torch.full((4, 2), 7.0) if its is trainer else None,
        all=lambda its: {"frechet": 5.0, "recall": 0.75} if its is trainer else None,
    )
    found = told.measured(trainer, truth, looks=False)
    assert found == {"frechet": 5.0, "recall": 0.75, "teacher": 1 / 4}
    looks = from_webp(told.measured(trainer, truth, looks=True)["looks"])
    assert looks.shape == (4, 3, 4, 4)
    assert looks[:, 0].mean((1, 2)).argsort().tolist() == [1, 3, 2, 0], "translations, and in their order"


# ---- what is said of them ----


def test_the_weight_is_the_one_with_the_highest_recall():
    assert told.best({0.3: 0.1, 1.0: 0.4, 3.0: 0.2}) == 1.0
    assert told.best({0.3: 0.4, 1.0: 0.4, 3.0: 0.2}) == 0.3, "the gentlest of several"


def row(recall: float, teacher: float = 0.0, frechet: float = 9.0) -> dict[str, float]:
    return {"recall": recall, "teacher": teacher, "frechet": frechet, "variety": 0.1, "back": 3.0}


PROTOCOLS = {"frechet": "halves", "recall": "by the judge", "variety": "pairs", "back": "halves"}


def test_what_a_way_adds_is_positive_where_it_has_more_seed_by_seed():
    runs = {
        "pairs": [row(0.5, 0.9, 8.0), row(0.4, 0.8, 8.0), row(0.6, 0.7, 7.0)],
        NOBODY: [row(0.2, 0.3), row(0.3, 0.3), row(0.1, 0.3)],
    }
    metrics = told.compared(runs, PROTOCOLS)
    found = {metric.name: metric for metric in metrics}
    assert len(metrics) == len(found) == 3 * len(TOLD)
    assert found[f"{TOLD['recall']}: pairs"].value == pytest.approx(0.5)
    assert found[f"{TOLD['recall']}: {NOBODY}"].value == pytest.approx(0.2)
    added = found[f"{TOLD['recall']}: what “pairs” adds"]
    assert added.value == pytest.approx(0.3)
    low, high = added.interval  # of gaps 0.3, 0.1 and 0.5, with Student's 4.303 at two degrees of freedom
    assert (low + high) / 2 == pytest.approx(0.3)
    assert (high - low) / 2 == pytest.approx(4.3027 * 0.2 / 3**0.5, rel=1e-4)
    assert added.protocol == "minus where nobody says; 3 seeds, paired"
    assert found[f"{TOLD['frechet']}: what “pairs” adds"].value == pytest.approx(-4 / 3)
    assert found[f"{TOLD['teacher']}: what “pairs” adds"].value == pytest.approx(0.5)
    assert f"{TOLD['recall']}: what “{NOBODY}” adds" not in found
    assert found[f"{TOLD['recall']}: pairs"].protocol.startswith("by the judge, mean")
    assert found[f"{TOLD['teacher']}: pairs"].protocol.startswith("by the judge, by the teacher instead")


# ---- the recipe ----


KNOWN_HERE = Domains(*torch.rand(2, KNOWN, 3, 32, 32, generator=torch.Generator().manual_seed(0)))


def at_any_weight(settings, truth, *, looks):
    """In place of a measurement: told more than it can bear, a way does worse again, and the teacher praises it yet."""
    weight = settings.shares.identity + settings.shares.distilled + settings.shares.paired
    most = {"identity": 3.0, "distilled": 30.0, "paired": 100.0}
    (way, *_) = [name for name in most if getattr(settings.shares, name)] or ["identity"]
    kept = {"looks": "a picture"} if looks else {}
    return row(weight / (weight + most[way]) - weight / 10 / most[way], teacher=weight) | kept


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """The whole recipe at the laptop's budget, with translations that take no time, and what each was asked for."""
    asked = {}

    def stand_in(job, key, settings, truth, people, *, points, teacher, pairs):
        asked[key] = SimpleNamespace(
            settings=settings, truth=truth, people=people, teacher=teacher, pairs=pairs
        )
        return settings, []

    controls = [Measurement(f"{TOLD['recall']}: chance", 0.002, ""), Measurement("of no interest", 1.0, "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(told, "followed_translation", stand_in)
        patch.setattr(told, "measured", at_any_weight)
        patch.setattr(
            told, "in_smaller_styles", lambda job, seed, truth, scale: {"recall": 0.2, "variety": scale}
        )
        patch.setattr(told, "known_pairs", {KNOWN: KNOWN_HERE}.__getitem__)
        patch.setattr(Truth, "controls", lambda self: list(controls))
        patch.setattr(Truth, "protocols", PROTOCOLS)
        return told.munit_identity(Job(tmp_path_factory.mktemp("told"))), asked


BEST = {"identity": 10.0, "distillation": 100.0, "pairs": 100.0}


def test_weights_are_chosen_by_the_judge_on_other_people_under_another_seed(comparison):
    result, asked = comparison
    tried = {key: one for key, one in asked.items() if key.startswith("weights/")}
    assert [*asked][: len(tried)] == [*tried], "before anything is compared"
    assert len(tried) == sum(len(weights) for _, weights in told.TELLING.values()) == 14
    for one in tried.values():
        assert (one.settings.seed, one.settings.steps, one.people) == (4, 400, 4000)
        assert (one.truth.first, one.truth.count, one.truth.size) == (9000, 500, 32)
    assert tried["weights/distillation 300"].settings.shares == Shares(distilled=300.0)
    assert {name: set(recalls) for name, recalls in result.details["tried"].items()} == {
        name: set(weights) for name, (_, weights) in told.TELLING.items()
    }
    assert result.settings["chosen"] == BEST
    for name, recalls in result.details["tried"].items():
        assert max(recalls.values()) == recalls[BEST[name]]


def test_what_is_compared_differs_in_nothing_but_who_tells(comparison):
    result, asked = comparison
    compared = {key: one for key, one in asked.items() if key.startswith("seed-")}
    ways = {
        NOBODY: PAPER,
        "identity": Shares(identity=10.0),
        "distillation": Shares(distilled=100.0),
        "pairs": Shares(paired=100.0),
        UNTRAINED: Shares(identity=10.0),
    }
    assert [*compared] == [f"seed-{seed}/{name}" for seed in SEEDS for name in ways]
    for key, one in compared.items():
        seed, name = key.removeprefix("seed-").split("/")
        assert (one.settings.seed, one.settings.steps, one.settings.size) == (int(seed), 1000, 32)
        assert one.settings.shares == ways[name]
        assert (one.truth.first, one.truth.count, one.people) == (8000, 500, 4000)
        assert isinstance(one.teacher, told.Centred) == (name == UNTRAINED)
        assert one.settings.teacher == ("untrained" if name == UNTRAINED else "identity")
        assert one.pairs is KNOWN_HERE
    assert result.seeds == SEEDS


def test_the_record_keeps_controls_of_what_is_asked_every_run_and_the_first_seeds_looks(comparison):
    result, _ = comparison
    assert result.metrics[0].name == f"{TOLD['recall']}: chance"
    runs = result.details["runs"]
    compared = told.compared(runs, PROTOCOLS)
    assert result.metrics[1 : 1 + len(compared)] == compared
    quiet = result.details["quiet"]
    assert list(quiet) == [0.5, 0.25, 0.0]
    beyond = [*told.quieter(quiet, PROTOCOLS), *told.beyond_quiet(runs, quiet)]
    assert result.metrics[1 + len(compared) :] == beyond
    for rows in runs.values():
        assert [each["seed"] for each in rows] == SEEDS
        assert [set(each) - {"seed", *TOLD} for each in rows] == [{"looks"}, set(), set()]


def test_what_is_gained_beyond_quieter_styles_is_measured_against_the_best_of_them():
    runs = {
        told.NOBODY: [{"recall": 0.1}, {"recall": 0.2}],
        "identity": [{"recall": 0.5}, {"recall": 0.4}],
    }
    quiet = {0.5: [{"recall": 0.3}, {"recall": 0.1}], 0.25: [{"recall": 0.2}, {"recall": 0.3}]}
    (found,) = told.beyond_quiet(runs, quiet)
    assert found.name.endswith("what “identity” adds to smaller styles")
    assert found.value == pytest.approx(0.2)  # (0.5 − 0.2 + 0.4 − 0.3) / 2
    assert "× 0.25" in found.protocol


def test_smaller_styles_are_the_same_ones_multiplied(monkeypatch):
    asked = []

    def noted(translator, images, styles):
        asked.append(styles)
        return images

    monkeypatch.setattr("companion.reproduce.ch07.munit.translated", noted)
    truth = Truth(32, 12)
    translator = Translator(MUNITConfig(width=2, blocks=1))
    whole, half = (truth.in_styles(translator, scale) for scale in (1.0, 0.5))
    assert len(asked) == 8
    for one, smaller in zip(asked[:4], asked[4:], strict=True):
        torch.testing.assert_close(smaller, one / 2)
    assert whole == half
    assert whole["recall"] == 1.0
    assert whole["variety"] == 0.0
