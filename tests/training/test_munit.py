"""Guards translation: each part of the loss by the paper's equations, who learns from what, and resumption."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import l1_loss, softplus

from companion.data.batches import Domains
from companion.data.images import Images
from companion.errors import CompanionError
from companion.models.munit import Translator
from companion.objectives import Hinge, LeastSquares, NonSaturatingR1, Wasserstein
from companion.training.munit import (
    MUNITSettings,
    Shares,
    ShownContent,
    TranslationTrainer,
    build,
    styles_of,
    translated,
)

TINY = MUNITSettings(data=("a", "b"), size=16, batch=2, steps=4, width=2, styles=3, blocks=1, critic_width=2)


def pictures(name: str, seed: int, count: int = 5) -> Images:
    draw = torch.Generator().manual_seed(seed)
    return Images(name, torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=draw))


SETS = pictures("a", 1), pictures("b", 2, 7)
PAIRS = Domains(pictures("a", 3, 4)[:], pictures("b", 4, 4)[:])


class Projecting(nn.Module):
    """An encoder to which any two pictures are different people: untrained networks find all much alike."""

    class config:
        size = 16

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(5)
        self.directions = nn.Parameter(torch.randn(3 * 16 * 16, 8, generator=draw))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.directions


def made(settings: MUNITSettings = TINY):
    torch.manual_seed(0)
    return build(settings, SETS, teacher=Projecting(), pairs=PAIRS)


def advanced(translation, steps):
    return list(translation.trainer.run(translation.batches, steps=steps))


CHOICES = [
    {},
    {"objective": Hinge(), "spectral": True, "attention": True},
    {"deformable": True},
    {"objective": NonSaturatingR1(weight=1.0)},
    {"shares": Shares(cycle=5.0, perceptual=1.0), "backbone": "untrained"},
    {"shares": Shares(identity=5.0, distilled=1.0, paired=1.0)},
]


@pytest.mark.parametrize("change", CHOICES, ids=["paper", "hinge", "deformable", "r1", "more losses", "told"])
@pytest.mark.slow
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(change):
    settings = replace(TINY, **change)
    whole, first, second = (made(settings) for _ in range(3))
    reports = advanced(whole, 4)
    advanced(first, 2)
    second.trainer.restore({key: value.clone() for key, value in first.trainer.state().items()})
    assert [r.numbers for r in advanced(second, 4)] == [r.numbers for r in reports[2:]]
    wanted, found = whole.trainer.state(), second.trainer.state()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
    assert torch.equal(whole.trainer.preview(), second.trainer.preview())


def parts(trainer, batch):
    """Everything the paper's equations name, computed anew, one image side after the other."""
    with trainer.drawing("styles", 0):
        styles = torch.randn(2, len(batch), 3)
    (content_a, style_a), (content_b, style_b) = (
        trainer.players[f"encoder_{side}"].network(images)
        for side, images in (("a", batch.a), ("b", batch.b))
    )
    decode_a, decode_b = (trainer.players[f"decoder_{side}"].network for side in "ab")
    to_a, to_b = decode_a(content_b, styles[0]), decode_b(content_a, styles[1])
    return content_a, style_a, content_b, style_b, decode_a, decode_b, to_a, to_b, styles


def test_each_part_of_the_loss_is_the_papers_equation():
    """Equations 2 to 5 of Huang et al. 2018, each expectation once; λ of 10, 1 and 1, and the cycle's own."""
    settings = replace(TINY, shares=Shares(cycle=2.0))
    translation = made(settings)
    trainer, batch = translation.trainer, translation.batches[0]
    with torch.no_grad():
        content_a, style_a, content_b, style_b, decode_a, decode_b, to_a, to_b, styles = parts(trainer, batch)
        encode_a, encode_b = (trainer.players[f"encoder_{side}"].network for side in "ab")
        image = l1_loss(decode_a(content_a, style_a), batch.a) + l1_loss(
            decode_b(content_b, style_b), batch.b
        )
        content = l1_loss(encode_b(to_b)[0], content_a) + l1_loss(encode_a(to_a)[0], content_b)
        style = l1_loss(encode_b(to_b)[1], styles[1]) + l1_loss(encode_a(to_a)[1], styles[0])
        cycle = l1_loss(decode_a(encode_b(to_b)[0], style_a), batch.a)
        cycle = cycle + l1_loss(decode_b(encode_a(to_a)[0], style_b), batch.b)
        critics = [trainer.players[f"critic_{side}"].network for side in "ab"]
        critic = sum(
            0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()
            for judge, own, drawn in zip(critics, (batch.a, batch.b), (to_a, to_b), strict=True)
            for real, fake in zip(judge(own), judge(drawn), strict=True)
        )
    (report,) = trainer.run(translation.batches, steps=1)
    numbers = report.numbers
    for name, wanted in (("image", image), ("content", content), ("style", style), ("cycle", cycle)):
        assert numbers[f"{name}_loss"] == pytest.approx(float(wanted), rel=1e-4), name
    assert numbers["critic_loss"] == pytest.approx(float(critic), rel=1e-4)
    assert numbers["penalty"] == 0
    total = numbers["adversarial_loss"] + float(10 * image + content + style + 2 * cycle)
    assert numbers["generator_loss"] == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("share", ["identity", "distilled", "paired"])
