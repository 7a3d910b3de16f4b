"""Guards chapter 6's short recipes: what a slider's matrix and the table of generators hold, on untrained networks."""

from dataclasses import replace

import pytest
import torch

from companion import pretrained
from companion.data.faces import LABELS
from companion.models.vae import VAE, VAEConfig
from companion.objectives import NonSaturatingR1
from companion.reproduce.ch06 import families, generators, sliders
from companion.reproduce.ch06.common import fidelity, sharpness
from companion.reproduce.job import Job


@pytest.fixture
def untrained(monkeypatch):
    """In place of the shipped autoencoder a small one that has learnt nothing."""
    torch.manual_seed(0)
    model = VAE(VAEConfig(size=64, channels=3, latents=6, width=4)).eval()
    found = pretrained.load
    monkeypatch.setattr(pretrained, "load", lambda name: model if name == "faces-vae" else found(name))
    return model


def test_directions_come_in_four_ways_and_the_orthogonal_ones_are():
    torch.manual_seed(0)
    codes, labels = torch.randn(200, 40), torch.rand(200, len(LABELS)) < 0.4
    ways = sliders.found_directions(codes, labels)
    assert set(ways) == {"means", "logistic", "means, orthogonal", "logistic, orthogonal"}
    apart = ways["means, orthogonal"]["smiling"]
    for name, direction in ways["means"].items():
        shared = float(apart @ direction)
        assert shared == pytest.approx(0, abs=1e-4) or name == "smiling"
    left = ways["means, orthogonal"]["looks_left"]
    assert abs(float(left @ ways["means"]["looks_right"])) > 1e-3, "an opposite may share its axis"


@pytest.mark.slow
def test_the_sliders_recipe_reads_every_attribute_off_both_ends(untrained, tmp_path):
    result = sliders.faces_sliders(Job(tmp_path, "debug"))
    for table in result.details["ways"].values():
        assert len(table["matrix"]) == len(sliders.SLIDERS)
        assert {len(row) for row in table["matrix"]} == {len(LABELS)}
        assert all(0 <= share <= 1 for share in table["recognised"])
    titles = {metric.name for metric in result.metrics}
    assert "mean change of its own attribute, logistic" in titles
    assert "change of its own attribute, means: smiling" in titles


def test_reconstructions_are_judged_by_known_pictures():
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert sharpness(images, images) == pytest.approx(1.0)
    assert sharpness(images / 2, images) == pytest.approx(0.25)  # an energy: half as steep counts a quarter
    soft = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    assert sharpness(soft, images) < 0.5
    assert fidelity(images + 0.2, images, None)["PSNR"] == pytest.approx(20.0, abs=1e-3)


def test_what_draws_is_the_decoder_of_an_autoencoder_and_the_generator_itself(untrained):
    generator = pretrained.load("sagan-portraits")
    assert generators.drawer(untrained) is untrained.decoder
    assert generators.drawer(generator) is generator
    assert generators.drawn_latents(untrained, 3).shape == (3, 6)
    assert generators.drawn_latents(generator, 3).shape == (3, 64)


def test_a_trial_changes_rates_and_the_weight_of_the_fine_alone():
    family = replace(families.FAMILIES["non-saturating, R1"], trials=families.MORE["non-saturating, R1"])
    weights = set()
    for number, trial in enumerate(family.trials):
        settings = family.at(number, seed=3, steps=7)
        assert isinstance(settings.objective, NonSaturatingR1)
        assert settings.objective.weight == trial["weight"]
        weights.add(trial["weight"])
        assert (settings.generator_rate, settings.seed, settings.steps) == (trial["generator_rate"], 3, 7)
        back = replace(settings, objective=family.settings.objective, seed=family.settings.seed)
        rates = ("generator_rate", "critic_rate", "steps")
        assert replace(back, **{key: getattr(family.settings, key) for key in rates}) == family.settings
    assert weights == {1.0, 10.0, 100.0}
    attentive = families.FAMILIES["SAGAN"].at(0, seed=1, steps=1)
    assert attentive.critic_rate == 4 * attentive.generator_rate


