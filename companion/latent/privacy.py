"""Does a walk show somebody from the training set? And does a model say who was in it?

After Pennisi et al. 2023 (PLAN): images from a generator may repeat training images, and a walk that is to be shown,
of patients' scans, say, should keep away from them. They learn the way with the help of a classifier of identities;
here it is bent by hand, in a few lines that can be checked: the frames are held together by springs and pushed out of
balls about the training codes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.metrics.memory import smaller, two_nearest


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
    """
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
    """
    inner = way[1:-1].clone().requires_grad_()
    optimiser = torch.optim.Adam([inner], lr=rate)
    for _ in range(steps):
        whole = torch.cat([way[:1], inner, way[-1:]])
        springs = stiffness * (whole[1:] - whole[:-1]).square().sum()
        gaps = torch.cdist(inner, codes).amin(1)
        optimiser.zero_grad()
        (springs + (len(way) * (margin - gaps).relu().square()).sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return torch.cat([way[:1], _pushed_out(inner.detach(), codes, margin), way[-1:]])


def _pushed_out(latents: Tensor, codes: Tensor, margin: float, rounds: int = 20) -> Tensor:
    """Whatever lies within the margin of its nearest code, moved straight away from it to the edge."""
    for _ in range(rounds):
        gaps, nearest = torch.cdist(latents, codes).min(1)
        inside = gaps < margin
        if not inside.any():
            break
        away = latents[inside] - codes[nearest[inside]]
        latents = latents.clone()
        latents[inside] = (
            codes[nearest[inside]] + away * (1.001 * margin / gaps[inside].clamp(min=1e-6))[:, None]
        )
    return latents


def membership(members: Tensor, strangers: Tensor) -> float:
    """How well reconstruction errors tell members of the training set from others: the area under the curve.

    The plainest membership inference (Shokri et al. 2017 name the attack): whoever comes back with a smaller error was
    in it. ½ is chance, 1 certainty.

    Args:
        members: Errors of images that the model learnt from, `(N,)`.
        strangers: Errors of images like them that it did not see, `(M,)`.
    """
    return smaller(members, strangers)
