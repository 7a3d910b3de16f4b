"""Where a translation puts the features of a face, and how many kinds of drawing it makes (chapter 7)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from companion.data.faces import Caricatures, Faces, exaggerate, landmarks
from companion.data.faces.caricature import PAPERS, WIDER_EYES
from companion.data.scale import to_bytes
from companion.metrics import Measurement
from companion.models.munit import BothWays
from companion.randomness import generator
from companion.reproduce.ch07.munit import TEST
from companion.reproduce.ch07.people import MEASURED, SIZE, K, People, redrawn, shipped, untrained
from companion.reproduce.following import learnt
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import mean_with_interval
from companion.training.faces import attribute_lessons, landmark_lessons, read_faces, read_landmarks
from companion.training.munit import styles_of, translated
from companion.training.player import workshop

TAUGHT = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5)  # the reader of points sees every exaggeration as often
LEARNERS = 20_000  # the number of the first person that a reader learns from
OTHERS = 40_000  # of the first whose drawings tell how frequent each kind is
SHOWN = 5  # people whose points are kept, for a figure
CORNER = 4  # pixels of a drawing's upper corners, in which only paper is
EYES = (36, 45)  # the outer corners, whose distance is the unit of an error, as in the 300-W challenge
GROUPS = 4  # of other test people, whose kinds of drawing are counted apart
RARE = 0.01  # kinds that fewer drawings than this belong to are not asked for
REACHED = 0.25  # a kind is reached that is at least so often drawn, as a share of how often it is true


def munit_drawn(job: Job) -> Result:
    """Two readers that learnt from true drawings look at the shipped translation's, beside the truth and controls.

    * *Landmarks.* The reader finds the 68 points in drawings of every exaggeration. How far are a translation's from
      the true ones, of the portrait's own proportions (k = 1) and of the true caricature's (k = 1.5)? The reader's own
      error is that on true drawings, and on true drawings that the same network took apart and drew again; somebody
      else's points say what chance is worth. “Draw me” is asked on the same people; it frames a head anew, so shapes
      are compared there, after the similarity that brings one nearest to the other. What would refute “it keeps the
      features where they were”: an error nearer to somebody else's than to the reader's own.
    * *Kinds of drawing.* The corners tell the paper (the nearest of seven tints), the other reader the disc, the
      hatching and the print in two tones. Which of the kinds that are more frequent than one in a hundred are drawn at
      least a quarter as often as in truth, in styles at random? Beside it other true drawings, and one style for
      everybody, which must fail. What would refute “no kind is dropped”: fewer kinds than other true drawings reach, in
      every group of people.
    """
    both = untrained() if job.debug else shipped()
    points, kinds = _readers(job)
    count, group = (8, 12) if job.debug else (300, 500)
    where = partial(_where, points, both, People(count), measured=2 if job.debug else MEASURED)
    found = {"where": job.once("where", where)}
    found["kinds"] = job.once("kinds", partial(_kinds, kinds, both, group))
    about = {"people": count, "first": TEST, "size": SIZE, "k": K, "device": "cpu", "group": group}
    return Result(
        about, [1], [*_told_where(found["where"]["off"]), *_told_kinds(found["kinds"], group)], found
    )


def _readers(job: Job) -> tuple[nn.Module, nn.Module]:
    """Who finds points in drawings, and who tells how they are made."""
    people, rounds = (12, (1, 1)) if job.debug else (1500, (14, 4))  # points are the harder part
    sets = [
        Caricatures(people, size=SIZE, first=LEARNERS + number * people, k=k)
        for number, k in enumerate(TAUGHT)
    ]
    pixels = torch.cat([one.rendered().pixels for one in sets])
    true = torch.cat([one.landmarks(slice(None)) for one in sets])
    hands = torch.cat([hands_of(one.faces()) for one in sets])
    made = {
        "points": landmark_lessons(pixels, true, rounds=rounds[0], seed=1, workshop=workshop("cpu")),
        "hands": attribute_lessons(pixels, hands, rounds=rounds[1], seed=1, workshop=workshop("cpu")),
    }
    points, kinds = (
        learnt(
            replace(job, work=job.work / name),
            lessons,
            {"people": len(pixels), "rounds": each},
            data=f"{len(pixels)} drawings",
        )
        for (name, lessons), each in zip(made.items(), rounds, strict=True)
    )
    return points, kinds


@dataclass(frozen=True)
class Points:
    """Read points and the true ones they are held against, each `(N, 68, 2)` in pixels."""

    read: Tensor
    true: Tensor

    def off(self) -> list[float]:
        """How far the points are off, on average over a face, as a share of the distance between the eyes."""
        apart = (self.true[:, EYES[0]] - self.true[:, EYES[1]]).norm(dim=1)
        return _rounded((self.read - self.true).norm(dim=2).mean(1) / apart)

    def off_in_shape(self) -> list[float]:
        """The same, after the similarity transform that brings the read points nearest to the true ones."""
        return Points(brought_near(self.read, self.true), self.true).off()


def brought_near(points: Tensor, goal: Tensor) -> Tensor:
    """Each face's points moved, turned and scaled so that the squares of what is left are least (Umeyama 1991).

    Args:
        points: `(N, P, 2)`.
        goal: As many.
    """
    middle, wanted = points.mean(1, keepdim=True), goal.mean(1, keepdim=True)
    z, w = (torch.view_as_complex((one - at).contiguous()) for one, at in ((points, middle), (goal, wanted)))
    factor = (z.conj() * w).sum(1, keepdim=True) / z.abs().square().sum(1, keepdim=True).clamp(min=1e-12)
    return torch.view_as_real(factor * z) + wanted


def _where(reader: nn.Module, both: BothWays, people: People, *, measured: int) -> dict[str, Any]:
    """For each way to draw, how far each person's points are off; and the first people's points."""
    there = both.a_to_b
    own, styles = people.styles(there), people.styles(there, "styles of points")
    faces, others = people.faces, people.next
    true = {k: true_points(faces, k) for k in (1.0, K)}
    plain = people.drawn(1.0)
    pictures = {
        "translations": translated(there, people.portraits, own),
        "true drawings, k = 1": plain,
        "true drawings, k = 1.5": people.drawings,
        "true drawings redrawn, k = 1": redrawn(both, plain, styles),
    }
    seen = {name: read_landmarks(reader, to_bytes(images)) for name, images in pictures.items()}
    pairs = {
        "translations, from k = 1": Points(seen["translations"], true[1.0]),
        "translations, from k = 1.5": Points(seen["translations"], true[K]),
        "true drawings, k = 1": Points(seen["true drawings, k = 1"], true[1.0]),
        "true drawings, k = 1.5": Points(seen["true drawings, k = 1.5"], true[K]),
        "true drawings redrawn, k = 1": Points(seen["true drawings redrawn, k = 1"], true[1.0]),
        "somebody else's, k = 1": Points(true_points(others, 1.0), true[1.0]),
        "the mean of all, k = 1": Points(true[1.0].mean(0).expand_as(true[1.0]), true[1.0]),
    }
    rows, drawings = people.measured_and_drawn(measured)
    drew = read_landmarks(reader, to_bytes(drawings))
    pairs["measured and drawn, from k = 1.5"] = Points(drew, true[K][rows])
    pairs["translations of those measured, from k = 1.5"] = Points(seen["translations"][rows], true[K][rows])
    pairs["somebody else's, k = 1.5, of those measured"] = Points(true_points(others, K)[rows], true[K][rows])
    first = slice(0, SHOWN)
    shown = {"translations": seen["translations"][first]} | {
        f"k = {k:g}": at[first] for k, at in true.items()
    }
    return {
        "off": {name: {"off": pair.off(), "shape": pair.off_in_shape()} for name, pair in pairs.items()},
        "shown": {name: points.mul(10).round().div(10).tolist() for name, points in shown.items()},
    }


def true_points(faces: Faces, k: float) -> Tensor:
    """The 68 points of these people's drawings, `(N, 68, 2)` in pixels."""
    return landmarks(exaggerate(faces, k), SIZE, widen=WIDER_EYES)


