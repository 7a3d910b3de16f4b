"""What an autoencoder's latents know (chapter 6): directions that change one thing, walks, likelihoods, and privacy.

codes = latent.codes(model, images[:])                      # φ: one row per image
smile = latent.mean_direction(codes, smiling)               # v
latent.edited(model, images[:8], {"smile": smile}, {"smile": 1.5})    # ψ(φ(x) + t v)
"""

from companion.latent.coding import autoencoder, codes, decoded, edited
from companion.latent.directions import (
    logistic_direction,
    mean_direction,
    orthogonal,
    principal_directions,
    responses,
    separability,
)
from companion.latent.dragging import POINTS, Handles
from companion.latent.likelihood import active_units, log_likelihood
from companion.latent.mixtures import fitted_mixture
from companion.latent.privacy import Walked, avoiding, check_walk, membership
from companion.latent.walks import save_walk, walk

__all__ = [
    "POINTS",
    "Handles",
    "Walked",
    "active_units",
    "autoencoder",
    "avoiding",
    "check_walk",
    "codes",
    "decoded",
    "edited",
    "fitted_mixture",
    "log_likelihood",
    "logistic_direction",
    "mean_direction",
    "membership",
    "orthogonal",
    "principal_directions",
    "responses",
    "save_walk",
    "separability",
    "walk",
]
