"""What a translation keeps of people, how far it exaggerates them, and what becomes of their skins (chapter 7)."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from skimage.color import rgb2lab
from torch import Tensor
from tqdm.auto import tqdm

from companion import pretrained
from companion.data.faces import Faces, Portraits, draw_caricatures, draw_portraits
from companion.data.faces.landmarks import PARTS
from companion.data.faces.parameters import PARAMETERS, STYLE
from companion.data.scale import from_bytes
from companion.likeness.drawing import caricature
from companion.likeness.measuring import Measurer
from companion.metrics import Measurement
from companion.models.munit import BothWays, MUNITConfig, Translator
from companion.randomness import drawing, generator
from companion.reproduce.ch07.munit import TEST, distance_for, recognised
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, mean_with_interval, with_interval
from companion.training.munit import styles_of, translated
from companion.translation import mended
from companion.vision.pictures import as_picture

SIZE = 64
SEEN_AT = 384  # pixels: a portrait as “Draw me” is given it, which reads no small pictures
K = 1.5  # how far the drawings that the translation learnt from exaggerate
TRIED = [0.25 * step for step in range(11)]
MEASURED = 100  # people by “Draw me”, which takes its time
HANDS = 30  # styles and hands that everybody is drawn in
DRAWN = 100  # people who are drawn in all of them
HAND = (*STYLE, "ground_phase")  # and its paper
SKIN_AND_HAIR = tuple(f"{part}_{channel}" for part in ("skin", "hair") for channel in "rgb")
SHAPE = tuple(parameter.name for parameter in PARAMETERS if parameter.shape)
NEARNESS = ("first portraits", "true drawings", "translations", "measured and drawn")  # told for these alone
THIRDS = ("darkest third", "middle third", "lightest third")


def munit_people(job: Job) -> Result:
    """The shipped translation on people nobody was trained on, each drawn truth beside it, and “Draw me” beside both.

    * *Who is it?* A picture's nearest among second portraits of the same people, in another pose, light and dress: what
      is found there is the person and not the picture. What would refute “it keeps the person”: an interval that
      reaches chance; “it keeps as much as a true drawing”: one below the true drawings'. *What* is lost? True drawings
      are taken apart by the same network and drawn again, in their own style and in one at random; portraits are
      translated in the style of their own true drawing, which nobody would have; and true drawings are drawn with the
      next person's skin and hair, shape or hand. What would refute “it is the face that is lost”: true drawings that
      are found as rarely, once skin and hair are another's.
    * *How far does it exaggerate?* Everybody is translated in the style of somebody else's drawing, and compared with
      true drawings of themselves in that very style, from k = 0 to 2.5: whose k is the nearest? The ruler is tried on
      drawings and portraits whose k is known, in another style than the ruler's, and on such drawings taken apart and
      joined again by the same network, whose hand is as unsteady as the translation's. It must read all rightly; what
      would refute “it exaggerates”: an interval that reaches 1.
    * *Whose skin?* Everybody is drawn in thirty styles at random, and in as many true hands. What would refute “the
      style has a say in skins”: a share of their variance that is the style's no larger than in true drawings. What
      would refute “it treats all skins alike”: thirds of the people whose lightness moves by different amounts.
    * *Varied, or too varied?* How far apart are two drawings of one person in two hands, beside two people in one hand:
      in translations, and in true drawings, which say how much a hand should change.
    """
    people = People(12 if job.debug else 300)
    both = untrained() if job.debug else shipped()
    there = both.a_to_b
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "who": partial(people.who, both, measured=2 if job.debug else MEASURED),
        "how far": partial(people.how_far, both),
        "skins": partial(people.skins, there, hands=3 if job.debug else HANDS),
        "varied": partial(people.varied, there),
    }
    found = {key: job.once(key, make) for key, make in parts.items()}
    metrics = [*_who(found["who"]), *_how_far(found["how far"])]
    metrics += [*_skins(found["skins"]), *_varied(found["varied"])]
    about = {"people": people.count, "first": TEST, "size": SIZE, "k": K, "device": "cpu"}
    return Result(about, [0], metrics, found)


def shipped() -> BothWays:
    """The translation that the course trained, both ways."""
    model = pretrained.load("munit-faces")
    assert isinstance(model, BothWays)
    return model


def untrained() -> BothWays:
    """A small one that has learnt nothing."""
    with drawing(0, "weights"):
        return BothWays(MUNITConfig(SIZE, 2, 3, 1)).eval()


class People:
    """Test people, in two portraits each, and true drawings of the first."""

    def __init__(self, count: int, first: int = TEST) -> None:
        self.count = count
        views = Portraits(count, views=2, size=SIZE, first=first)
        self.set, self.first, self.second = views, 2 * torch.arange(count), 2 * torch.arange(count) + 1
        self.faces = views.faces(self.first)

    @cached_property
    def portraits(self) -> Tensor:
        """The first portraits, `(count, 3, SIZE, SIZE)` in [−1, 1]."""
        return self.set[self.first]

    @cached_property
    def drawings(self) -> Tensor:
        """Their true drawings, as large."""
        return self.drawn(K)

    def drawn(self, k: float) -> Tensor:
        """True drawings of another exaggeration."""
        return draw_caricatures(self.faces, SIZE, k=k).images

    @cached_property
    def next(self) -> Faces:
        """The faces of each one's neighbours."""
        return self.faces.rows(torch.arange(1, self.count + 1) % self.count)

    def with_the_nexts(self, names: Sequence[str]) -> Tensor:
        """True drawings in which these numbers are the neighbour's."""
        mixed = self.faces.replace(**{name: self.next[name] for name in names})
        return draw_caricatures(mixed, SIZE, k=K).images

    def who(self, both: BothWays, *, measured: int) -> dict[str, Any]:
        """For each way to draw: whose second portrait is nearest, and how many strangers' are less alike."""
        gallery, there = recognised(self.set[self.second]), both.a_to_b
        styles, own = self.styles(there), styles_of(there, self.drawings)
        ways = {
            "first portraits": self.portraits,
            "true drawings": self.drawings,
            "true drawings redrawn, in their own style": redrawn(both, self.drawings, own),
            "true drawings redrawn, in a style at random": redrawn(both, self.drawings, styles),
            "true drawings, another's hand": self.with_the_nexts(HAND),
            "true drawings, another's shape": self.with_the_nexts(SHAPE),
            "true drawings, another's skin and hair": self.with_the_nexts(SKIN_AND_HAIR),
            "translations, in their true drawing's style": translated(there, self.portraits, own),
            "translations": translated(there, self.portraits, styles),
        }
        found = {name: self._nearest(images, gallery) for name, images in ways.items()}
        rows, drawn = self.measured_and_drawn(measured)
        found["translations of those measured"] = {
            key: [values[row] for row in rows] for key, values in found["translations"].items()
        }
        found["measured and drawn"] = self._nearest(drawn, gallery, rows)
        return found

    def styles(self, there: Translator, purpose: str = "styles of people") -> Tensor:
        """One style at random for each person, `(count, styles)`."""
        return torch.randn(self.count, there.config.styles, generator=generator(0, purpose))

    def _nearest(self, images: Tensor, gallery: Tensor, rows: Sequence[int] | None = None) -> dict[str, Any]:
        own = torch.arange(self.count) if rows is None else torch.tensor(rows)
        alike = recognised(images) @ gallery.T
        right = alike.gather(1, own[:, None])
        strangers = (alike < right).sum(1) / (self.count - 1)
        return {"found": (alike.argmax(1) == own).int().tolist(), "strangers": _rounded(strangers)}

    def measured_and_drawn(self, most: int) -> tuple[list[int], Tensor]:
        """Whoever has a mesh, measured in a large portrait and drawn with the same K; their rows, and the drawings."""
        rows, drawn = [], []
        with Measurer(most=1, confidence=0.3) as measurer:
            for row in tqdm(range(most), desc="measuring people", delay=2, leave=False):
                face = self.faces.rows(slice(row, row + 1))
                people = measurer.measure(as_picture(draw_portraits(face, SEEN_AT).images[0]))
                if people:
                    rows.append(row)
                    drawn.append(torch.from_numpy(caricature(people[0].faces, K, "ink", SIZE)[0].copy()))
        return rows, from_bytes(torch.stack(drawn).permute(0, 3, 1, 2))

    def how_far(self, both: BothWays) -> dict[str, Any]:
        """Each person's nearest k, for translations and for pictures whose k is known."""
        there = both.a_to_b
        styles = _hands(there, draw_caricatures(self.next, SIZE, k=K).images)
        posed = _in_the_hand_of(self.faces, self.next)
        ruler = [draw_caricatures(posed, SIZE, k=k).images for k in TRIED]
        known = {k: draw_caricatures(self.faces, SIZE, k=k).images for k in (1.0, K, 2.0)}
        pictures = {
            "translations": translated(there, self.portraits, styles),
            "portraits, k = 1": self.portraits,
            **{f"drawings in another style, k = {k:g}": images for k, images in known.items()},
            **{f"drawings redrawn, k = {k:g}": redrawn(both, images, styles) for k, images in known.items()},
        }
        distance = distance_for(self.count)
        found: dict[str, Any] = {}
        for name, images in pictures.items():
            apart = torch.stack([distance(images, drawn) for drawn in ruler])  # (k, people)
            found[name] = {"nearest": _least(apart), "apart": apart.mean(1).tolist()}
        return found

    def skins(self, there: Translator, *, hands: int) -> dict[str, Any]:
        """Lightness (CIELAB's L*) of each person's skin: in the portrait, in each style, and in each true hand.

        True drawings are not exaggerated here, so that one mask tells where the skin is in all pictures.
        """
        some, count = slice(0, DRAWN), min(DRAWN, self.count)
        faces, portraits = self.faces.rows(some), self.portraits[some]
        masks = self.set.masks(self.first[some])[:, PARTS.index("skin")] > 0.95
        styles = torch.randn(hands, there.config.styles, generator=generator(0, "styles of skins"))
        found: dict[str, Any] = {
            "portraits": _lightness(portraits, masks),
            "translations": [],
            "true drawings": [],
        }
        for hand, style in enumerate(tqdm(styles, desc="skins", delay=2, leave=False)):
            drawn = translated(there, portraits, style.expand(count, -1))
            found["translations"].append(_lightness(drawn, masks))
            example = self.faces.rows(
                torch.full((count,), (self.count - 1 - hand) % self.count, dtype=torch.long)
            )
            posed = _in_the_hand_of(faces, example)
            found["true drawings"].append(_lightness(draw_caricatures(posed, SIZE, k=1.0).images, masks))
        return found

    def varied(self, there: Translator) -> dict[str, dict[str, list[float]]]:
        """Perceptual distances of each person's drawing to their own in another hand, and to another's in the same."""
        distance, styles = distance_for(self.count), self.styles(there)
        drawn = translated(there, self.portraits, styles)
        anew = translated(there, self.portraits, self.styles(there, "other styles of people"))
        alike = translated(there, self.portraits.roll(-1, 0), styles)
        own_hand = _in_the_hand_of(self.next, self.faces)
        pictures = {
            "translations": (drawn, anew, alike),
            "true drawings": (
                self.drawings,
                self.with_the_nexts(HAND),
                draw_caricatures(own_hand, SIZE, k=K).images,
            ),
        }
        return {
            way: {"hands": _rounded(distance(one, other)), "people": _rounded(distance(one, stranger))}
            for way, (one, other, stranger) in pictures.items()
        }