def hands_of(faces: Faces) -> Tensor:
    """Whether each face is drawn before a disc, hatched, and as a print in two tones; `(N, 3)` bool."""
    return torch.stack([faces["disc"] > 0.5, faces["hatch"] > 0.3, faces["wash"] > 0.5], 1)


def papers_of(images: Tensor) -> Tensor:
    """The number of the tint that each drawing's upper corners are nearest to, `(N,)`, for images in [−1, 1]."""
    corners = torch.cat([images[:, :, :CORNER, :CORNER], images[:, :, :CORNER, -CORNER:]], 3).mean((2, 3))
    return torch.cdist(corners.add(1).mul(255 / 2), torch.tensor(PAPERS).float()).argmin(1)


def kinds_of(papers: Tensor, hands: Tensor) -> Tensor:
    """The number of each drawing's kind, `(N,)`, from its paper and its hand `(N, 3)`, a true one or logits."""
    disc, hatched, print_ = (hands > 0).long().unbind(1)
    return ((papers * 2 + disc) * 2 + hatched) * 2 + print_


def _kinds(reader: nn.Module, both: BothWays, group: int) -> dict[str, Any]:
    """How often each kind is drawn, by groups of people, and how often the reader tells a true one rightly."""
    there = both.a_to_b
    count = len(PAPERS) * 8

    def hands(images: Tensor) -> Tensor:
        return read_faces(reader, to_bytes(images)) > 0

    def kinds(images: Tensor) -> Tensor:
        return kinds_of(papers_of(images), hands(images))

    def shares(numbers: Tensor) -> list[float]:
        return (torch.bincount(numbers, minlength=count) / len(numbers)).tolist()

    ways: dict[str, list[list[float]]] = {}
    right: dict[str, list[float]] = {}
    for number in range(2 if group < 100 else GROUPS):
        people = People(group, first=TEST + 1000 + number * group)
        true = hands_of(people.faces)
        styles = torch.randn(group, there.config.styles, generator=generator(number, "styles of kinds"))
        own = styles_of(there, people.drawings)
        drawn = {
            "true drawings": people.drawings,
            "true drawings redrawn, in their own style": redrawn(both, people.drawings, own),
            "translations": translated(there, people.portraits, styles),
            "translations, all in one style": translated(
                there, people.portraits, styles[:1].expand(group, -1)
            ),
        }
        for name, images in drawn.items():
            ways.setdefault(name, []).append(shares(kinds(images)))
            if name.startswith("true"):
                right.setdefault(name, []).append(float((hands(images) == true).float().mean()))
    expected = Caricatures(8 * group, size=SIZE, first=OTHERS)
    return {"expected": shares(kinds(expected[:])), "ways": ways, "right": right}


