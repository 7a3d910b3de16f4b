"""Does a walk show somebody from the training set? And does a model say who was in it?

After Pennisi et al. 2023 (PLAN): images from a generator may repeat training images, and a walk that is to be shown,
of patients' scans, say, should keep away from them. They learn the way with the help of a classifier of identities;
here it is bent by hand, in a few lines that can be checked: the frames are held together by springs and pushed out of
balls about the training codes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.errors import CompanionError
from companion.latent.given import alike, finite, number, rows
from companion.metrics.memory import smaller, two_nearest
from companion.randomness import generator


@dataclass(frozen=True)
class Walked:
    """What a walk's frames come close to; each field `(N,)`."""

    distance: Tensor  # to the nearest training image, Euclidean over pixels
    nearest: Tensor  # which one that is
    ratio: Tensor  # the distance over that to the next nearest training image
    flagged: Tensor  # whether the frame counts as a training image reproduced


def check_walk(frames: Tensor, training: Tensor, strangers: Tensor, *, share: float = 0.01) -> Walked:
    """Look up each frame's nearest training image, and flag frames nearer to one than strangers are.

    What is near is not for us to guess: held-out pictures lie at some distance from the training set, too, and a frame
    that lies nearer than all but a small share of them is flagged.

    Args:
        frames: Of a walk, `(N, C, H, W)` in [−1, 1].
        training: The images that the model learnt from.
        strangers: Images like them from which it did not learn, at best reconstructed by the model: its smooth
            pictures lie nearer to everything than photographs do.
        share: Of strangers that would be flagged themselves.

    Raises:
        CompanionError: Images of several sizes, none, or damaged ones; or a share that is none.
    """
    alike(training, training, "training images", least=2)
    alike(frames, training, "frames")
    alike(strangers, training, "strangers' images")
    number(share, "The share of strangers that would be flagged", least=0, most=1)
    own = torch.arange(len(training))
    distance, second, nearest = two_nearest(frames, training, own)
    usual, _, _ = two_nearest(strangers, training, own)
    return Walked(distance, nearest, distance / second, distance < usual.quantile(share))


def avoiding(
    way: Tensor, codes: Tensor, *, margin: float, steps: int = 300, rate: float = 0.05, stiffness: float = 1.0
) -> Tensor:
    """A walk bent around training codes: no frame nearer to one than `margin`, both ends where they were.

    Minimises `Σ ‖z_{i+1} − z_i‖² · stiffness + Σ max(0, margin − ‖z_i − c‖)²`, the second sum over each frame's nearest
    code c, by Adam; what is still too near at the end is set down on the ball's edge.

    Args:
        way: Latents `(N, latents)`; its ends may be training codes themselves and stay.
        codes: Of the training images, `(M, latents)`.
        margin: The distance to keep, in latent space.
        steps: Of Adam.
        rate: Its learning rate.
        stiffness: Of the springs between neighbours.

    Raises:
        CompanionError: No way, no codes, a margin or a number of steps that is none; or no place was found that is
            so far from every code.
    """
    way = rows(way, "latents of the walk", least=2)
    codes = rows(codes, "training codes", length=way.shape[1])
    number(margin, "The margin", least=0)
    number(steps, "The number of steps", least=0)
    inner = _off_the_codes(way[1:-1].detach(), codes).requires_grad_()
    optimiser = torch.optim.Adam([inner], lr=rate)
    for _ in range(steps if len(inner) else 0):
        with torch.enable_grad():
            whole = torch.cat([way[:1], inner, way[-1:]])
            springs = stiffness * (whole[1:] - whole[:-1]).square().sum()
            gaps = torch.cdist(inner, codes).amin(1)
            loss = springs + (len(way) * (margin - gaps).relu().square()).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return torch.cat([way[:1], _pushed_out(inner.detach(), codes, margin), way[-1:]])


def _off_the_codes(latents: Tensor, codes: Tensor) -> Tensor:
    """A copy in which nothing stands on a code, from where no direction leads away."""
    on_it = torch.cdist(latents, codes).amin(1) < 1e-4
    aside = torch.randn(latents.shape, generator=generator(0, "steps off a code"))
    return torch.where(on_it[:, None], latents + 1e-3 * aside, latents)


def _pushed_out(latents: Tensor, codes: Tensor, margin: float, rounds: int = 500) -> Tensor:
    """Whatever lies within the margin of its nearest code, moved straight away from it to the edge, again and again.

    Raises:
        CompanionError: The balls overlap so that something is still inside one.
    """
    for index in range(rounds):
        latents = _off_the_codes(latents, codes)
        gaps, nearest = torch.cdist(latents, codes).min(1)
        inside = gaps < margin
        if not inside.any():
            return latents
        away = latents[inside] - codes[nearest[inside]]
        beyond = 1.001 + 0.02 * (
            index > 20
        )  # where two balls overlap, a larger step leads out of both in the end
        latents[inside] = codes[nearest[inside]] + away * (beyond * margin / gaps[inside])[:, None]
    raise CompanionError(
        f"No way was found that keeps {margin:g} from every training code; choose a smaller margin."
    )


def membership(members: Tensor, strangers: Tensor) -> float:
    """How well reconstruction errors tell members of the training set from others: the area under the curve.

    The plainest membership inference (Shokri et al. 2017 name the attack): whoever comes back with a smaller error was
    in it. ½ is chance, 1 certainty.

    Args:
        members: Errors of images that the model learnt from, `(N,)`.
        strangers: Errors of images like them that it did not see, `(M,)`.

    Raises:
        CompanionError: There are no errors, or they are not numbers, one for each image.
    """
    for errors, whose in ((members, "members"), (strangers, "strangers")):
        if errors.dim() != 1 or not len(errors):
            raise CompanionError(
                f"The errors of {whose} have the shape {tuple(errors.shape)}; give one for each image, (N,)."
            )
        finite(errors, f"errors of {whose}")
    return smaller(members, strangers)