def test_what_nobody_can_tell_is_refused(share):
    settings = replace(TINY, shares=Shares(**{share: 1.0}))
    trainer = made(TINY).trainer
    with pytest.raises(CompanionError, match=f"shares.{share}.*(teacher|pairs)"):
        TranslationTrainer(trainer.config, settings.critic, settings.objective, settings.shares, seed=1)


@pytest.mark.parametrize("share", ["identity", "distilled"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("identiti", "no teacher called “identiti”; did you mean identity"),
        ("digit-features", "teacher cannot be “digit-features”; choose a network that reads colour pictures"),
        ("sagan-portraits", "people: identity or faces-identity"),
        ("munit-people", "left numbers and no network"),
    ],
)
def test_a_teacher_who_knows_nobody_is_refused_before_any_data_is_read(share, name, said):
    settings = replace(TINY, data=("nowhere", "at all"), shares=Shares(**{share: 1.0}), teacher=name)
    with pytest.raises(CompanionError, match=said):
        build(settings)


def test_a_teacher_of_ones_own_who_is_none_is_refused_too():
    with pytest.raises(CompanionError, match="Linear cannot tell who is in a picture"):
        build(replace(TINY, shares=Shares(identity=1.0)), SETS, teacher=nn.Linear(3, 2))


def test_a_teacher_is_not_looked_for_where_none_is_asked():
    assert build(replace(TINY, teacher="nobody"), SETS).trainer.teacher is None


def test_a_named_teacher_has_the_first_sets_people_as_anchors():
    trainer = build(replace(TINY, shares=Shares(distilled=1.0), teacher="faces-identity"), SETS).trainer
    assert trainer.teacher.anchors.shape == (5, 64)
    torch.testing.assert_close(trainer.teacher.anchors, trainer.teacher.embedded(SETS[0][:]))


@pytest.mark.parametrize("shape", [(4, 3, 32, 32), (4, 1, 16, 16), (4, 3, 16, 12), (0, 3, 16, 16)])
@pytest.mark.parametrize("side", ["a", "b"])
def test_pairs_of_another_shape_are_refused(shape, side):
    """The other side being as it should be."""
    right = PAIRS.a[: shape[0]]
    wrong = torch.zeros(shape)
    pairs = Domains(wrong, right) if side == "a" else Domains(right, wrong)
    with pytest.raises(
        CompanionError, match=r"colour pictures \(N, 3, 16, 16\), and these are .*; give some"
    ):
        build(replace(TINY, shares=Shares(paired=1.0)), SETS, pairs=pairs)


def word(critics, fakes) -> torch.Tensor:
    """What encoders and decoders lose where they face critics with least squares."""
    return sum(
        0.5 * (scores - 1).square().mean()
        for judge, fake in zip(critics, fakes, strict=True)
        for scores in judge(fake)
    )


ALONE = [
    Shares(0, 0, 0),  # the critics' word alone
    Shares(10, 0, 0),
    Shares(0, 1, 0),
    Shares(0, 0, 1),
    Shares(10, 3, 0.5, 2),
    Shares(0, 0, 0, 0, perceptual=1),
    Shares(0, 0, 0, identity=3),
    Shares(0, 0, 0, distilled=200),
    Shares(0, 0, 0, paired=2),
]


