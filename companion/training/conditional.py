"""Conditional training: the loop of chapter 1 with blurred photographs in place of latents (chapter 2)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from companion.data.batches import Pair
from companion.models.evaluating import evaluating
from companion.objectives import Objective
from companion.training.adversarial import AdversarialTrainer


class ConditionalTrainer(AdversarialTrainer):
    """Trains a generator that restores images, under an objective and a content loss.

    Three things change against chapter 1. A batch is a `Pair`: the generator draws from its input, the
    blurred images; and its loss is `adversarial + content(restored, sharp)` (Kupyn et al. 2018,
    equation 1; the weight λ belongs to the content loss). `Report.generator_loss` is that sum. The content loss rules
    the generator, so its optimiser is the same under every objective: Adam with β = (0.9, 0.999), since the paper's
    0.5 learnt half as fast here. The critic's is the objective's own.

    Args:
        generator: Blurred images to restored ones, both `(N, 3, H, W)` in [−1, 1].
        critic: Images to scores `(N,)`; it sees restored and sharp images, not what they were restored from.
        objective: The two losses and all that goes with them.
        content: Compares restored with sharp images, a scalar, weight included.
        generator_rate: Learning rate of the generator; the paper's is 1e-4.
        shown: Pairs that a run's sample grids restore, blurred | restored | sharp.
        options: As `AdversarialTrainer` takes them.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        objective: Objective,
        *,
        content: nn.Module,
        generator_rate: float = 1e-4,
        shown: Pair | None = None,
        **options: Any,
    ) -> None:
        super().__init__(generator, critic, objective, generator_rate=generator_rate, **options)
        self.content = content.to(self.device)
        self.shown = shown

    def _optimising(self, objective: Objective, rate: float | None, parameters: Any) -> torch.optim.Optimizer:
        assert rate is not None
        return Adam(parameters, lr=rate, betas=(0.9, 0.999), fused=True)

    def _real(self, batch: Pair) -> Tensor:
        return batch.target.contiguous(memory_format=self._format)

    def _inputs(self, batch: Pair) -> Tensor:
        return batch.input.contiguous(memory_format=self._format)

    @property
    def _format(self) -> torch.memory_format:
        return torch.channels_last if self.workshop.channels_last else torch.contiguous_format

    def _further_loss(self, drawn: Tensor, batch: Pair) -> Tensor:
        with self.workshop.autocast():
            loss: Tensor = self.content(drawn, self._real(batch))
        return loss

    @torch.no_grad()
    def restore_images(self, blurry: Tensor, *, batch: int = 8, live: bool = False) -> Tensor:
        """Restored images from the averaged generator in eval mode, `(N, 3, H, W)`, float32, on the CPU.

        `live=True` uses the weights as they are now instead of their moving average.
        """
        model = self.generator if live else self.average
        with evaluating(model):
            parts = [model(part.to(self.device)).float().cpu() for part in torch.split(blurry, batch)]
        return torch.cat(parts).contiguous()

    def preview(self) -> Tensor:
        """Three rows of eight held-out images: blurred, restored, sharp."""
        if self.shown is None:
            raise ValueError("The trainer was given no pairs to show.")
        pairs = self.shown[:8]
        return torch.cat([pairs.input, self.restore_images(pairs.input), pairs.target])
