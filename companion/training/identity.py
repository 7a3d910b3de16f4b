"""Who is it? An encoder taught with an angular margin, and what it can teach a translation (chapter 7)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize, softmax
from torchvision.transforms.v2.functional import resize

from companion.data.scale import from_bytes
from companion.models.identity import Recognising, RecognisingConfig, SphereFaceConfig
from companion.randomness import drawing
from companion.training.faces import ON_CPU
from companion.training.player import Player, Workshop
from companion.training.supervised import Lessons, shifted


def angular_margin(cosines: Tensor, who: Tensor, margin: float = 0.3, scale: float = 16.0) -> Tensor:
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
    model: Recognising, pixels: Tensor, *, rounds: int, seed: int, workshop: Workshop | None = None
) -> Lessons:
    """The model taught to name people by an angular margin. A trained one is fine-tuned, its people being the same.

    Args:
        model: What learns, in place.
        pixels: `(people, pictures, 3, S, S)` uint8, in the order of the model's directions.
        rounds: How often to go through all pictures.
        seed: Fixes order and shifts.
        workshop: Where and how it is trained; without one, on the CPU.
    """
    workshop = workshop or ON_CPU
    people, pictures = pixels.shape[:2]
    everyone = pixels.flatten(0, 1).to(workshop.device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        images = shifted(from_bytes(everyone[chosen]), value=0.0).to(memory_format=workshop.layout)
        who = chosen // pictures
        return cross_entropy(angular_margin(player(images).float(), who), who)

    return Lessons.of(
        "recognising", model, loss, people * pictures, rounds=rounds, seed=seed, workshop=workshop
    )


class Teacher(nn.Module):
    """An encoder that stands still and says of drawings how much they are the people they should be.

    Args:
        encoder: Images `(N, 3, size, size)` in [−1, 1] to embeddings; it has a `config.size`.
        anchors: Pictures of people to compare with, `(A, 3, H, W)` in [−1, 1], for `distilled`.
        threshold: A likeness, as a cosine, that is enough.
        temperature: What likenesses to the anchors are divided by; the lower, the more the nearest counts.
    """

    def __init__(
        self, encoder: nn.Module, anchors: Tensor, threshold: float = 0.5, temperature: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder.eval().requires_grad_(False)
        self.threshold, self.temperature = threshold, temperature
        self.anchors: Tensor
        with torch.no_grad():
            self.register_buffer("anchors", self.embedded(anchors))

    def train(self, mode: bool = True) -> "Teacher":
        """A teacher does not learn: it stays as it is."""
        return super().train(False)

    def embedded(self, images: Tensor) -> Tensor:
        """Who is seen, `(N, length)` of length one, in images of any size."""
        side = self.encoder.config.size
        if images.shape[-1] != side:
            images = resize(images, [side, side], antialias=True)
        return normalize(self.encoder(images).float(), dim=1)

    def identity(self, drawn: Tensor, images: Tensor) -> Tensor:
        """max(0, threshold − likeness) of drawings and what they were drawn from, averaged."""
        alike = (self.embedded(drawn) * self.embedded(images)).sum(1)
        return (self.threshold - alike).clamp(min=0).mean()

    def distilled(self, drawn: Tensor, images: Tensor) -> Tensor:
        """How much the drawing's likeness to the anchors differs from its original's (Hinton et al. 2015, section 2).

        The Kullback–Leibler divergence of the two softmaxes at the temperature, times its square as there, averaged.
        """
        wanted, found = (self.embedded(each) @ self.anchors.T / self.temperature for each in (images, drawn))
        gap = kl_div(log_softmax(found, 1), softmax(wanted, 1), reduction="batchmean")
        return self.temperature**2 * gap