@pytest.mark.parametrize(
    "shares",
    ALONE,
    ids=["critics", "image", "content", "style", "several", "perceptual", "identity", "distilled", "paired"],
)
def test_encoders_and_decoders_follow_the_gradient_of_the_papers_sum(shares):
    """Through fakes, contents and targets alike: nothing is cut off, and each part has its own share and side."""
    settings = replace(
        TINY, shares=shares, backbone="untrained", critic_rate=1e-12
    )  # critics that stay as they are
    translation = made(settings)
    trainer, batch = translation.trainer, translation.batches[0]
    encode_a, encode_b = (trainer.players[f"encoder_{side}"].network for side in "ab")
    critics = [trainer.players[f"critic_{side}"].network for side in "ab"]
    content_a, style_a, content_b, style_b, decode_a, decode_b, to_a, to_b, styles = parts(trainer, batch)
    (shown_a, drawn_a), (shown_b, drawn_b) = encode_b(to_b), encode_a(to_a)
    loss = word(critics, (to_a, to_b))
    image = l1_loss(decode_a(content_a, style_a), batch.a) + l1_loss(decode_b(content_b, style_b), batch.b)
    loss = loss + shares.image * image
    loss = loss + shares.content * (l1_loss(shown_a, content_a) + l1_loss(shown_b, content_b))
    loss = loss + shares.style * (l1_loss(drawn_a, styles[1]) + l1_loss(drawn_b, styles[0]))
    cycle = l1_loss(decode_a(shown_a, style_a), batch.a) + l1_loss(decode_b(shown_b, style_b), batch.b)
    loss = loss + shares.cycle * cycle
    if shares.perceptual:
        loss = loss + trainer.content(to_b, batch.a) + trainer.content(to_a, batch.b)
    if shares.taught:
        for part in ("identity", "distilled"):
            said = getattr(trainer.teacher, part)
            told = said(to_b, batch.a) + said(to_a, batch.b)
            assert told > 1e-3  # else it would not matter whom it asks for
            loss = loss + getattr(shares, part) * told
    if shares.paired:
        with trainer.drawing("pairs", 0):
            rows = torch.randint(4, (len(batch),))
        known = PAIRS[rows]
        (shows_a, way_a), (shows_b, way_b) = encode_a(known.a), encode_b(known.b)
        pairs = l1_loss(decode_a(shows_b, way_a), known.a) + l1_loss(decode_b(shows_a, way_b), known.b)
        loss = loss + shares.paired * pairs
    weights = {
        f"{kind}_{side}.{name}": weight
        for kind in ("encoder", "decoder")
        for side in "ab"
        for name, weight in trainer.players[f"{kind}_{side}"].network.named_parameters()
    }
    wanted = torch.autograd.grad(loss, [*weights.values()], materialize_grads=True)
    advanced(translation, 1)
    largest = max(float(slope.abs().max()) for slope in wanted)
    assert largest > 1e-3
    for (name, weight), slope in zip(weights.items(), wanted, strict=True):
        found = torch.zeros_like(weight) if weight.grad is None else weight.grad
        torch.testing.assert_close(found, slope, rtol=1e-3, atol=1e-4 * largest, msg=name)


@pytest.mark.parametrize("weight", [0.0, 100.0])
def test_critics_learn_their_game_with_its_penalty_and_nothing_of_the_generators_turn(weight):
    objective = NonSaturatingR1(weight=weight)
    translation = made(replace(TINY, objective=objective))
    trainer, batch = translation.trainer, translation.batches[0]
    with torch.no_grad():
        *_, to_a, to_b, _ = parts(trainer, batch)
    wanted = {}
    for side, own, fake in (("a", batch.a, to_a), ("b", batch.b, to_b)):
        critic = trainer.players[f"critic_{side}"].network
        real = own.clone().requires_grad_()
        whole = sum(scores.mean(1) for scores in critic(real)).sum()
        (slope,) = torch.autograd.grad(whole, real, create_graph=True)
        loss = weight / 2 * slope.flatten(1).square().sum(1).mean()
        for right, wrong in zip(critic(own), critic(fake), strict=True):
            loss = loss + softplus(-right).mean() + softplus(wrong).mean()
        wanted[side] = torch.autograd.grad(loss, [*critic.parameters()])
    advanced(translation, 1)
    for side, slopes in wanted.items():
        found = [each.grad for each in trainer.players[f"critic_{side}"].network.parameters()]
        torch.testing.assert_close(found, list(slopes), rtol=1e-3, atol=1e-4)