def _hands(there: Translator, drawings: Tensor) -> Tensor:
    """The drawings' styles, `(N, styles)`."""
    styles = styles_of(there, drawings)
    return mended(styles, torch.randn(styles.shape, generator=generator(0, "still numbers of hands")))


@torch.no_grad()
def redrawn(both: BothWays, drawings: Tensor, styles: Tensor) -> Tensor:
    """Drawings taken apart and joined again, in other styles `(N, styles)`."""
    parts = zip(torch.split(drawings, 50), torch.split(styles, 50), strict=True)
    return torch.cat([both.a_to_b.decoder(both.b_to_a.content(part), style) for part, style in parts])


def _in_the_hand_of(faces: Faces, examples: Faces) -> Faces:
    """These faces, to be drawn as those examples are."""
    return faces.replace(**{name: examples[name] for name in HAND})


def _least(apart: Tensor) -> list[float]:
    """Where each column of distances `(k, people)` is least: the vertex of the parabola through the three lowest."""
    at = apart.argmin(0).clamp(1, len(TRIED) - 2)
    below, middle, above = (apart.gather(0, (at + step)[None])[0] for step in (-1, 0, 1))
    bend = (below - 2 * middle + above).clamp(min=1e-9)
    moved = (0.5 * (below - above) / bend).clamp(-1, 1)
    step = TRIED[1] - TRIED[0]
    return _rounded(step * (at + moved))


