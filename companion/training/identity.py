"""Who is it? An encoder taught with an angular margin, and what it can teach a translation (chapter 7)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize, softmax
from torchvision.transforms.v2.functional import resize

from companion.data.scale import from_bytes
from companion.errors import CompanionError
from companion.models.identity import Recognising, RecognisingConfig, SphereFaceConfig
from companion.models.registry import image, models, signature_of
from companion.randomness import drawing
from companion.training.faces import ON_CPU
from companion.training.player import Player, Workshop
from companion.training.supervised import Lessons, shifted

MARGIN = 0.3  # radians


def angular_margin(cosines: Tensor, who: Tensor, margin: float = MARGIN, scale: float = 16.0) -> Tensor:
    """Logits in which one's own angle counts as wider than it is (Deng et al. 2019, equation 3).

    Cross-entropy of these logits is ArcFace's loss. SphereFace's own (Liu et al. 2017) multiplies the angle where this
    adds to it.

    Args:
        cosines: Of the angles between embeddings and everybody's directions, `(N, people)` in [−1, 1].
        who: Whose the embeddings are, `(N,)`.
        margin: What is added to one's own angle, in radians.
        scale: Length of embeddings, of which only the direction counts.
    """
    own = cosines.gather(1, who[:, None])
    sines = (1 - own.square()).clamp(min=1e-7).sqrt()  # the slope of a root is infinite at 0
    wider = own * math.cos(margin) - sines * math.sin(margin)
    # Beyond π − margin the wider angle's cosine would rise again; there it falls on along a line.
    wider = torch.where(own > -math.cos(margin), wider, own - margin * math.sin(margin))
    return scale * cosines.scatter(1, who[:, None], wider)


def new_recognising(people: int, config: SphereFaceConfig, *, seed: int) -> Recognising:
    """An encoder with directions for so many people, untrained, with seeded weights."""
    with drawing(seed, "weights"):
        return Recognising(RecognisingConfig(config.length, config.size, config.width, people))


def recognition_lessons(
    model: Recognising,
    pixels: Tensor,
    *,
    rounds: int,
    seed: int,
    margin: float = MARGIN,
    workshop: Workshop | None = None,
) -> Lessons:
    """The model taught to name people by an angular margin. A trained one is fine-tuned, its people being the same.

    Args:
        model: What learns, in place.
        pixels: `(people, pictures, 3, S, S)` uint8, in the order of the model's directions.
        rounds: How often to go through all pictures.
        seed: Fixes order and shifts.
        margin: What is added to one's own angle, in radians; 0 is plain cross-entropy of scaled cosines.
        workshop: Where and how it is trained; without one, on the CPU.
    """
    workshop = workshop or ON_CPU
    people, pictures = pixels.shape[:2]
    everyone = pixels.flatten(0, 1).to(workshop.device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        images = shifted(from_bytes(everyone[chosen]), value=0.0).to(memory_format=workshop.layout)
        who = chosen // pictures
        return cross_entropy(angular_margin(player(images).float(), who, margin), who)

    return Lessons.of(
        "recognising", model, loss, people * pictures, rounds=rounds, seed=seed, workshop=workshop
    )


def is_encoder(network: nn.Module) -> bool:
    """Whether a network makes a row of numbers of each colour picture of one size, as a teacher has to.

    Of a class that is not registered only the size is known.
    """
    size = getattr(getattr(network, "config", None), "size", None)
    if not isinstance(size, int):
        return False
    if type(network) not in {model.build for model in models().values()}:
        return True
    ins, outs = signature_of(network).inputs, signature_of(network).outputs
    reads = len(ins) == 1 and ins[0].shape == image("", 3, size).shape
    return reads and len(outs) == 1 and outs[0].kind == "vector" and len(outs[0].shape) == 2


class Teacher(nn.Module):
    """An encoder that stands still and says of drawings how much they are the people they should be.

    Args:
        encoder: Images `(N, 3, size, size)` in [−1, 1] to embeddings; it has a `config.size`.
        anchors: Pictures of people to compare with, `(A, 3, S, S)` in [−1, 1], for `distilled`.
        threshold: A likeness, as a cosine, that is enough.
        temperature: What likenesses to the anchors are divided by; the lower, the more the nearest counts.

    Raises:
        CompanionError: The encoder is none, or there are no anchors, or they are no square colour pictures.
    """

    def __init__(
        self, encoder: nn.Module, anchors: Tensor, threshold: float = 0.5, temperature: float = 0.1
    ) -> None:
        super().__init__()
        if not is_encoder(encoder):
            raise _no_encoder(encoder)
        self.encoder = encoder.eval().requires_grad_(False)
        self.threshold, self.temperature = threshold, temperature
        self.anchors: Tensor
        with torch.no_grad():
            self.register_buffer("anchors", self.embedded(anchors))
        if self.anchors.dim() != 2:  # of a class that is not registered
            raise _no_encoder(encoder)

    def train(self, mode: bool = True) -> "Teacher":
        """A teacher does not learn: it stays as it is."""
        return super().train(False)

    def embedded(self, images: Tensor) -> Tensor:
        """Who is seen, `(N, length)` of length one, in square colour images of any size.

        Raises:
            CompanionError: They are none.
        """
        if images.dim() != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3] or not len(images):
            raise CompanionError(
                f"A teacher sees square colour pictures (N, 3, S, S), and these are {tuple(images.shape)}; cut out "
                "squares, and repeat a grey channel three times."
            )
        side = self.encoder.config.size
        if images.shape[-1] != side:
            images = resize(images, [side, side], antialias=True)
        return normalize(self.encoder(images).float(), dim=1)

    def _of_both(self, drawn: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        if len(drawn) != len(images):
            raise CompanionError(
                f"{len(drawn)} drawings cannot be compared with {len(images)} pictures; give the picture that each was "
                "drawn from."
            )
        return self.embedded(drawn), self.embedded(images)

    def identity(self, drawn: Tensor, images: Tensor) -> Tensor:
        """max(0, threshold − likeness) of drawings and what they were drawn from, averaged.

        Raises:
            CompanionError: They are not as many, or no square colour pictures; likewise of `distilled`.
        """
        found, wanted = self._of_both(drawn, images)
        alike = (found * wanted).sum(1)
        return (self.threshold - alike).clamp(min=0).mean()

    def distilled(self, drawn: Tensor, images: Tensor) -> Tensor:
        """How much the drawing's likeness to the anchors differs from its original's (Hinton et al. 2015, section 2).

        The Kullback–Leibler divergence of the two softmaxes at the temperature, times its square as there, averaged.
        """
        found, wanted = (each @ self.anchors.T / self.temperature for each in self._of_both(drawn, images))
        gap = kl_div(log_softmax(found, 1), softmax(wanted, 1), reduction="batchmean")
        return self.temperature**2 * gap


def _no_encoder(network: nn.Module) -> CompanionError:
    return CompanionError(
        f"{type(network).__name__} cannot tell who is in a picture; give a network that makes a row of numbers of each "
        "colour picture, and names the side of these as its config.size."
    )