def test_a_penalty_moves_the_critics():
    moved = []
    for weight in (0.0, 100.0):
        translation = made(replace(TINY, objective=NonSaturatingR1(weight=weight)))
        advanced(translation, 1)
        moved.append(translation.trainer.players["critic_a"].network.state_dict())
    assert not all(torch.equal(moved[0][key], moved[1][key]) for key in moved[0])


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_has_other_weights_other_styles_and_other_orders_of_both_sides(seed):
    one, other = made(replace(TINY, seed=1)), made(replace(TINY, seed=seed))
    same = seed == 1
    for name, player in one.trainer.players.items():
        theirs = other.trainer.players[name].network.parameters()
        equal = [
            torch.equal(mine, its) for mine, its in zip(player.network.parameters(), theirs, strict=True)
        ]
        assert all(equal) == same, name
    for side in ("a", "b"):
        orders = [
            torch.cat([getattr(run.batches[index], side) for index in range(4)]) for run in (one, other)
        ]
        assert torch.equal(*orders) == same, side
    assert torch.equal(_styles_of_a_step(one), _styles_of_a_step(other)) == same


def _styles_of_a_step(translation) -> torch.Tensor:
    """The styles that the first step draws the other side's images in."""
    given = []
    for side in "ab":
        decoder = translation.trainer.players[f"decoder_{side}"].network
        decoder.register_forward_pre_hook(lambda _, inputs: given.append(inputs[1][2:].detach()))
    advanced(translation, 1)
    return torch.cat(given[:2])


def test_everybody_has_the_papers_optimiser_and_a_rate_of_their_own():
    trainer = made(replace(TINY, generator_rate=3e-3, critic_rate=7e-3)).trainer
    for name, player in trainer.players.items():
        (group,) = player.optimiser.param_groups
        assert group["lr"] == (7e-3 if name.startswith("critic") else 3e-3), name
        assert group["betas"] == (0.5, 0.999)
        assert group["weight_decay"] == 1e-4
        assert sum(weight.numel() for weight in group["params"]) == sum(
            weight.numel() for weight in player.network.parameters()
        )


def test_sample_grids_show_people_of_the_test_parts(monkeypatch):
    """In order, the first again where there are fewer than eight."""
    levels = {"portraits": 10, "portraits-test": 20, "caricatures": 30, "caricatures-test": 40}

    def load(source, size):
        count = 3 if source.endswith("-test") else 5
        pixels = levels[source] + torch.arange(count)[:, None, None, None].expand(-1, 3, size, size)
        return Images(source, pixels.to(torch.uint8))

    monkeypatch.setattr("companion.training.munit.load", load)
    shown = build(replace(TINY, data=("portraits", "caricatures"))).trainer.shown
    for side, level in (("a", 20), ("b", 40)):
        found = (getattr(shown, side)[:, 0, 0, 0] + 1) * 127.5
        assert found.round().tolist() == [level + number % 3 for number in range(8)]


def test_the_critics_word_is_of_the_critics_that_have_just_learnt():
    """The generators face the updated critics, with the fakes that these have seen."""
    translation = made(replace(TINY, generator_rate=1e-9, critic_rate=0.05))
    trainer, batch = translation.trainer, translation.batches[0]
    with torch.no_grad():
        *_, to_a, to_b, _ = parts(trainer, batch)
    (report,) = trainer.run(translation.batches, steps=1)
    with torch.no_grad():
        wanted = word([trainer.players[f"critic_{side}"].network for side in "ab"], (to_a, to_b))
    assert report.numbers["adversarial_loss"] == pytest.approx(float(wanted), rel=1e-4)


def test_everyone_learns_in_a_step_and_critics_keep_no_gradients_of_the_generators_turn():
    translation = made()
    trainer = translation.trainer
    before = {key: value.clone() for key, value in trainer.state().items()}
    advanced(translation, 1)
    for name, player in trainer.players.items():
        moved = [
            k
            for k, v in player.state().items()
            if k.startswith("network") and not torch.equal(v, before[f"{name}.{k}"])
        ]
        assert moved, name
    assert all(
        weight.requires_grad for player in trainer.players.values() for weight in player.network.parameters()
    )


def test_what_is_shown_counts_and_not_how():
    """The same picture in another contrast and colour is the same to the domain-invariant loss; another one is not."""
    torch.manual_seed(0)
    loss, images = ShownContent("untrained"), torch.rand(2, 3, 16, 16) * 2 - 1
    assert loss(images, images) == 0
    first = nn.Sequential(*list(loss.network.features)[:1])
    scaled = loss.network.activations(images)[0]
    assert first is not None
    assert scaled.shape[1] == 16
    assert loss(images * 0.5, images) < 0.2 * loss(torch.rand(2, 3, 16, 16) * 2 - 1, images)


