"""Guards translation: each part of the loss by the paper's equations, who learns from what, and resumption."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import l1_loss

from companion.data.batches import Domains
from companion.data.images import Images
from companion.errors import CompanionError
from companion.models.munit import Translator
from companion.objectives import Hinge, LeastSquares, NonSaturatingR1, Wasserstein
from companion.training.munit import MUNITSettings, Shares, ShownContent, build, styles_of, translated

TINY = MUNITSettings(data=("a", "b"), size=16, batch=2, steps=4, width=2, styles=3, blocks=1, critic_width=2)


def pictures(name: str, seed: int, count: int = 5) -> Images:
    draw = torch.Generator().manual_seed(seed)
    return Images(name, torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=draw))


SETS = pictures("a", 1), pictures("b", 2, 7)


def made(settings: MUNITSettings = TINY):
    return build(settings, SETS)


def advanced(translation, steps):
    return list(translation.trainer.run(translation.batches, steps=steps))


CHOICES = [
    {},
    {"objective": Hinge(), "spectral": True, "attention": True},
    {"objective": NonSaturatingR1(weight=1.0)},
    {"shares": Shares(cycle=5.0, perceptual=1.0), "backbone": "untrained"},
]


@pytest.mark.parametrize("change", CHOICES, ids=["paper", "hinge", "r1", "more losses"])
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


def test_the_critics_word_is_of_the_critics_that_have_just_learnt():
    """The generators face the updated critics, with the fakes that these have seen."""
    translation = made(replace(TINY, generator_rate=1e-9, critic_rate=0.05))
    trainer, batch = translation.trainer, translation.batches[0]
    with torch.no_grad():
        *_, to_a, to_b, _ = parts(trainer, batch)
    (report,) = trainer.run(translation.batches, steps=1)
    with torch.no_grad():
        wanted = sum(
            0.5 * (scores - 1).square().mean()
            for side, fake in (("a", to_a), ("b", to_b))
            for scores in trainer.players[f"critic_{side}"].network(fake)
        )
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
