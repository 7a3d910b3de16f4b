"""Fréchet and kernel distance between two sets of features (chapter 1)."""

import torch
from torch import Tensor

from companion.errors import CompanionError
from companion.metrics.features import FeatureExtractor
from companion.randomness import generator
from companion.records import Measurement


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Squared Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, equation 6).

    `‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)`; with Inception features this is the FID. The trace of the root is the
    sum of the roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric and so always has real ones.

    Args:
        real: Features `(N, D)`; at least two rows, and the number is biased upwards unless N is much above D.
        fake: Features `(M, D)`.
    """
    _check_features(real, fake)
    real, fake = real.cpu().double(), fake.cpu().double()  # some devices have no float64
    mean_gap = (real.mean(0) - fake.mean(0)).square().sum()
    real_cov, fake_cov = (torch.cov(part.T).view(part.shape[1], -1) for part in (real, fake))
    values, vectors = torch.linalg.eigh(real_cov)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ fake_cov @ root).clamp(min=0).sqrt().sum()
    return float(mean_gap + real_cov.trace() + fake_cov.trace() - 2 * cross)


def kernel_distance(
    real: Tensor, fake: Tensor, *, subsets: int = 100, size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with the kernel `(x·y/D + 1)³` (Bińkowski et al. 2018, section 4).

    With Inception features this is the KID. It is unbiased, so it can be compared between set sizes, and can come out
    slightly negative.

    Args:
        real: Features `(N, D)`.
        fake: Features `(M, D)`.
        subsets: Number of random subsets the estimate is averaged over.
        size: Images in each subset, at most the smaller of both sets.
        seed: Fixes the subsets.

    Returns:
        Mean and standard deviation over the subsets.
    """
    _check_features(real, fake)
    real, fake = real.cpu(), fake.cpu()
    size = min(size, len(real), len(fake))
    draw = generator(seed, "subsets")

    def subset(features: Tensor) -> Tensor:
        return features[torch.randperm(len(features), generator=draw)[:size]].double()

    estimates = torch.stack([_unbiased_mmd2(subset(real), subset(fake)) for _ in range(subsets)])
    return float(estimates.mean()), float(estimates.std(correction=0))


def measure(
    real: Tensor, fake: Tensor, extractor: FeatureExtractor, *, seed: int = 0
) -> tuple[Measurement, Measurement]:
    """Fréchet and kernel distance between images `(N, C, H, W)` in [−1, 1], with their protocol.

    Twice the same count of images is best: the Fréchet distance's bias depends on it.
    """
    real_features, fake_features = extractor(real), extractor(fake)
    protocol = f"{extractor.protocol}, {len(real)} real and {len(fake)} fake images"
    mean, spread = kernel_distance(real_features, fake_features, seed=seed)
    size = min(1000, len(real), len(fake))
    return (
        Measurement("Fréchet distance", frechet_distance(real_features, fake_features), protocol),
        Measurement("kernel distance", mean, f"{protocol}, 100 subsets of {size}", spread),
    )


def _unbiased_mmd2(real: Tensor, fake: Tensor) -> Tensor:
    """Sums over pairs of different images within each set, and all pairs between them."""
    count, dimension = real.shape

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / dimension + 1) ** 3

    def within(features: Tensor) -> Tensor:
        values = kernel(features, features)
        return (values.sum() - values.trace()) / (count * (count - 1))

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()


def _check_features(real: Tensor, fake: Tensor) -> None:
    if real.dim() != 2 or fake.dim() != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) < 2:
        raise CompanionError(
            f"Two sets of features (N, D) with N ≥ 2 and the same D can be compared, not {tuple(real.shape)} and "
            f"{tuple(fake.shape)}; pass both sets through the same extractor."
        )
