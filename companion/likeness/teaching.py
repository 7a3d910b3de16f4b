"""Teaching the likeness reader: from drawn portraits that were spoiled to the numbers that drew them (chapter 7)."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from companion.data.faces.parameters import COLUMN
from companion.data.scale import from_bytes
from companion.likeness.aligning import Numbers
from companion.likeness.lessons import Lessons
from companion.models.evaluating import evaluating
from companion.models.likeness import MEASURED, WORN, WORN_FROM, LikenessConfig, LikenessReader, Seen
from companion.randomness import drawing
from companion.training import supervised
from companion.training.player import Player, Workshop

TREMBLE = 0.006  # of mesh points while learning, head units: about what a photograph's noise does to them
COLUMNS = [COLUMN[name] for name in MEASURED]
WORN_COLUMNS = [COLUMN[name] for name in WORN]


def new_reader(config: LikenessConfig, template: Numbers, known: Lessons, *, seed: int) -> LikenessReader:
    """A reader that has learnt nothing yet, but knows what drawn faces are like on average."""
    with drawing(seed, "weights"):
        reader = LikenessReader(config)
    values = known.values[:, COLUMNS]
    reader.template.copy_(torch.from_numpy(template))
    reader.usual.copy_(known.points.mean(0))
    reader.middle.copy_(values.mean(0))
    reader.spread.copy_(values.std(0).clamp(min=1e-6))
    return reader


def likeness_lessons(
    reader: LikenessReader, known: Lessons, *, rounds: int, seed: int, workshop: Workshop
) -> supervised.Lessons:
    """The training of a reader on what is known.

    The loss is the negative log-likelihood of a normal distribution whose mean and deviation the network gives for
    each number (Kendall and Gal 2017, equation 5), and cross-entropy for what is worn and for the picture's parts.
    """
    device = workshop.device
    crops, near, parts, points, moves = (
        tensor.to(device) for tensor in (known.crops, known.near, known.parts, known.points, known.moves)
    )
    wanted = ((known.values[:, COLUMNS] - reader.middle.cpu()) / reader.spread.cpu()).to(device)
    worn = (known.values[:, WORN_COLUMNS] > WORN_FROM).float().to(device)

    def loss(player: Player, chosen: Tensor) -> Tensor:
        images = _exposed(from_bytes(crops[chosen]), from_bytes(near[chosen]))
        meshes = points[chosen] + TREMBLE * workshop.bring(torch.randn(len(chosen), points.shape[1]))
        moving = moves[chosen] * workshop.bring((torch.rand(len(chosen), 1) < 0.8).float())
        seen = Seen(*player(*images, meshes, moving))
        shares = parts[chosen].float() / 255
        return (
            likelihood(seen, wanted[chosen])
            + 2 * binary_cross_entropy_with_logits(seen.worn, worn[chosen])
            + 1.5 * cross_entropy(seen.parts, shares / shares.sum(1, keepdim=True))
        )

    return supervised.Lessons.of(
        "reader", reader, loss, len(known), rounds=rounds, seed=seed, workshop=workshop
    )


def likelihood(seen: Seen, wanted: Tensor) -> Tensor:
    """`½ ((x − μ)² / σ² + log σ²)`, averaged: what a normal distribution of this mean and doubt says of the truth.

    The constant ½ log 2π is left out. Both `(N, len(MEASURED))`, in standard deviations of the drawn faces.
    """
    away = (wanted - seen.means) / seen.doubts
    return (0.5 * away.square() + seen.doubts.log()).mean()


def _exposed(*images: Tensor) -> tuple[Tensor, ...]:
    """Cut-outs of the same pictures, a little lighter or darker, and of another tint."""
    count = len(images[0])
    light = 0.8 + 0.4 * torch.rand(count, 1, 1, 1)
    tint = 0.3 * torch.rand(count, 3, 1, 1) - 0.15
    return tuple(pixels * light.to(pixels) + tint.to(pixels) for pixels in images)


@torch.no_grad()
def look(
    reader: LikenessReader, crops: Tensor, near: Tensor, points: Tensor, moves: Tensor, batch: int = 256
) -> Seen:
    """What a reader sees, in eval mode, on the CPU; the cut-outs `(N, 3, S, S)` are uint8."""
    device = reader.template.device
    with evaluating(reader):
        parts = []
        for first in range(0, len(crops), batch):
            rows = slice(first, first + batch)
            given = from_bytes(crops[rows]), from_bytes(near[rows]), points[rows], moves[rows]
            parts.append([each.cpu() for each in reader(*(tensor.to(device) for tensor in given))])
    return Seen(*(torch.cat(column) for column in zip(*parts, strict=True)))
