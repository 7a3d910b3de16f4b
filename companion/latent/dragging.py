"""Drag a point of a picture, and the latents follow (chapter 6; Pan et al. 2023, “Drag your GAN”, in small).

Two steps in turn, as in the paper's section 3.2. *Motion supervision*: the features around the point are asked to
appear further towards the goal, and the latents descend that loss. *Point tracking*: the point is looked for again, as
the place near where it was whose features are most like those it had at the start.

Deliberate deviations from the paper: the decoder is an autoencoder's, and its latents are moved as a whole, where the
paper moves part of a StyleGAN's; a spring holds them to where they began, in place of the paper's optional mask; and
the step ahead is two pixels, since the pictures are small.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from companion.errors import CompanionError
from companion.models.evaluating import evaluating
from companion.models.vae import SMALLEST, VAE

RADIUS = 3  # pixels about the point whose features are moved; the paper has 3 of 512
REACH = 4  # pixels about the point in which it is looked for again; the paper has 12 of 512
AHEAD = 2.0  # pixels towards the goal


@dataclass(frozen=True)
class Dragged:
    """The way a picture went."""

    latents: Tensor  # `(T, latents)`, from where it began
    points: Tensor  # where the dragged point was, `(T, 2)`, x and y in pixels


def drag(
    model: VAE,
    code: Tensor,
    point: tuple[float, float],
    goal: tuple[float, float],
    *,
    steps: int = 80,
    rate: float = 0.05,
    spring: float = 0.002,
) -> Dragged:
    """Move a point of the decoded picture to a goal by changing its code `(latents,)`.

    Args:
        model: An autoencoder; only its decoder is asked.
        code: Of the picture to begin with.
        point: x and y in pixels; the pixel in the upper left corner has its middle at (0.5, 0.5), as in
            `faces.landmarks`.
        goal: Likewise. Dragging ends when the point is within a pixel of it.
        steps: After so many it ends anyway.
        rate: Adam's learning rate.
        spring: Weight of the squared distance from the code at the start, beside features scaled to unit deviation.

    Raises:
        CompanionError: The point or the goal lies outside the picture.
    """
    side = model.config.size
    if not all(0 <= value <= side for value in (*point, *goal)):
        raise CompanionError(
            f"Point and goal must lie in the picture, between 0 and {side}, not {point} and {goal}."
        )
    place, target = torch.tensor(point), torch.tensor(goal)
    latents = code.detach().clone()[None].requires_grad_()
    optimiser = torch.optim.Adam([latents], lr=rate)
    with evaluating(model):
        with torch.no_grad():
            first = _features(model, latents)
            scale = first.std()
            mark = _at(first, place[None])
        way, places = [latents.detach()[0].clone()], [place]
        for _ in range(steps):
            if torch.dist(place, target) <= 1:
                break
            towards = (target - place) / torch.dist(place, target)
            features = _features(model, latents)
            around = place + _disc(RADIUS)
            ahead = _at(features, around + AHEAD * towards)
            loss = (ahead - _at(features, around).detach()).abs().mean() / scale
            loss = loss + spring * (latents - code).square().sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            with torch.no_grad():
                near = place + _disc(REACH)
                found = _at(_features(model, latents), near)
                place = near[(found - mark).abs().sum(1).argmin()].clamp(0, side)
            way.append(latents.detach()[0].clone())
            places.append(place)
    return Dragged(torch.stack(way), torch.stack(places))


def _features(model: VAE, latents: Tensor) -> Tensor:
    """What the decoder holds at half the picture's size, brought to its size, `(C, S, S)`."""
    decoder = model.decoder
    held = decoder.foot(latents).view(1, -1, SMALLEST, SMALLEST)
    for layer in list(decoder.layers)[:-4]:  # up to the last doubling
        held = layer(held)
    whole: Tensor = interpolate(held, size=model.config.size, mode="bilinear", align_corners=False)[0]
    return whole


def _at(features: Tensor, places: Tensor) -> Tensor:
    """Features between pixels, `(N, C)`, at places `(N, 2)`."""
    side = features.shape[-1]
    grid = 2 * places / side - 1
    found: Tensor = grid_sample(features[None], grid[None, None], padding_mode="border", align_corners=False)
    return found[0, :, 0].T


def _disc(radius: int) -> Tensor:
    """Every whole step within a radius, `(N, 2)`."""
    line = torch.arange(-radius, radius + 1.0)
    steps = torch.cartesian_prod(line, line)
    return steps[steps.norm(dim=1) <= radius]
