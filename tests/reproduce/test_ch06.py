"""Guards chapter 6's short recipes: what a slider's matrix and the table of generators hold, on untrained networks."""

import pytest
import torch

from companion import pretrained
from companion.data.faces import LABELS
from companion.models.vae import VAE, VAEConfig
from companion.reproduce.ch06 import generators, sliders
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
