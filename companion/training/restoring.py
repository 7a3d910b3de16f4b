"""Training on every blur there may be: the pictures, and on the way the kernel and the noise (chapter 2)."""

import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from companion.data.anypairs import Damaged
from companion.models.anyblur import Answer, spread
from companion.models.evaluating import evaluating
from companion.training.player import Player, Workshop
from companion.training.trainer import Batches, Trainer

WARM = 200  # steps over which the rate rises


class RestoringTrainer(Trainer[Damaged]):
    """Trains a network that answers with pictures, and maybe with a kernel, a width and a noise.

    The loss is the mean absolute difference to the sharp pictures, half of it for the answer of each round before the
    last, and with small weights how wrong the kernels, the width and the noise are.

    Args:
        network: Its `answer(blurred)` gives an `Answer`.
        rate: The learning rate, after a rise over the first steps.
        horizon: The step at which the rate, falling by half a cosine, reaches zero.
        shown: Pairs that a run's sample grids restore: damaged | restored | sharp.
        seed: Fixes what the network draws while training: nothing, so far.
        workshop: Where and how it is trained.
        ema_decay: Of the moving average of the weights.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        rate: float,
        horizon: int,
        shown: Damaged,
        seed: int,
        workshop: Workshop,
        ema_decay: float,
    ) -> None:
        optimising = partial(torch.optim.AdamW, lr=rate, weight_decay=1e-4)
        player = Player(network, optimising, workshop, ema_decay=ema_decay)
        super().__init__({"restorer": player}, workshop, seed=seed)
        self.rate, self.horizon, self.shown = rate, horizon, shown

    def one_step(self, batches: Batches[Damaged]) -> Mapping[str, Tensor]:
        """One batch."""
        player = self.players["restorer"]
        for group in player.optimiser.param_groups:
            group["lr"] = self.rate_now
        batch = self.take(batches[self.step])
        with self.workshop.autocast():
            losses = errors(player.network.answer(batch.input), batch)
        loss = torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()
        self.learn(loss, player)
        return {"loss": loss, **losses}

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


WEIGHTS = {"picture": 1.0, "tries": 0.5, "kernel": 0.02, "width": 0.005, "noise": 0.02}


def errors(answer: Answer, batch: Damaged) -> dict[str, Tensor]:
    """How far an answer lies off: each a mean over the batch; what a network does not say is not held against it.

    `picture` and `tries` are mean absolute differences on the scale [−1, 1]; `kernel` is ‖k̂ − k‖ / ‖k‖, averaged over
    the rounds; `width` is in pixels; `noise` is the difference of logarithms, noise below half a percent counting as
    such.
    """
    found = {"picture": (answer.restored - batch.target).abs().mean()}
    if answer.tries:
        found["tries"] = torch.stack([(one - batch.target).abs().mean() for one in answer.tries]).mean()
    if answer.kernels:
        size = batch.kernels.flatten(1).norm(dim=1)
        apart = [(one - batch.kernels).flatten(1).norm(dim=1) / size for one in answer.kernels]
        found["kernel"] = torch.stack(apart).mean()
    elif answer.width is not None:
        found["width"] = (answer.width - spread(batch.kernels)).abs().mean()
    if answer.noise is not None:
        found["noise"] = ((answer.noise + 0.005).log() - (batch.noise + 0.005).log()).abs().mean()
    return found