def _lightness(images: Tensor, masks: Tensor) -> list[float]:
    """Mean lightness of each picture `(N, 3, S, S)` where its mask `(N, S, S)` is true."""
    light = rgb2lab((images / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).double().numpy())[..., 0]
    return [round(float(one[mask].mean()), 1) for one, mask in zip(light, masks.numpy(), strict=True)]


def _rounded(values: Tensor) -> list[float]:
    """To hundredths, which the record's details have room for."""
    return [round(value, 2) for value in values.tolist()]


def _who(found: dict[str, Any]) -> list[Measurement]:
    gallery = len(found["first portraits"]["found"])
    seen_by = f"second portraits of {gallery}, the packaged encoder, {SIZE}×{SIZE}"
    titles = {"recall of the person": "found", "strangers who are less alike": "strangers"}
    metrics = [Measurement("recall of the person: chance", 1 / gallery, seen_by)]
    for way, of_people in found.items():
        protocol = f"{len(of_people['found'])} people not trained on, {seen_by}; bootstrap over people"
        metrics += [
            mean_with_interval(f"{title}: {way}", list(map(float, of_people[key])), protocol)
            for title, key in titles.items()
            if key == "found" or way in NEARNESS
        ]
    return metrics


def _how_far(found: dict[str, Any]) -> list[Measurement]:
    ruler = "the nearest, by perceptual distance, of true drawings of the same person in another's style"
    return [
        mean_with_interval(
            f"nearest k: {name}",
            of_people["nearest"],
            f"{ruler}; {len(of_people['nearest'])} people not trained on, bootstrap over people",
        )
        for name, of_people in found.items()
    ]