def test_each_image_wants_a_style_and_a_style_wants_an_image_that_can_be_halved():
    model = made().trainer.translator()
    with pytest.raises(CompanionError, match="2 images cannot be drawn in 3 styles"):
        translated(model, torch.zeros(2, 3, 16, 16), torch.zeros(3, 3))
    with pytest.raises(CompanionError, match="The style of 8×16 pixels cannot be read"):
        styles_of(model, torch.zeros(1, 3, 16, 8))


def test_both_ways_are_products_that_share_the_averaged_networks():
    translation = made()
    advanced(translation, 2)
    products = translation.trainer.products()
    assert set(products) == {"a_to_b", "b_to_a"}
    assert all(isinstance(model, Translator) for model in products.values())
    players = translation.trainer.players
    assert products["a_to_b"].content is players["encoder_a"].best.content
    assert products["a_to_b"].style is players["encoder_b"].best.style
    assert products["a_to_b"].decoder is players["decoder_b"].best
    live = translation.trainer.translator("b", live=True)
    assert live.decoder is players["decoder_a"].network


def test_the_preview_shows_each_sides_pictures_in_two_drawn_styles_and_in_the_others():
    translation = made()
    trainer = translation.trainer
    rows = trainer.preview().split(8)
    assert len(rows) == 8
    for source, place in (("a", 0), ("b", 4)):
        model = trainer.translator(source)
        images, others = (
            (trainer.shown.a, trainer.shown.b) if source == "a" else (trainer.shown.b, trainer.shown.a)
        )
        assert torch.equal(rows[place], images)
        assert torch.equal(rows[place + 3], translated(model, images, styles_of(model, others)))
        assert not torch.equal(rows[place + 1], rows[place + 2])


def test_the_two_sides_come_in_orders_of_their_own():
    """Else sets of the same people would meet in pairs, which nobody is to know."""
    same = build(TINY, (SETS[0], SETS[0]))
    batches = [same.batches[index] for index in range(6)]
    assert all(isinstance(batch, Domains) for batch in batches)
    assert not all(torch.equal(batch.a, batch.b) for batch in batches)


@pytest.mark.slow
def test_the_fingerprint_is_of_both_sides():
    assert made().fingerprint != build(TINY, (SETS[1], SETS[0])).fingerprint
    assert made().fingerprint == SETS[0].fingerprint + SETS[1].fingerprint


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 40}, "multiple of 16"),
        ({"scales": 6}, "fewer sizes"),
        ({"width": 0}, "width"),
        ({"width": 4097}, "width cannot be 4097; choose 1 to 4096"),
        ({"styles": 10**22}, "choose 1 to 4096"),
        ({"blocks": 10**9}, "blocks cannot be 1000000000; choose 1 to 64"),
        ({"critic_width": 10**9}, "choose 1 to 4096"),
        ({"batch": 0}, "batch"),
        ({"generator_rate": 0.0}, "generator_rate"),
    ],
)
def test_impossible_settings_are_refused_before_any_data_is_read(wrong, said):
    with pytest.raises(CompanionError, match=said):
        build(replace(TINY, data=("nowhere", "at all"), **wrong))


def test_an_objective_whose_critic_takes_several_steps_is_refused():
    with pytest.raises(CompanionError, match="critic_steps cannot be 5; choose 1"):
        made(replace(TINY, objective=Wasserstein()))


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_impossible_shares_are_refused(wrong):
    with pytest.raises(CompanionError, match="cycle cannot be"):
        Shares(cycle=wrong)


def test_settings_come_back_from_json():
    settings = replace(TINY, objective=Hinge(), shares=Shares(cycle=3.0))
    assert MUNITSettings.from_json(json.loads(json.dumps(settings.as_json()))) == settings
    assert type(MUNITSettings().objective) is LeastSquares


def test_grey_pictures_become_colour_and_an_alpha_channel_is_refused(monkeypatch):
    grey = Images("grey", torch.zeros(4, 1, 16, 16, dtype=torch.uint8))
    clear = Images("clear", torch.zeros(4, 4, 16, 16, dtype=torch.uint8))
    monkeypatch.setattr("companion.training.munit.load", lambda source, size: {"a": grey, "b": clear}[source])
    assert build(replace(TINY, data=("a", "a"))).batches[0].a.shape == (2, 3, 16, 16)
    with pytest.raises(CompanionError, match="clear have an alpha channel"):
        build(TINY)
