"""Chapter 5: what pre-training, features and a critic are worth to a U-Net that restores ruined pictures."""

from companion.reproduce.job import Job, Recipe, Result


def unet_restoration(job: Job) -> Result:
    """Bicubic, MSE, MSE with features, GAN with two switchers, and a GAN without pre-training, over three seeds."""
    from companion.reproduce.ch05.restoration import compared  # fastai, which takes seconds

    return compared(job)


def unet(job: Job) -> Result:
    """The longer run whose weights `companion restore --model unet` uses."""
    from companion.reproduce.ch05.shipping import restoring

    return restoring(job)


def colour(job: Job) -> Result:
    """The run whose weights `companion restore --model colour` uses."""
    from companion.reproduce.ch05.shipping import colouring

    return colouring(job)


RECIPES: dict[str, Recipe] = {
    "unet-restoration": Recipe("Restoring ruined pictures: MSE, features, GAN", 5, unet_restoration),
    "unet": Recipe("The restoring U-Net that the course ships", 5, unet),
    "colour": Recipe("The colouring U-Net that the course ships", 5, colour),
}
