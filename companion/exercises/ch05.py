"""Checks of chapter 5's exercises: damage by name, no checkerboard, a critic of patches, colour, and honest runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, pixel_shuffle
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import among, mixed, normal, uniform, whole
from companion.exercises.runner import NotYet, Task, right
from companion.exercises.twins import another_start, twin
from companion.restoration.colour import colourfulness as of_the_course

# ---- 1: damage by name ----

AMOUNT = Task("amount(name, low, high)", "a factor from `low` to `high` that belongs to this file's name")


def check_amount(student: object) -> None:
    """Task 1: the same for a name for ever, evenly spread over any range, whatever came before."""
    low = round(float(uniform(0.2, 2)), 1)
    high = round(low + float(uniform(0.6, 5)), 1)

    def factors(names: Sequence[str], of: object = student) -> list[float]:
        return [AMOUNT.number(AMOUNT.ask(of, name, low, high)) for name in names]

    names = [f"{breed}_{number}.jpg" for breed in ("beagle", "Sphynx", "été") for number in range(100)]
    other = twin(student)  # which has not seen anything yet
    first = factors(names)
    if factors(names[19::-1])[::-1] != first[:20] or factors(names[19::-1], other)[::-1] != first[:20]:
        raise NotYet(
            "Asked in another order, your factors are others: a run that is stopped, or a second worker, would ruin "
            "the same picture differently. Let the name alone decide."
        )
    with another_start():
        if factors(names[:10], twin(student)) != first[:10]:
            raise NotYet(
                "Python's `hash` of a text changes with every start; take a checksum, such as `zlib.crc32`, or a "
                "generator seeded with one."
            )
    slack = 1e-5 * high  # a factor that went through float32
    if not all(low - slack <= value <= high + slack for value in first):
        raise NotYet(
            f"Your factors reach from {min(first):.2f} to {max(first):.2f}; asked was for {low:g} to {high:g}."
        )
    if len(set(first)) < len(names) / 2:
        raise NotYet(
            f"{len(names)} names share only {len(set(first))} factors; a finer number from the name would tell them "
            "apart."
        )
    thirds = Counter(min(2, int((value - low) / (high - low) * 3)) for value in first)
    if any(
        abs(thirds[third] / len(first) - 1 / 3) > 0.12 for third in range(3)
    ):  # four deviations of 300 names
        raise NotYet(
            "Your factors are not spread evenly: thirds of the range get "
            f"{thirds[0]}, {thirds[1]} and {thirds[2]} of {len(first)} names."
        )
    right("The same amount for a name, today and on every machine, and all amounts equally often.")


# ---- 2: pixels out of channels ----

ICNR = Task("icnr(weight, scale)", "the weight with each group of `scale²` output channels made equal")


def check_icnr(student: object) -> None:
    """Task 2: after the shuffle, each square of pixels has one value, and the squares differ, at any size."""
    for channels, scale, features in (
        (2, 2, 5),
        (3, 3, whole(4, 8)),
        (whole(4, 6), among((2, 4)), whole(2, 6)),
    ):
        _check_squares(student, normal(channels * scale**2, features, 1, 1), channels, scale)
    right("Each square of pixels begins with one value, so no checkerboard is built in.")


def _check_squares(student: object, weight: Tensor, channels: int, scale: int) -> None:
    found = ICNR.tensor(ICNR.ask(student, weight.clone(), scale), tuple(weight.shape)).detach().to(weight)
    features = normal(weight.shape[1], 4, 4)
    picture = pixel_shuffle(torch.einsum("oi,ihw->ohw", found[..., 0, 0], features)[None], scale)[0]
    squares = picture.unfold(1, scale, scale).unfold(2, scale, scale).flatten(3)
    if (squares - squares[..., :1]).abs().max() < 1e-5:
        if squares[..., 0].flatten(1).std(1).min() < 1e-4:
            raise NotYet("All squares have one and the same value; keep weights that look at the features.")
        if any((one - other).abs().max() < 1e-5 for one, other in combinations(squares, 2)):
            raise NotYet(
                "Some channels of the picture are equal: you copied one filter to several. Each channel of the "
                "picture keeps a filter of its own."
            )
        return
    if found.equal(weight):
        raise NotYet("You return the weight as it came; neighbours still differ, which is the checkerboard.")
    if torch.allclose(found, found[:channels].repeat(scale**2, 1, 1, 1)):
        raise NotYet(
            "You lay the filters one after the other: a, b, a, b. But `pixel_shuffle` makes each channel of the "
            "picture out of channels that follow one another: a, a, b, b."
        )
    raise NotYet(
        "After `pixel_shuffle` the pixels of a square still differ; make each group of scale² channels that "
        "follow one another equal."
    )


# ---- 3: inside the writing ----

INSIDE = Task("psnr_inside(drawn, wanted, mask)", "the PSNR of each picture where the mask is true, (N,)")


def check_psnr_inside(student: object) -> None:
    """Task 3: the mean is over the masked pixels and all three channels, for each picture by itself."""
    sizes = ((2, 3, 4), (3, whole(3, 6), 5), (whole(4, 6), whole(6, 9), whole(8, 12)))

    def total(error: Tensor, mask: Tensor) -> Tensor:
        return (error * mask).sum((1, 2, 3))

    def psnr(measured: Callable[[Tensor, Tensor], Tensor], peak: float = 2) -> Callable[..., Tensor]:
        """From the mean squared error that is measured from the squares and the mask."""
        return lambda drawn, wanted, mask: (
            10 * torch.log10(peak**2 / measured((drawn - wanted).square(), mask))
        )

    INSIDE.judge(
        student,
        [_overwritten(*size) for size in sizes],
        psnr(lambda e, m: total(e, m) / (3 * m.sum((1, 2, 3)))),
        {
            "You average over all pictures; each has its own number.": psnr(
                lambda e, m: (e * m).sum() / (3 * m.sum())
            ),
            "You divide by all pixels of the picture; the mean is over the masked ones alone.": psnr(
                lambda e, m: total(e, m) / e[0].numel()
            ),
            "You forgot that there are three channels: the mask has one, and the error three.": psnr(
                lambda e, m: total(e, m) / m.sum((1, 2, 3))
            ),
            "You measure outside the writing: where the mask is false.": psnr(
                lambda e, m: total(e, ~m) / (3 * (~m).sum((1, 2, 3)))
            ),
            "You measure the whole picture; the mask says which pixels count.": psnr(
                lambda e, m: e.mean((1, 2, 3))
            ),
            "Your peak is 1; from −1 to 1 the way is 2.": psnr(
                lambda e, m: total(e, m) / (3 * m.sum((1, 2, 3))), peak=1
            ),
        },
    )
    right("Only what was written over counts, and each picture for itself.")


def _overwritten(count: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures that differ from those wanted by less where they were written over, and the masks of the writing."""
    wanted = uniform(-1, 1, count, 3, height, width)
    mask = uniform(0, 1, count, 1, height, width) < uniform(0.2, 0.6, count, 1, 1, 1)
    mask[:, :, 0, 0], mask[:, :, 0, 1] = True, False  # some of both in each picture
    strengths = torch.tensor(mixed([0.1, 0.001, 0.2, 0.05, 0.15, 0.01][:count]))  # the second has 66 decibels
    written = wanted + strengths.view(-1, 1, 1, 1) * normal(*wanted.shape)
    return torch.where(mask, written, wanted + 0.5), wanted, mask


