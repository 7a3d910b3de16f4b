"""Training on every blur there may be: the pictures, and on the way the kernel and the noise (chapter 2)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from companion.data.anyblur import AnyBlur, gaussians
from companion.data.anypairs import Damaged, DamagedPatches
from companion.data.photos import Photos, load_photos
from companion.models.anyblur import (
    Answer,
    BlindRestorer,
    BodyConfig,
    KernelConfig,
    KernelRestorer,
    slopes_of,
    spread,
)
from companion.models.evaluating import evaluating
from companion.models.registry import models
from companion.randomness import drawing
from companion.settings import option
from companion.training.player import Player, Workshop
from companion.training.settings import TrainingSettings
from companion.training.trainer import Batches, Trainer

WARM = 200  # steps over which the rate rises


class RestoringTrainer(Trainer[Damaged]):
    """Trains a network that answers with pictures, and maybe with a kernel, a width and a noise.

    The loss is the mean absolute difference to the sharp pictures, half of it for the answer of each round before the
    last, and with small weights how wrong the kernels, the width and the noise are.

    Args:
        network: What learns; its weights were drawn by the caller.
        rate: The learning rate, after a rise over the first steps.
        horizon: The step at which the rate, falling by half a cosine, reaches zero.
        shown: Pairs that a run's sample grids restore: damaged | restored | sharp.
        hinted: Share of pictures whose kernel the network is told (`hints`), if it is one that can be.
        seed: Fixes what is told.
        workshop: Where and how it is trained.
        ema_decay: Of the moving average of the weights.
    """

    def __init__(
        self,
        network: BlindRestorer,
        *,
        rate: float,
        horizon: int,
        shown: Damaged,
        hinted: float,
        seed: int,
        workshop: Workshop,
        ema_decay: float,
    ) -> None:
        optimising = partial(torch.optim.AdamW, lr=rate, weight_decay=1e-4)
        player = Player(network, optimising, workshop, ema_decay=ema_decay)
        super().__init__({"restorer": player}, workshop, seed=seed)
        self.network = network
        self.rate, self.horizon, self.shown, self.hinted = rate, horizon, shown, hinted

    def one_step(self, batches: Batches[Damaged]) -> Mapping[str, Tensor]:
        """One batch."""
        player = self.players["restorer"]
        for group in player.optimiser.param_groups:
            group["lr"] = self.rate_now
        batch = self.take(batches[self.step])
        with self.workshop.autocast():
            losses = errors(self._answer(batch), batch)
        loss = torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()
        self.learn(loss, player)
        return {"loss": loss, **losses}

    def _answer(self, batch: Damaged) -> Answer:
        if not isinstance(self.network, KernelRestorer):
            return self.network.answer(batch.input)
        with self.drawing("hints"):
            return self.network.answer(batch.input, hints(self.network, batch, self.hinted))

    @property
    def rate_now(self) -> float:
        """The learning rate of the next step."""
        rise = min(1.0, (self.step + 1) / WARM)
        return self.rate * rise * (1 + math.cos(math.pi * min(1.0, self.step / self.horizon))) / 2

    def products(self) -> Mapping[str, nn.Module]:
        """The averaged network."""
        return {"restorer": self.players["restorer"].best}

    @torch.no_grad()
    def restore_images(self, blurry: Tensor, *, batch: int = 8) -> Tensor:
        """Restored pictures from the averaged network, `(N, 3, H, W)`, float32, on the CPU."""
        model = self.players["restorer"].best
        with evaluating(model):
            parts = [model(part.to(self.device)).float().cpu() for part in torch.split(blurry, batch)]
        return torch.cat(parts).contiguous()

    def preview(self) -> Tensor:
        """Three rows of eight held-out pictures: damaged, restored, sharp."""
        pairs = self.shown[:8]
        return torch.cat([pairs.input, self.restore_images(pairs.input), pairs.target])


FEWEST, MOST = 0.02, 0.4  # shares of the slopes that a hint is made of


@torch.no_grad()
def hints(network: KernelRestorer, batch: Damaged, share: float) -> Tensor:
    """For a share of the pictures a kernel about as wrong as one found by a formula; zero for the others.

    It is what the network's own division makes of the sharp picture's strongest slopes, of few or of many. A network
    that is told nothing else cleans up after its own first guesses only, which are of no use for long.
    """
    count = len(batch.input)
    sharp, blurred = (slopes_of(some.mean(1, keepdim=True)) for some in (batch.target, batch.input))
    strength = sharp.norm(dim=1)
    kept = FEWEST + (MOST - FEWEST) * torch.rand(count, device=sharp.device)
    faint = torch.stack([of.quantile(1 - part) for of, part in zip(strength.flatten(1), kept, strict=True)])
    strong = sharp * (strength >= faint[:, None, None])[:, None]
    told = torch.rand(count, device=sharp.device) < share
    return network.kernel(strong, blurred) * told[:, None, None]


WEIGHTS = {"picture": 1.0, "tries": 0.5, "edges": 0.5, "kernel": 0.05, "width": 0.005, "noise": 0.02}


def errors(answer: Answer, batch: Damaged) -> dict[str, Tensor]:
    """How far an answer lies off: each a mean over the batch; what a network does not say is not held against it.

    `picture` and `tries` are mean absolute differences on the scale [−1, 1]; `kernel` is ‖k̂ − k‖ / ‖k‖, both seen
    through a Gaussian of one pixel, and `edges` the mean absolute difference of slopes, both averaged over the rounds;
    `width` is in pixels; `noise` is the difference of logarithms, noise below half a percent counting as such.
    """
    found = {"picture": (answer.restored - batch.target).abs().mean()}
    if answer.tries:
        found["tries"] = torch.stack([(one - batch.target).abs().mean() for one in answer.tries]).mean()
    if answer.kernels:
        wanted = _seen(batch.kernels)
        size = wanted.flatten(1).norm(dim=1)
        apart = [(_seen(one) - wanted).flatten(1).norm(dim=1) / size for one in answer.kernels]
        found["kernel"] = torch.stack(apart).mean()
        edges = slopes_of(batch.target.mean(1, keepdim=True))
        found["edges"] = torch.stack([(one - edges).abs().mean() for one in answer.slopes]).mean()
    elif answer.width is not None:
        found["width"] = (answer.width - spread(batch.kernels)).abs().mean()
    if answer.noise is not None:
        found["noise"] = ((answer.noise + 0.005).log() - (batch.noise + 0.005).log()).abs().mean()
    return found


def _seen(kernels: Tensor) -> Tensor:
    """Kernels `(N, size, size)` through a Gaussian of one pixel: half a pixel beside the track is not all wrong."""
    lens = gaussians(torch.ones(1), 7).to(kernels)
    return conv2d(kernels[:, None], lens[None], padding=3)[:, 0]


@dataclass(frozen=True)
class RestoringSettings(TrainingSettings):
    """A run on every blur there may be. Seconds a step are about the same for all networks of the comparison."""

    data: str = option(
        "embedded", help="photographs: embedded, pets, many or a folder", metavar="NAME|FOLDER"
    )
    size: int = option(160, help="side of the training patches", metavar="PIXELS", least=16)
    batch: int = option(4, help="patches per step", metavar="N", least=1)
    steps: int = option(4000, help="training steps", metavar="N", least=1)
    horizon: int = option(
        60000, least=1
    )  # the step at which the rate reaches zero, if the run goes on to there
    family: AnyBlur = field(default_factory=AnyBlur)
    network: BodyConfig = option(KernelConfig(), named=True)
    rate: float = option(1e-3, above=0, below=1)
    hinted: float = option(
        0.5, least=0, below=1.001, choose="a share from 0 to 1"
    )  # of the pictures: their kernel is told


@dataclass(frozen=True)
class Restoring:
    """A run made ready: the trainer, its photographs, and the batches it trains on."""

    settings: RestoringSettings
    trainer: RestoringTrainer
    photos: Photos
    batches: DamagedPatches


def build(settings: RestoringSettings) -> Restoring:
    """A network with seeded weights in a trainer, and the photographs.

    Raises:
        CompanionError: Whatever of the settings cannot be had, in one sentence.
    """
    s = settings
    photos = load_photos(s.data, least=s.size + s.family.size - 1)
    batches, shown = (
        DamagedPatches(photos.split(part), s.family, s.size, batch, s.seed)
        for part, batch in (("training", s.batch), ("validation", 8))
    )
    (model,) = (model for model in models().values() if model.config is type(s.network))
    with drawing(s.seed, "weights"):
        network = model.build(s.network)
    assert isinstance(network, BlindRestorer)
    trainer = RestoringTrainer(
        network,
        rate=s.rate,
        horizon=s.horizon,
        shown=shown[0],
        hinted=s.hinted,
        seed=s.seed,
        workshop=s.workshop(),
        ema_decay=s.ema_decay,
    )
    return Restoring(s, trainer, photos, batches)