def reached(expected: Tensor, shares: Tensor) -> float:
    """The share of the kinds that are not rare which are drawn at least a quarter as often as is expected."""
    asked = expected >= RARE
    return float((shares[asked] >= REACHED * expected[asked]).float().mean())


def apart(expected: Tensor, shares: Tensor) -> float:
    """Total variation between two lists of shares: what part of the drawings would have to change its kind."""
    return float((expected - shares).abs().sum() / 2)


def _told_where(found: dict[str, dict[str, list[float]]]) -> Iterator[Measurement]:
    titles = {"off": "landmarks off", "shape": "landmarks off in shape"}
    for name, of_people in found.items():
        says = f"68 points, share of the distance between the outer corners of the eyes, {len(of_people['off'])} people"
        for key, title in titles.items():
            if key == "shape" or "measured" not in name:  # “Draw me” frames a head anew
                yield mean_with_interval(f"{title}: {name}", of_people[key], f"{says}; bootstrap over people")


def _told_kinds(found: dict[str, Any], group: int) -> Iterator[Measurement]:
    expected = torch.tensor(found["expected"])
    asked = int((expected >= RARE).sum())
    yield Measurement("kinds asked for", asked, f"at least {RARE:.0%} of {8 * group} true drawings")
    for name, groups in found["ways"].items():
        shares = [torch.tensor(one) for one in groups]
        for title, measure in {"kinds reached": reached, "drawings of the wrong kind": apart}.items():
            told = over_seeds(f"{title}: {name}", [measure(expected, one) for one in shares])
            yield replace(
                told, protocol=f"{group} drawings, {asked} kinds; over {len(shares)} groups of people"
            )
    for name, values in found["right"].items():
        told = over_seeds(f"disc, hatching and print read rightly: {name}", values)
        yield replace(told, protocol=f"{group} drawings; over {len(values)} groups of people")


def _rounded(values: Tensor) -> list[float]:
    """To thousandths, which the record's details have room for."""
    return [round(value, 3) for value in values.tolist()]


OF = ("munit-faces", "likeness")
RECIPES = {
    "munit-drawn": Recipe("Where a translation puts features, and which kinds it draws", 7, munit_drawn, OF),
}