def test_the_trial_is_taken_that_comes_nearest_and_all_are_told(tmp_path, monkeypatch):
    """Four rates, of which the third draws what is real."""
    real = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)).double()
    family = replace(families.FAMILIES["DCGAN"], trials=families.MORE["DCGAN"])

    class Drawn:
        def __init__(self, settings):
            self.off = 0.0 if settings.generator_rate == family.trials[2]["generator_rate"] else 2.0

        def sample(self, count, seed):
            return real[:count] + self.off

    def finished(job, key, settings):
        assert (settings.seed, settings.steps) == (max(families.SEEDS) + 1, family.steps // 3)
        return Drawn(settings)

    monkeypatch.setattr(families, "_finished", finished)
    monkeypatch.setattr(families, "FaceFeatures", lambda: lambda images: images)
    found = families._chosen(Job(tmp_path, "debug"), "DCGAN", family, real)
    assert found["trial"] == 2
    assert found["rates"] == family.trials[2]
    assert [one["rates"] for one in found["tried"]] == list(family.trials)
    assert [round(one["frechet"], 3) for one in found["tried"]] == [16, 16, 0, 16]


def test_each_further_trial_is_told_by_its_rate_and_the_two_most_promising_run_the_race(
    tmp_path, monkeypatch
):
    """A distance is the family's place and a tenth for each trial; whole runs end at their seed's number."""
    order = list(families.MORE)
    raced = []

    def chosen(job, name, family, real):
        far = len(order) - order.index(name)
        tried = [{"rates": trial, "frechet": far + at / 10} for at, trial in enumerate(family.trials)]
        return {"trial": 0, "rates": family.trials[0], "tried": tried, "steps": family.steps // 3}

    def one(job, key, settings, portraits):
        raced.append((key, settings.steps))
        return {"prior": {"frechet": settings.seed + ("SAGAN" in key), "seconds": 3.0}}

    monkeypatch.setattr(families, "_chosen", chosen)
    monkeypatch.setattr(families, "_one", one)
    monkeypatch.setattr(families, "_as_budgeted", lambda job, about: about)
    pictures = torch.zeros(4, 3, 64, 64)
    monkeypatch.setattr(families, "_portraits", lambda job, about: ([1, 2, 3], 2, pictures, None))
    monkeypatch.setattr(families, "_winner", lambda job: [0.5, 1.5, 2.5])
    result = families.portrait_rates(Job(tmp_path, "laptop"))
    found = {metric.name: metric for metric in result.metrics}
    assert len(found) == sum(len(trials) for trials in families.MORE.values()) + 4
    fined = found["Fréchet distance: non-saturating, R1, rate 0.001, weight 100"]
    assert (fined.value, fined.spread) == (pytest.approx(3.4), None)
    assert "460 steps" in found["Fréchet distance: SAGAN, rate 0.002"].protocol
    assert "one seed" in found["Fréchet distance: VAE, rate 0.0003"].protocol
    # The VAE's first trial, .0003, is new, its two others are the race's; so are the SAGAN's first two.
    whole = {("VAE-0", 3000), ("SAGAN-2", 1380)}
    assert set(raced) == {(f"seed-{seed}/{name}", steps) for seed in (1, 2, 3) for name, steps in whole}
    assert found["Fréchet distance, whole runs: VAE, rate 0.0003"].value == 2
    assert found["Fréchet distance, whole runs: SAGAN, rate 0.001"].value == 3
    beyond = found["Fréchet distance, whole runs: SAGAN, rate 0.001 beyond WGAN, penalised"]
    assert (beyond.value, beyond.interval) == (1.5, (1.5, 1.5))


def test_what_the_race_had_is_known_with_its_weight():
    """R1's weight stands in the race's settings and in the further trials by name."""
    family = families.FAMILIES["non-saturating, R1"]
    told = {"generator_rate": 1e-3, "critic_rate": 1e-3, "weight": 1.0}
    had = families._as_in_the_race(family, family.trials[1])
    assert families._as_in_the_race(family, told) == had
    assert families._as_in_the_race(family, {**told, "weight": 10.0}) != had
    assert families._as_in_the_race(families.FAMILIES["VAE"], {"rate": 1e-3}) == {"rate": 1e-3}
