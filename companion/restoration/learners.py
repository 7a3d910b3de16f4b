"""fastai's learners for restoring pictures: a U-Net, a critic, and the two as a GAN (chapter 5).

Each function is about a cell of the lesson. What they give are fastai's own learners, and everything that fastai can do
with one works. Only what it gets wrong is mended (`companion.restoration.faults`).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.vision.gan import AdaptiveLoss, GANLearner, accuracy_thresh_expand, gan_critic
from torch import Tensor, nn

from companion.errors import CompanionError
from companion.losses import PerceptualLoss
from companion.models import efficientnet
from companion.models.unet import UNet, UNetConfig
from companion.randomness import drawing
from companion.restoration.faults import KeepStill, RightModes

Loss = Callable[[Tensor, Tensor], Tensor]


def unet(config: UNetConfig | None = None, *, pretrained: bool = True, seed: int = 1) -> UNet:
    """A U-Net that changes nothing yet.

    Args:
        config: The course's by default.
        pretrained: With an encoder that has seen ImageNet: EfficientNet-Lite0's weights from the catalogue, or a
            ResNet's from torchvision.
        seed: Fixes all other weights.

    Raises:
        CompanionError: The weights cannot be had.
    """
    config = config or UNetConfig()
    with drawing(seed, "weights"):
        network = UNet(config)
    if pretrained:
        network.encoder.load_state_dict(_encoder_weights(config))
    return network


LESSONS = 34  # layers of the ResNet that is the lesson's encoder


def at_hand(config: UNetConfig) -> UNetConfig:
    """The same network if what its encoder learnt from ImageNet can be had, else the course's own, and a line says so.

    A ResNet's weights are torchvision's and are fetched; EfficientNet-Lite0's come in a package, without a download.
    """
    if config.resnet:
        try:
            _encoder_weights(config)
        except CompanionError as error:
            print(f"{error} This run goes on with that.")
            return replace(config, resnet=0)
    return config


def _encoder_weights(config: UNetConfig) -> dict[str, Tensor]:
    if config.resnet == 0:
        return efficientnet.trunk(config.stages, pretrained=True).state_dict()
    from torchvision import models

    try:
        network = getattr(models, f"resnet{config.resnet}")(weights="IMAGENET1K_V1")
    except OSError as error:
        raise CompanionError(
            f"The weights of ResNet{config.resnet} could not be fetched ({type(error).__name__}); go online, or take "
            "the course's encoder, EfficientNet-Lite0."
        ) from None
    state: dict[str, Tensor] = nn.Sequential(*list(network.children())[:-2]).state_dict()
    return state


def copied(network: UNet) -> UNet:
    """Another network with the same weights; fastai's hooks do not bear `deepcopy`."""
    twin = UNet(network.config)
    twin.load_state_dict(network.state_dict())
    return twin


def encoder_and_rest(network: UNet) -> list[list[nn.Parameter]]:
    """What fastai calls a splitter: the encoder's parameters, which begin frozen, and all others."""
    own = list(network.encoder.parameters())
    known = set(map(id, own))
    return [own, [parameter for parameter in network.parameters() if id(parameter) not in known]]


def unet_learner(dls: DataLoaders, network: UNet, loss: Loss, **options: Any) -> Learner:
    """A learner whose encoder is frozen, as the lesson begins.

    fastai's function of this name cannot be used: it cuts its encoder out of an architecture it knows, and normalises
    in the data pipeline, where a saved network leaves it behind.

    Args:
        dls: Pairs of pictures, in [−1, 1].
        network: As `unet` makes it.
        loss: From what it draws and what it should.
        options: As fastai's `Learner` takes them.
    """
    learner = Learner(dls, network, loss_func=loss, splitter=encoder_and_rest, **options)
    learner.freeze()
    return learner


class PixelsAndFeatures(nn.Module):
    """Mean squared error of the pixels, plus what an ImageNet network sees differently.

    The lesson's `FeatureLoss`, without its third part (Gram matrices, Gatys et al. 2016).

    Args:
        weight: Of the features' part.
        backbone: A name from `companion.losses.BACKBONES`.
    """

    def __init__(self, weight: float, backbone: str) -> None:
        super().__init__()
        self.weight = weight
        self.features = PerceptualLoss(backbone)

    def forward(self, drawn: Tensor, wanted: Tensor) -> Tensor:
        """A scalar; pictures `(N, 3, H, W)` in [−1, 1]."""
        pixels = (drawn - wanted).square().mean()
        seen: Tensor = self.features(drawn, wanted)
        return pixels + self.weight * seen


def critic(width: int = 32, *, blocks: int = 3, seed: int = 1) -> nn.Sequential:
    """The critic of fastai: spectral normalisation, self-attention, dropout; a score for each of some patches.

    Pictures `(N, 3, H, W)` in [−1, 1] to logits `(N, patches)`.

    Args:
        width: Channels after the first convolution; the lesson's are 128.
        blocks: How often the picture is halved after the first time.
        seed: Fixes the weights.
    """
    with drawing(seed, "weights"):
        network: nn.Sequential = gan_critic(nf=width, n_blocks=blocks)
    return network


def critic_learner(dls: DataLoaders, network: nn.Module, **options: Any) -> Learner:
    """A learner that tells real pictures (label 1) from drawn ones (label 0), each patch by itself."""
    loss = AdaptiveLoss(nn.BCEWithLogitsLoss())
    return Learner(dls, network, loss_func=loss, metrics=accuracy_thresh_expand, **options)


def gan_learner(
    drawing_learner: Learner,
    judging_learner: Learner,
    switcher: Callback,
    *,
    weights: tuple[float, float] = (1.0, 200.0),
    **options: Any,
) -> GANLearner:
    """The two learners as a GAN, with the faults of fastai's mended.

    Args:
        drawing_learner: The U-Net's; its loss becomes the content loss.
        judging_learner: The critic's.
        switcher: Whose turn it is when: `AdaptiveGANSwitcher` or `FixedGANSwitcher`.
        weights: Of the critic's opinion and of the content loss, in the generator's loss.
        options: As `GANLearner` takes them.
    """
    return GANLearner.from_learners(
        drawing_learner,
        judging_learner,
        switcher=switcher,
        weights_gen=weights,
        cbs=[RightModes(), KeepStill()],
        **options,
    )
