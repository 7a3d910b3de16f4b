"""The U-Net of fast.ai's lesson 7: an ImageNet network looks, a mirror image of it draws (chapter 5).

A U-Net (Ronneberger et al. 2015) hands what its encoder saw at each size across to its decoder. fastai's `DynamicUnet`
grows the decoder to fit any encoder; it up-samples by shuffling channels into pixels (Shi et al. 2016), begins free of
checkerboards (ICNR, Aitken et al. 2017) and stays so by a blur (Sugawara et al. 2018), has self-attention in the
middle (Zhang et al. 2019) and weight normalisation (Salimans and Kingma 2016).

Deliberate deviations from the lesson: pictures come in [−1, 1] and the network itself normalises them as its encoder
was trained, so that no data pipeline can forget it; it draws the *difference* to what it was given, as chapter 2's
generator does, and begins with none; and the encoder may stop early. The encoder by default is EfficientNet-Lite0,
whose weights come in a package; the lesson's ResNet34 stands at the GPU's budget, where torchvision's can be fetched.
"""

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.functional import pad

from companion.errors import CompanionError
from companion.losses import IMAGENET_MEAN, IMAGENET_STD
from companion.models import efficientnet
from companion.models.configs import Config
from companion.models.registry import Model, Signature, image

if TYPE_CHECKING:
    from fastai.vision.models.unet import DynamicUnet

RESNETS = (18, 34)
TRACED = 64  # side of the picture with which fastai finds out where sizes change; the network takes any


@dataclass(frozen=True)
class UNetConfig(Config):
    """The numbers that fix the network's shape."""

    stages: int = 5  # of EfficientNet-Lite0's seven that encode
    resnet: int = (
        0  # or a ResNet of so many layers, 18 or 34, as the lesson has it; then `stages` says nothing
    )
    attention: bool = True

    def __post_init__(self) -> None:
        if self.resnet not in (0, *RESNETS) or not 2 <= self.stages <= len(efficientnet.STAGES):
            raise CompanionError(
                f"An encoder has 2 to {len(efficientnet.STAGES)} stages, or is a ResNet of 18 or 34 layers, not "
                f"{self.stages} and {self.resnet}; the course's have 5 and 0."
            )

    @property
    def shrinks(self) -> int:
        """By which factor the encoder shrinks a side."""
        strides = [stride for _, _, _, stride, _ in efficientnet.STAGES[: self.stages]]
        return 32 if self.resnet else 2 * math.prod(strides)


class UNet(nn.Module):
    """Pictures `(N, 3, H, W)` in [−1, 1] to pictures of the same shape and range; any H and W.

    Inside, sides are filled up by repeating the border until every halving comes out even, and cut back at the end.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        lite = config.resnet == 0
        self.mean, self.std = (
            ((efficientnet.MEAN,) * 3, (efficientnet.STD,) * 3) if lite else (IMAGENET_MEAN, IMAGENET_STD)
        )
        encoder = efficientnet.trunk(config.stages) if lite else _resnet(config.resnet)
        self.layers = _grown(encoder, config.attention)

    @property
    def encoder(self) -> nn.Sequential:
        """What looks at the picture; the rest draws."""
        first: nn.Sequential = self.layers.layers[0]
        return first

    def forward(self, given: Tensor) -> Tensor:
        """The pictures plus what the network thinks they lack."""
        height, width = given.shape[-2:]
        multiple = self.config.shrinks
        filled = pad(given, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        mean, std = (given.new_tensor(numbers)[:, None, None] for numbers in (self.mean, self.std))
        difference = self.layers(((filled + 1) / 2 - mean) / std)[..., :height, :width]
        drawn: Tensor = (given + difference).clamp(-1, 1)
        return drawn


def _grown(encoder: nn.Sequential, attention: bool) -> "DynamicUnet":
    """The decoder that fastai grows on an encoder, its last convolution at zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of what fastai 2.8 still uses
        from fastai.layers import NormType, ToTensorBase
        from fastai.vision.models.unet import DynamicUnet

        grown = DynamicUnet(
            encoder, 3, (TRACED, TRACED), blur=True, self_attention=attention, norm_type=NormType.Weight
        )
    for place, layer in enumerate(grown.layers):
        if isinstance(layer, ToTensorBase):  # fastai's own kind of tensor, which no exporter can follow
            grown.layers[place] = nn.Identity()
    last = next(layer for layer in reversed(list(grown.modules())) if isinstance(layer, nn.Conv2d))
    for tensor in (last.get_parameter("weight_g"), last.get_parameter("bias")):
        nn.init.zeros_(tensor)  # of the weight its length alone: the direction must not vanish
    return grown


def _resnet(layers: int) -> nn.Sequential:
    from torchvision.models import resnet18, resnet34

    network = {18: resnet18, 34: resnet34}[layers](weights=None)
    return nn.Sequential(*list(network.children())[:-2])  # without pooling and classifier


def _signature(config: UNetConfig) -> Signature:
    return Signature((image("given", 3),), (image("drawn", 3),))


MODELS = (Model("unet.UNet", UNet, UNetConfig, _signature, UNetConfig(stages=3)),)
