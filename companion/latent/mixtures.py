"""Where codes really lie: a mixture of Gaussians fitted to them once the autoencoder is trained (chapter 6)."""

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from companion.errors import CompanionError
from companion.latent.given import number, rows


def fitted_mixture(codes: Tensor, *, parts: int = 10, seed: int = 0) -> MixtureSameFamily:
    """A mixture of Gaussians with full covariances over codes `(N, latents)`; draw latents with `.sample((count,))`.

    Codes of a trained autoencoder do not fill the prior evenly, so that draws from it fall where no code was. This is
    the density that is fitted afterwards in Ghosh et al. 2020 (section 4, there with ten parts too).

    Args:
        codes: Means of the training images' codes.
        parts: How many Gaussians.
        seed: Of the places where the fit begins.

    Raises:
        CompanionError: There are too few codes for so many parts.
    """
    codes = rows(codes, "codes")
    number(parts, "The number of Gaussians", least=1)
    if len(codes) <= 2 * parts:
        raise CompanionError(
            f"A mixture of {parts} Gaussians cannot be fitted to {len(codes)} codes; code more images, or choose fewer "
            "parts."
        )
    fit = GaussianMixture(parts, reg_covar=1e-4, random_state=seed).fit(codes.double().numpy())
    weights, means, covariances = (
        torch.from_numpy(numbers).float() for numbers in (fit.weights_, fit.means_, fit.covariances_)
    )
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariances))