def _skins(found: dict[str, Any]) -> list[Measurement]:
    """What tells the lightness of a drawn skin, and by how much each third of the people moves."""
    own = torch.tensor(found["portraits"], dtype=torch.double)
    thirds = own.argsort().chunk(3)
    hands = len(found["translations"])
    says = (
        f"L* (0 black, 100 white) of skins, {len(own)} people not trained on; bootstrap over {hands} styles"
    )
    metrics = []
    for way in ("translations", "true drawings"):
        drawn = torch.tensor(found[way], dtype=torch.double)  # (hands, people)
        for source in ("person", "style"):
            share = partial(_told_by, drawn, source)
            title = f"share of skins told by the {source}: {way}"
            interval = bootstrap([range(hands)], share)
            metrics.append(with_interval(title, share(range(hands)), interval, says))
        slopes = [float(torch.cov(torch.stack([own, one]))[0, 1] / own.var()) for one in drawn]
        metrics.append(mean_with_interval(f"slope of drawn skins in true ones: {way}", slopes, says))
        for name, third in zip(THIRDS, thirds, strict=True):
            moved = (drawn - own)[:, third].mean(1).tolist()
            metrics.append(mean_with_interval(f"lightness gained, {name}: {way}", moved, says))
    return metrics


def _told_by(drawn: Tensor, source: str, hands: Sequence[float]) -> float:
    """The share of the variance of `(hands, people)`, in these hands, that the person or the style tells alone."""
    some = drawn[torch.tensor([int(hand) for hand in hands])]
    means = some.mean(0 if source == "person" else 1)
    return float(means.var(unbiased=False) / some.var(unbiased=False))


def _varied(found: dict[str, dict[str, list[float]]]) -> list[Measurement]:
    """Distances over hands and over people, and the first as a share of the second."""
    metrics = []
    for way, apart in found.items():
        people = len(apart["hands"])
        says = f"perceptual distance, {people} people not trained on; bootstrap over people"
        metrics += [
            mean_with_interval(f"distance of two hands of one person: {way}", apart["hands"], says),
            mean_with_interval(f"distance of two people in one hand: {way}", apart["people"], says),
        ]
        share = partial(_share_of_hands, apart)
        interval = bootstrap([range(people)], share)
        metrics.append(
            with_interval(f"hands apart, as a share of people: {way}", share(range(people)), interval, says)
        )
    return metrics


def _share_of_hands(apart: dict[str, list[float]], rows: Sequence[float]) -> float:
    hands, people = (sum(apart[key][int(row)] for row in rows) for key in ("hands", "people"))
    return hands / people


OF = ("munit-faces", "faces-identity", "likeness")
RECIPES = {
    "munit-people": Recipe(
        "What a translation keeps of people, beside a drawing that measured them", 7, munit_people, OF
    ),
}
