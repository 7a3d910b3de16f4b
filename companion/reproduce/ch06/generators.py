"""Every generator of the book on the same portraits at 64×64, by the same reader and counts (chapter 6)."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from companion import latent, pretrained
from companion.data import Images, load
from companion.metrics import FaceFeatures
from companion.models.vae import VAE
from companion.randomness import drawing
from companion.records import Measurement
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.samples import BESIDE, COMPARED, LIKE_UNSEEN, compared, like_unseen
from companion.reproduce.statistics import with_interval


@dataclass(frozen=True)
class Entrant:
    """A shipped run, and what its title in the table is."""

    run: str
    title: str
    mixture: bool = False  # its latents are drawn from a mixture fitted to the training portraits' codes


ENTRANTS = (
    Entrant("sagan-portraits", "SAGAN, R1"),
    Entrant("faces-vae", "VAE"),
    Entrant("faces-vae", "VAE, mixture", mixture=True),
)
TITLES = COMPARED | {
    "parameters": "parameters",
    "seconds to train": "seconds",
}


def portrait_generators(job: Job) -> Result:
    """Samples of each shipped generator against portraits of people that none was trained on.

    Each is one run as it is shipped, of as many seconds as its record says. They do not have equal work, so the table
    compares these runs, not their families. The floor is what other real portraits reach.
    """
    count = 40 if job.debug else 1000
    unseen, training = load("portraits-test", size=64), load("portraits", size=64)
    extractor = FaceFeatures()
    real = extractor(unseen[:count])
    found = {
        entrant.title: job.once(entrant.title, partial(_measured, entrant, real, unseen, training, count))
        for entrant in ENTRANTS
    }
    floor = extractor(training[:count])
    found["real portraits"] = job.once("floor", partial(compared, real, floor))
    protocol = f"{extractor.protocol}, {count} unseen portraits and {count} samples"
    metrics = [
        Measurement(f"{title}: {name}", float(row[key]), protocol)
        for title, key in TITLES.items()
        for name, row in found.items()
        if key in row
    ]
    metrics += [
        with_interval(
            f"{LIKE_UNSEEN}: {name}",
            row["memory"],
            tuple(row["memory interval"]),
            f"pixels, the first {BESIDE} samples and unseen portraits",
        )
        for name, row in found.items()
        if "memory" in row
    ]
    settings = {"device": "cpu", "precision": "float32", "data": "portraits", "size": 64, "pictures": count}
    return Result(settings, [0], metrics, found)


def _measured(entrant: Entrant, real: Tensor, unseen: Images, training: Images, count: int) -> dict[str, Any]:
    drawn = drawn_by(entrant, count)
    model, record = pretrained.load(entrant.run), pretrained.record(entrant.run)
    return {
        **compared(real, FaceFeatures()(drawn)),
        **like_unseen(drawn, unseen[:], training),
        "parameters": sum(weight.numel() for weight in drawer(model).parameters()),
        "seconds": record.seconds / len(record.seeds),
    }


def drawer(model: nn.Module) -> nn.Module:
    """What draws from latents: a VAE's decoder, or the generator itself."""
    return model.decoder if isinstance(model, VAE) else model


def drawn_latents(model: nn.Module, count: int) -> Tensor:
    """Standard normal latents for a shipped model, `(count, latents)`, always the same."""
    with drawing(0, "samples"):
        return torch.randn(count, int(model.latents))  # type: ignore[arg-type]


def mixture_latents(run: str, count: int) -> Tensor:
    """Latents from a mixture fitted to the training portraits' codes, `(count, latents)`, always the same."""
    known = latent.codes(latent.autoencoder(run), load("portraits", size=64)[:])
    with drawing(0, "samples"):
        latents: Tensor = latent.fitted_mixture(known).sample((count,))  # type: ignore[no-untyped-call]
    return latents


@torch.no_grad()
def drawn_by(entrant: Entrant, count: int) -> Tensor:
    """Pictures of a shipped generator, `(count, 3, 64, 64)`."""
    model = pretrained.load(entrant.run)
    latents = mixture_latents(entrant.run, count) if entrant.mixture else drawn_latents(model, count)
    network = drawer(model)
    return torch.cat([network(part) for part in torch.split(latents, 250)])


OF = tuple(dict.fromkeys(entrant.run for entrant in ENTRANTS))
RECIPES: dict[str, Recipe] = {
    "portrait-generators": Recipe("All generators on the same portraits", 6, portrait_generators, OF)
}