# ---- 4: a critic of patches ----

CRITIC = Task("critic_loss(scores, labels)", "the mean cross-entropy of all patches, a scalar")


def check_critic_loss(student: object) -> None:
    """Task 4: every patch of a picture has the picture's label, for any number of patches; value and gradient."""
    cases = [
        (
            (8 * normal(pictures, patches)).round() / 4,  # quarters are quickly read
            torch.tensor(mixed([1, 0, *(whole(0, 1) for _ in range(pictures - 2))])),
        )
        for pictures, patches in ((2, 3), (3, 5), (whole(4, 9), whole(10, 20)), (whole(5, 7), 4))
    ]
    cases.append((40 * normal(4, 3).sign(), torch.tensor(mixed([1, 0, 1, 0]))))  # a critic that is sure

    def wanted(scores: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(scores, labels[:, None].expand_as(scores).to(scores))

    CRITIC.judge(
        student,
        cases,
        wanted,
        {
            "You average the scores of a picture before the loss; each patch is judged by itself.": (
                lambda s, y: wanted(s.mean(1, keepdim=True), y)
            ),
            "You take only the first patch.": lambda s, y: wanted(s[:, :1], y),
            "You turned the labels round: 1 is real.": lambda s, y: wanted(s, 1 - y),
            "Your scores go through a sigmoid twice; they are logits.": lambda s, y: wanted(s.sigmoid(), y),
            "You take the sigmoid first and then the logarithm: σ(40) is rounded to 1, and log(1 − 1) is cut off at "
            "−100. Give the scores themselves to binary_cross_entropy_with_logits.": lambda s, y: (
                binary_cross_entropy(s.sigmoid(), y[:, None].expand_as(s).to(s))
            ),
            "You sum over the patches; take the mean, or the loss grows with the picture.": (
                lambda s, y: wanted(s, y) * s.shape[1]
            ),
            "You sum over patches and pictures; take the mean, or the loss grows with both.": (
                lambda s, y: wanted(s, y) * s.numel()
            ),
        },
        tolerance=1e-3,
    )
    CRITIC.follow(student, cases, wanted)
    right("Every patch of a picture is told the picture's label.")


# ---- 5: how colourful ----

COLOUR = Task("colourfulness(images)", "the colourfulness of each picture, (N,)")


def check_colourfulness(student: object) -> None:
    """Task 5: Hasler and Süsstrunk's measure, from values in [−1, 1], for pictures of any size."""

    def spreads(images: Tensor) -> tuple[Tensor, Tensor]:
        opponents = _opponents(images)
        return opponents.std(2, correction=0), opponents.mean(2).norm(dim=1)

    COLOUR.judge(
        student,
        [
            (_tinted(*size),)
            for size in ((2, 2, 3), (3, whole(3, 6), 5), (whole(4, 6), whole(6, 9), whole(8, 12)))
        ],
        of_the_course,
        {
            "Your values run from −1 to 1; the measure wants 0 to 255.": lambda x: of_the_course(x) / 127.5,
            "You left out the means: 0.3 times their length is added.": lambda x: spreads(x)[0].norm(dim=1),
            "You added the means at full weight; it is 0.3.": lambda x: (
                spreads(x)[0].norm(dim=1) + spreads(x)[1]
            ),
            "You added the two spreads; take the root of the sum of their squares.": (
                lambda x: spreads(x)[0].sum(1) + 0.3 * spreads(x)[1]
            ),
            "You divide by one pixel less; divide by their number.": (
                lambda x: _opponents(x).std(2).norm(dim=1) + 0.3 * spreads(x)[1]
            ),
            "You return one number for all; each picture has its own.": lambda x: of_the_course(x).mean(),
        },
        tolerance=1e-3,
    )
    right("Grey is 0, and what people call quite colourful is about 59.")


def _tinted(count: int, height: int, width: int) -> Tensor:
    """Pictures of noise, each with a tint of its own."""
    return uniform(-0.5, 0.5, count, 3, height, width) + uniform(-0.5, 0.5, count, 3, 1, 1)


def _opponents(images: Tensor) -> Tensor:
    """Red against green and yellow against blue, from values of 0 to 255, `(N, 2, pixels)`."""
    red, green, blue = ((images + 1) * 127.5).unbind(1)
    return torch.stack([red - green, (red + green) / 2 - blue], 1).flatten(2)


# ---- 6: what went wrong? ----

WORDS = ("healthy", "critic asleep", "critic too strong", "learnt by heart")
DIAGNOSE = Task("diagnose(run)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")


def logged(kind: str, seed: int) -> dict[str, list[float]]:
    """Curves of a run of this kind, with noise: 200 steps, and what validation pictures gained at each twentieth.

    Args:
        kind: One of `WORDS`.
        seed: Of the noise, and of how plainly it shows.
    """
    random = torch.Generator().manual_seed(seed * 10 + WORDS.index(kind))

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    steps = torch.linspace(0, 1, 200)
    noise = torch.randn(4, 200, generator=random)
    scale, best = 10 ** draw(-1.0, 1.0), draw(1.0, 3.0)  # of the loss, whose unit says nothing; in decibels
    content = scale * (0.3 + 0.7 * (-steps / 0.3).exp()) * (1 + 0.05 * noise[0])
    critic = 0.55 + draw(-0.05, 0.05) + 0.05 * noise[1]
    validation = best * (1 - (-steps[::20] / 0.25).exp()) + 0.05 * noise[2][::20]
    if kind == "critic asleep":
        critic = 0.693 + 0.004 * noise[1]
    if kind == "critic too strong":
        critic = 0.4 * (-steps / draw(0.1, 0.2)).exp() + 0.004 * noise[1].abs()
        validation = validation - draw(1.5, 3.0) * steps[::20]
    if kind == "learnt by heart":
        content = scale * (0.02 + 0.98 * (-steps / 0.2).exp()) * (1 + 0.05 * noise[0])
        validation = validation - draw(3.0, 5.0) * (steps[::20] - 0.3).clamp(min=0)
    return {"content_loss": content.tolist(), "critic_loss": critic.tolist(), "gain": validation.tolist()}


HINTS = {
    "critic asleep": "a critic that says the same to everything has a cross-entropy of log 2 ≈ 0.693, and stays there",
    "critic too strong": "a critic whose loss falls to nothing has no slope left to give, and what it asks for harms",
    "learnt by heart": "what is learnt by heart gets ever better on the training pictures and worse on others",
    "healthy": "neither loss says more than the gain on pictures that were never trained on",
}


def check_diagnose(student: object) -> None:
    """Task 6: forty runs that nobody has seen, ten of each kind, in any order."""

    def lists(kind: str, seed: int) -> dict[str, list[float]]:
        return {name: list(values) for name, values in logged(kind, seed).items()}

    def wrong(kind: str, answer: str) -> str:
        return (
            f"One of forty new runs is {kind}, and you call it {answer}. Think of this: {HINTS[kind]}. The unit of the "
            "content loss differs from run to run, so its size says nothing."
        )

    named_rightly(DIAGNOSE, student, WORDS, of_each=10, made=lists, wrong=wrong)
    right("Forty of forty: you read runs, not thresholds of one run.")


# ---- 7: which experiment would tell? ----

FACTORS = {"generator_pretrained": (False, True), "critic_pretrained": (False, True)}
PLAN = Task("plan()", "a list of runs, each a dictionary of its settings")
SETTINGS = (*FACTORS, "seed", "generator_steps", "rate")


def _check_numbers(run: Mapping[str, Any]) -> None:
    """Steps and seeds are whole, rates are rates."""
    steps, seed, rate = run["generator_steps"], run["seed"], run["rate"]
    if not (isinstance(steps, int) and not isinstance(steps, bool) and steps >= 1):
        raise NotYet(f"`generator_steps` is a whole number of 1 or more, not {steps!r}.")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise NotYet(f"`seed` is a whole number, not {seed!r}.")
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 1:
        raise NotYet(f"`rate` is a number between 0 and 1, not {rate!r}.")


def check_plan(student: object) -> None:
    """Task 7: all four combinations, equal seeds, equal steps in all, the same rates tried for each."""
    runs = PLAN.ask(student)
    if not isinstance(runs, list) or not runs or not all(isinstance(run, Mapping) for run in runs):
        raise NotYet("`plan` returns a list of dictionaries, one for each run.")
    for run in runs:
        if set(run) != set(SETTINGS):
            raise NotYet(
                f"Each run names {', '.join(SETTINGS)} and nothing else, not {', '.join(map(str, run))}."
            )
        _check_numbers(run)
    cells: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {
        cell: [run for run in runs if tuple(bool(run[name]) for name in FACTORS) == cell]
        for cell in product(*FACTORS.values())
    }
    missing = [cell for cell, of in cells.items() if not of]
    if missing:
        words = [name for name, value in zip(FACTORS, missing[0], strict=True) if value] or ["neither"]
        raise NotYet(
            f"No run has {' and '.join(words)} alone switched on this way, so you cannot tell which of the two helps, "
            "or whether they need each other."
        )
    if len({run["generator_steps"] for run in runs}) > 1:
        raise NotYet(
            "Your runs differ in the generator's steps, pre-training counted: then more training and better training "
            "cannot be told apart."
        )
    tried = [sorted((float(run["rate"]), run["seed"]) for run in of) for of in cells.values()]
    if any(
        len({seed for one, seed in pairs if one == rate}) < 3
        for pairs in tried
        for rate in {rate for rate, _ in pairs}
    ):
        raise NotYet(
            "Some combination has fewer than three seeds at some rate; a difference needs a spread beside it, and luck "
            "must not be mixed with the rate."
        )
    if any(len(pairs) != len(set(pairs)) for pairs in tried):
        raise NotYet("A run stands twice in your plan; it would tell you nothing new.")
    if any({rate for rate, _ in pairs} != {rate for rate, _ in tried[0]} for pairs in tried):
        raise NotYet("The combinations do not try the same rates; what was tuned for one alone wins by that.")
    rates = [rate for rate, _ in tried[0]]
    if max(rates) < 1.5 * min(rates):
        raise NotYet(
            "All runs have as good as one rate, and it may suit only some combinations: try at least two, for each the "
            "same."
        )
    if any(pairs != tried[0] for pairs in tried):
        raise NotYet(
            "The combinations do not share their seeds and rates, so their runs cannot be compared in pairs."
        )
    right(f"{len(runs)} runs that can tell which of the two helps, and whether they need each other.")
