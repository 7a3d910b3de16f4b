"""Chapter 5: what pre-training, features and a critic are worth to a U-Net that restores ruined pictures."""

from functools import partial

from companion.reproduce.job import Job, Recipe, Result


def unet_restoration(job: Job) -> Result:
    """Bicubic, MSE, MSE with features, GAN with two switchers, and a GAN without pre-training, over three seeds."""
    from companion.reproduce.ch05.restoration import compared  # fastai, which takes seconds

    return compared(job)


def rates(job: Job) -> Result:
    """The learning rates of the comparison's GANs, tried in short runs."""
    from companion.reproduce.ch05 import restoration

    return restoration.rates(job)


def plain_rates(job: Job) -> Result:
    """The learning rates of squared error, alone and with features, tried in short runs."""
    from companion.reproduce.ch05 import restoration

    return restoration.plain_rates(job)


def one_seed(seed: int, job: Job) -> Result:
    """One seed of the comparison."""
    from companion.reproduce.ch05 import restoration

    return restoration.one_seed(seed, job)


def unet(job: Job) -> Result:
    """The longer run whose weights `companion restore --model unet` uses."""
    from companion.reproduce.ch05.shipping import restoring

    return restoring(job)


def colour(job: Job) -> Result:
    """The run whose weights `companion restore --model colour` uses."""
    from companion.reproduce.ch05.shipping import colouring

    return colouring(job)


RECIPES: dict[str, Recipe] = {
    "restoration-rates": Recipe("Learning rates of the restoring GANs, tried in short runs", 5, rates),
    "restoration-rates-plain": Recipe(
        "Learning rates of squared error, alone and with features", 5, plain_rates
    ),
    **{
        f"restoration-seed-{seed}": Recipe(
            f"Restoring ruined pictures, seed {seed} of the comparison", 5, partial(one_seed, seed)
        )
        for seed in (1, 2, 3)
    },
    "unet-restoration": Recipe("Restoring ruined pictures: MSE, features, GAN", 5, unet_restoration),
    "unet": Recipe("The restoring U-Net that the course ships", 5, unet),
    "colour": Recipe("The colouring U-Net that the course ships", 5, colour),
}
