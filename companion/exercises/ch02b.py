"""Checks of chapter 2b's exercises: light that adds up, a width in a spectrum, strength, harm, what a mean hides."""

import math
from collections.abc import Callable

import torch
from scipy.stats import beta, norm
from torch import Tensor

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import normal, uniform, whole
from companion.exercises.runner import NotYet, Task, right

# ---- 1: a long exposure ----

EXPOSURE = Task(
    "long_exposure(frames, seconds)", "the photograph that lasts as long as all frames, (C, H, W)"
)


def check_long_exposure(student: object) -> None:
    """Task 1: the mean of light, weighted by time, and back to stored values."""
    cases = [
        (uniform(0, 1, moments, *size), (4 * uniform(0.3, 3, moments)).ceil() / 4)
        for moments, size in ((2, (1, 1, 2)), (3, (3, 2, 5)), (whole(4, 7), (3, whole(6, 8), 4)))
    ]

    def taken(
        power: float = 2.2, back: float = 1 / 2.2, weigh: Callable[[Tensor], Tensor] | None = None
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """With these powers on the way to light and back, and each moment's share."""

        def take(frames: Tensor, seconds: Tensor) -> Tensor:
            shares = weigh(seconds) if weigh else seconds / seconds.sum()
            return torch.einsum("m,mchw->chw", shares, frames**power) ** back

        return take

    EXPOSURE.judge(
        student,
        cases,
        taken(),
        {
            "You add up stored values; it is light that adds up: take the 2.2th power first.": taken(1, 1),
            "You leave the sum in light; a file stores its 2.2th root.": taken(back=1),
            "You take stored values for light, and encode them once more.": taken(power=1),
            "Your powers are the other way round: light is the stored value to the power 2.2.": taken(
                1 / 2.2, 2.2
            ),
            "All your frames last equally long; weigh each by its seconds.": taken(
                weigh=lambda s: torch.ones_like(s) / len(s)
            ),
            "You do not divide by the whole time, so a longer exposure is brighter; the camera allows for it.": taken(
                weigh=lambda s: s
            ),
            "You divide by the number of frames; divide by the whole time.": taken(
                weigh=lambda s: s / len(s)
            ),
            "You take the seconds to a power as well; they are no light.": taken(
                weigh=lambda s: s**2.2 / (s**2.2).sum()
            ),
        },
    )
    right("Light adds up on the sensor, and only then it is encoded.")


# ---- 2: a width in a spectrum ----

WIDTH = Task("width_of(picture)", "how many pixels wide the level shake is, a whole number")
LEAST, MOST = 4, 20


def shaken(width: int, seed: int) -> Tensor:
    """A grey picture of nothing, `(48, W)`, shaken along a level line of so many pixels, with a little noise.

    Args:
        width: Of the shake.
        seed: Of the picture, of its own width W, and of its noise.
    """
    random = torch.Generator().manual_seed(seed)
    across = int(torch.randint(200, 281, (), generator=random))
    fall = 0.8 + 0.4 * float(torch.rand((), generator=random))
    down, right_ = torch.fft.fftfreq(48)[:, None], torch.fft.rfftfreq(across)
    far = (down.square() + right_.square()).clamp(min=1 / across**2).sqrt()
    drawn = torch.fft.rfft2(torch.randn(48, across, generator=random)) / far**fall
    kernel = torch.zeros(across)
    kernel[:width] = 1 / width
    picture = torch.fft.irfft2(drawn * torch.fft.rfft(kernel), s=(48, across))
    picture = picture - picture.mean()
    noise = 0.005 * torch.randn(48, across, generator=random)
    shown: Tensor = 0.5 + 0.2 * (picture / picture.std() + noise)
    return shown


def check_width_of(student: object) -> None:
    """Task 2: twenty pictures that nobody has seen, of many widths."""
    for number in range(20):
        width = whole(LEAST, MOST)
        picture = shaken(width, whole(0, 10**9))
        found = WIDTH.number(WIDTH.ask(student, picture.clone()))
        if found == width:
            continue
        across = picture.shape[1]
        told = f"A picture {across} pixels wide was shaken over {width}, and you say {found:.4g}"
        if abs(found - across / width) < 1:
            raise NotYet(
                f"{told}: that is where the first dip lies in the spectrum. Divide the picture's width by it."
            )
        if any(abs(found * n - width) < 1 or abs(found - n * width) < 1 for n in (2, 3, 4)):
            raise NotYet(
                f"{told}. Dips lie at every multiple of {across} / {width}; you took one for another, so use all of "
                "them, and not the deepest alone."
            )
        if abs(found - width) < 2:
            raise NotYet(
                f"{told}: nearly, and not it. One dip is only as exact as the spectrum's steps; use all of them."
            )
        after = f" {number} were right before." if number else ""
        raise NotYet(
            f"{told}. A row shaken over L pixels has next to nothing at multiples of {across} / L.{after}"
        )
    right("Twenty of twenty: what a shake takes away tells its length.")


# ---- 3: how strong? ----

STRENGTH = Task(
    "best_strength(blurred, restored, clear)", "the share of the change that errs least, from 0 to 1"
)


def check_best_strength(student: object) -> None:
    """Task 3: least squares on the way from the blurred pictures to the restored ones, and not beyond either."""
    cases = [
        (*_tried(count, size, wanted),)
        for count, size, wanted in (
            (1, (1, 1, 2), 0.5),
            (2, (3, 2, 3), 0.8),
            (whole(3, 4), (3, whole(6, 8), 5), float(uniform(0.2, 0.7))),
            (2, (1, 5, 6), 1.6),
            (3, (1, 4, 5), -0.7),
        )
    ]

    def errs_least(change: Tensor, wanted: Tensor) -> Tensor:
        return ((change * wanted).sum() / change.square().sum()).clamp(0, 1)

    def each(blurred: Tensor, restored: Tensor, clear: Tensor) -> Tensor:
        pairs = zip(restored - blurred, clear - blurred, strict=True)
        return torch.stack([errs_least(*pair) for pair in pairs]).mean()

    STRENGTH.judge(
        student,
        cases,
        lambda y, r, x: errs_least(r - y, x - y),
        {
            "You find each picture's own strength and average; asked for is one for all, whose errors add up.": each,
            "You do not stay within 0 and 1: beyond the restored picture nobody has been.": lambda y, r, x: (
                ((r - y) * (x - y)).sum() / (r - y).square().sum()
            ),
            "You divide by the squares of what was wanted; it is the change that is scaled.": lambda y, r, x: (
                (((r - y) * (x - y)).sum() / (x - y).square().sum()).clamp(0, 1)
            ),
            "You give the share that is left out: 0 is no change, and 1 is all of it.": lambda y, r, x: (
                1 - errs_least(r - y, x - y)
            ),
            "You compare with the restored picture; the way begins at the blurred one.": lambda y, r, x: (
                errs_least(r - y, x - r)
            ),
            "You compare the two errors; the best is where the error's slope is zero, and that is another place.": (
                lambda y, r, x: (
                    (y - x).square().sum() / ((y - x).square().sum() + (r - x).square().sum())
                ).clamp(0, 1)
            ),
            "You say all or nothing; the error is a parabola, and its lowest point lies mostly between.": (
                lambda y, r, x: ((r - x).square().sum() < (y - x).square().sum()).float()
            ),
        },
        tolerance=1e-3,
    )
    right("One division, and never worse than leaving it alone, on the pictures that chose it.")


def _tried(count: int, size: tuple[int, ...], strength: float) -> tuple[Tensor, Tensor, Tensor]:
    """Blurred, restored and clear pictures `(count, *size)`, for which about this strength is best."""
    blurred, change = normal(count, *size), normal(count, *size)
    change = change * (1 + torch.arange(count) / 2).view(-1, *[1] * len(size))  # the last matter most
    apart = strength + 0.3 * normal(count).view(-1, *[1] * len(size)) * (count > 1)
    clear = blurred + (strength + apart) / 2 * change + 0.1 * normal(count, *size)
    return blurred, blurred + change, clear


# ---- 4: none of sixty ----

HARM = Task("harmed_at_most(count, harmed, sure)", "the largest share of all photographs that this allows")


def check_harmed_at_most(student: object) -> None:
    """Task 4: the one-sided upper bound of Clopper and Pearson, also where none or all were harmed."""
    many = whole(40, 90)
    cases = [
        (10, 0, 0.95),
        (10, 1, 0.9),
        (many, 0, 0.95),
        (many, whole(2, 5), 0.9),
        (whole(20, 30), whole(6, 9), 0.99),
        (7, 7, 0.95),
    ]

    def bound(n: int, k: int, sure: float) -> float:
        return 1.0 if k == n else float(beta.ppf(sure, k + 1, n - k))

    def by_bell(n: int, k: int, sure: float) -> float:
        share = k / n
        return share + float(norm.ppf(sure)) * math.sqrt(share * (1 - share) / n)

    HARM.judge(
        student,
        cases,
        bound,
        {
            "You return the share that was seen; none of ten does not make it none of all.": lambda n, k, _: (
                k / n
            ),
            "You take the normal distribution, whose deviation is 0 where none was harmed; ask the binomial.": by_bell,
            "You leave sureness on both sides; here only a larger share is to be ruled out.": lambda n, k, s: (
                bound(n, k, (1 + s) / 2)
            ),
            "You ask how probable exactly this number is; as few as this, or fewer, would have been seen.": (
                lambda n, k, s: bound(n, k, s) if k == 0 else math.nan
            ),
            "You ask for fewer than this; count those that were harmed themselves, too.": lambda n, k, s: (
                float(beta.ppf(s, k, n - k + 1)) if k else 0.0
            ),
            "You give the smallest share that this allows; asked for is the largest.": lambda n, k, s: (
                float(beta.ppf(1 - s, k, n - k + 1)) if k else 0.0
            ),
            "You mix up sure and unsure: a share is ruled out when so few would be seen only 1 − `sure` of the time.": (
                lambda n, k, s: bound(n, k, 1 - s)
            ),
            "You take the rule of three, which is for none harmed, many photographs and 95 %.": lambda n, k, _: (
                3 / n
            ),
        },
    )
    right("None of sixty still allows one in twenty; so say how many you have looked at.")


# ---- 5: what a mean hides ----

WORDS = ("sharpens", "only smooths", "overdoes it", "moves it", "spoils some")
DIAGNOSE = Task("diagnose(answers)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")
PICTURES, SIDE = 16, 48


def answered(kind: str, seed: int) -> dict[str, Tensor]:
    """What a restorer of this kind makes of blurred pictures with noise.

    Args:
        kind: One of `WORDS`.
        seed: Of the pictures, their contrast, their blur, and how plainly the fault shows.

    Returns:
        `clear`, `blurred` and `restored`, `(PICTURES, SIDE, SIDE)` each.
    """
    random = torch.Generator().manual_seed(seed * 10 + WORDS.index(kind))

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    def noise() -> Tensor:
        return torch.randn(PICTURES, SIDE, SIDE, generator=random)

    down, across = torch.fft.fftfreq(SIDE)[:, None], torch.fft.rfftfreq(SIDE)
    far = down.square() + across.square()
    power = 1 / far.clamp(min=1 / SIDE**2)

    def passed(images: Tensor, by: Tensor) -> Tensor:
        found: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * by, s=(SIDE, SIDE))
        return found

    clear = passed(noise(), power.sqrt())
    clear = clear / clear.std()
    contrast, grain = draw(0.5, 3), draw(0.02, 0.04)
    passes = (-2 * math.pi**2 * draw(1, 1.8) ** 2 * far).exp()
    blurred = passed(clear, passes) + grain * noise()
    kept = passes**2 / (passes**2 + grain**2 / (power / power.mean()))
    wiener = kept / passes
    if kind == "only smooths":
        wiener = kept
    if kind == "overdoes it":
        wiener = wiener * (1 + draw(2, 3) * (1 - passes))
    restored = passed(blurred, wiener)
    if kind == "moves it":
        steps = (
            1 + int(torch.randint(2, (), generator=random)),
            int(torch.randint(-2, 3, (), generator=random)),
        )
        restored = restored.roll(steps, (1, 2))
    if kind == "spoils some":
        restored[torch.randperm(PICTURES, generator=random)[:2]] += draw(0.6, 1) * noise()[:2]
    return {"clear": contrast * clear, "blurred": contrast * blurred, "restored": contrast * restored}


HINTS = {
    "sharpens": "whoever sharpens brings each picture nearer, and gives back slopes, though never more than the clear "
    "pictures have",
    "only smooths": "whoever only takes the noise away hardly changes the PSNR, and its slopes are no steeper than "
    "those of the blurred one",
    "overdoes it": "whoever overdoes it draws steeper slopes than the clear pictures have",
    "moves it": "a picture that is moved by a pixel has a bad PSNR everywhere, and a good one at the best shift",
    "spoils some": "a good mean may hide two bad pictures: look at the worst, beside the median",
}


def check_diagnose(student: object) -> None:
    """Task 5: thirty restorers that nobody has met, six of each kind, in any order."""

    def wrong(kind: str, answer: str) -> str:
        return (
            f"Of one of thirty new restorers the word is “{kind}”, and you say “{answer}”. Think of this: "
            f"{HINTS[kind]}. The contrast differs from one to the next, so an error's size says nothing."
        )

    named_rightly(DIAGNOSE, student, WORDS, of_each=6, made=answered, wrong=wrong)
    right("Thirty of thirty: you look behind the mean.")
