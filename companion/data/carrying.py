"""A task that needs reach and nothing else: a colour lies at one place and is wanted at another (chapter 7)."""

from dataclasses import dataclass

import torch
from torch import Tensor

CHANNELS = 5  # red, green and blue, “here it lies”, “here it is wanted”


@dataclass(frozen=True)
class Carrying:
    """Pictures with two marked places each, drawn anew from torch's current random state."""

    pictures: Tensor  # (N, 5, side, side)
    colours: Tensor  # (N, 3), uniform on [−1, 1], so that a guess of 0 has a mean squared error of 1/3
    wanted: Tensor  # (N, 2), row and column where the colour is wanted
    apart: Tensor  # (N,), how far from where it lies, in rows or columns, whichever is more

    @classmethod
    def drawn(cls, count: int, side: int) -> "Carrying":
        """Two places at random, never the same; all else is black."""
        lies = torch.randint(side * side, (count,))
        wanted = (lies + torch.randint(1, side * side, (count,))) % (side * side)
        colours = torch.rand(count, 3) * 2 - 1
        each = torch.arange(count)
        pictures = torch.zeros(count, CHANNELS, side * side)
        pictures[each, :3, lies] = colours
        pictures[each, 3, lies] = 1
        pictures[each, 4, wanted] = 1
        places = torch.stack([wanted // side, wanted % side], 1)
        apart = (places - torch.stack([lies // side, lies % side], 1)).abs().amax(1)
        return cls(torch.unflatten(pictures, 2, (side, side)), colours, places, apart)

    def errors(self, answers: Tensor) -> Tensor:
        """Mean squared error of `(N, 3, side, side)` at the place where the colour is wanted, `(N,)`."""
        each = torch.arange(len(answers), device=answers.device)
        rows, columns = self.wanted.to(answers.device).T
        return (answers[each, :, rows, columns] - self.colours.to(answers.device)).square().mean(1)
