"""Guards the checks of chapter 2b's exercises with a bank of right and wrong solutions."""

import math

import numpy as np
import torch
from banks import Bank, EveryBank, untouched
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import beta, binom, norm

from companion.exercises import ch02b

# ---- 1 ----


def in_light(frames, seconds):
    shares = seconds / seconds.sum()
    return (shares.view(-1, 1, 1, 1) * frames**2.2).sum(0) ** (1 / 2.2)


def frame_by_frame(frames, seconds):
    light = torch.zeros_like(frames[0])
    for frame, lasts in zip(frames, seconds, strict=True):
        light = light + lasts * frame**2.2
    return (light / sum(seconds)) ** (1 / 2.2)


def in_numpy(frames, seconds):
    return np.average(frames.numpy() ** 2.2, axis=0, weights=seconds.numpy()) ** (1 / 2.2)


def weighed(weigh):
    return lambda f, s: (weigh(s).view(-1, 1, 1, 1) * f**2.2).sum(0) ** (1 / 2.2)


# ---- 2 ----


def by_cepstrum(picture):
    """A comb of dips in the logarithm of the spectrum is one dip in its own spectrum."""
    power = torch.fft.fft(picture - picture.mean(), dim=1).abs().square().mean(0)
    tones = torch.fft.ifft((power + 1e-12).log()).real
    return 3 + int(tones[3:25].argmin())


def by_model(picture):
    """The width whose line explains the spectrum of a photograph best."""
    power = np.square(np.abs(np.fft.fft(picture.numpy() - picture.numpy().mean(), axis=1))).mean(0)
    across = len(power)
    waves = np.arange(1, across // 2)
    table = np.stack([np.ones(len(waves)), np.log(waves)], 1)
    left = {}
    for width in range(3, 25):
        passes = np.sin(np.pi * waves * width / across) / (width * np.sin(np.pi * waves / across))
        rest = np.log(power[waves]) - np.log(passes**2 + 1e-4)
        left[width] = np.square(rest - table @ np.linalg.lstsq(table, rest, rcond=None)[0]).mean()
    return min(left, key=left.get)


def first_dip(picture):
    return picture.shape[1] / by_cepstrum(picture)


# ---- 3 ----


def by_division(blurred, restored, clear):
    change = restored - blurred
    return (change * (clear - blurred)).sum().div(change.square().sum()).clamp(0, 1)


def by_search(blurred, restored, clear):
    y, r, x = (each.double() for each in (blurred, restored, clear))

    def error(strength):
        return float((y + strength * (r - y) - x).square().sum())

    return minimize_scalar(error, bounds=(0, 1), method="bounded", options={"xatol": 1e-7}).x


def by_table(blurred, restored, clear):
    strengths = torch.linspace(0, 1, 2001)
    errors = [(blurred + s * (restored - blurred) - clear).square().sum() for s in strengths]
    return strengths[int(torch.stack(errors).argmin())]


def not_cut(blurred, restored, clear):
    change = restored - blurred
    return (change * (clear - blurred)).sum() / change.square().sum()


def each_by_itself(blurred, restored, clear):
    each = [by_division(*three) for three in zip(blurred, restored, clear, strict=True)]
    return sum(each) / len(each)


# ---- 4 ----


def by_beta(count, harmed, sure):
    return 1.0 if harmed == count else beta.ppf(sure, harmed + 1, count - harmed)


def by_binomial(count, harmed, sure):
    if harmed == count:
        return 1.0
    return brentq(lambda share: binom.cdf(harmed, count, share) - (1 - sure), 1e-9, 1 - 1e-9, xtol=1e-10)


def by_halving(count, harmed, sure):
    low, high = harmed / count, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        seen = sum(math.comb(count, k) * middle**k * (1 - middle) ** (count - k) for k in range(harmed + 1))
        low, high = (middle, high) if seen > 1 - sure else (low, middle)
    return high


# ---- 5 ----


def slopes(images):
    return images.diff(dim=2).square().mean((1, 2)).sqrt()


def reads(answers):
    clear, blurred, restored = (answers[name] for name in ("clear", "blurred", "restored"))
    gains = 10 * ((blurred - clear).square().mean((1, 2)) / (restored - clear).square().mean((1, 2))).log10()
    fits = (torch.fft.rfft2(restored) * torch.fft.rfft2(clear).conj()).mean(0)
    if torch.fft.irfft2(fits).argmax() != 0:
        return "moves it"
    if gains.min() < gains.median() - 2:
        return "spoils some"
    steep = (slopes(restored) / slopes(clear)).median()
    if steep > 1:
        return "overdoes it"
    return "only smooths" if steep < (slopes(blurred) / slopes(clear)).median() else "sharpens"


def at_the_best_shift(answers):
    """By PSNR at each shift in place of the cross-correlation, and by means in place of medians."""
    clear, restored = answers["clear"], answers["restored"]
    errors = {
        (down, right): (restored.roll((down, right), (1, 2)) - clear).square().mean()
        for down in range(-3, 4)
        for right in range(-3, 4)
    }
    if min(errors, key=errors.get) != (0, 0):
        return "moves it"
    error = (restored - clear).square().mean((1, 2))
    if error.max() > 2.2 * error.median():
        return "spoils some"
    ratio = slopes(restored).mean() / slopes(clear).mean()
    if ratio > 1:
        return "overdoes it"
    return "sharpens" if ratio > slopes(answers["blurred"]).mean() / slopes(clear).mean() else "only smooths"


def without(word, other):
    return lambda answers: other if reads(answers) == word else reads(answers)


BANKS = {
    "long_exposure": Bank(
        ch02b.check_long_exposure,
        right={"in light": in_light, "frame by frame": frame_by_frame, "NumPy": in_numpy},
        wrong={
            "untouched": (untouched, "waits for you"),
            "on values": (lambda f, s: torch.einsum("m,mchw->chw", s / s.sum(), f), "stored values"),
            "left in light": (lambda f, s: in_light(f, s) ** 2.2, "leave the sum in light"),
            "encoded twice": (lambda f, s: in_light(f ** (1 / 2.2), s), "once more"),
            "powers turned": (lambda f, s: in_light(f ** (1 / 2.2**2), s) ** (2.2**2), "other way round"),
            "all alike": (weighed(lambda s: torch.ones_like(s) / len(s)), "weigh each"),
            "sum": (weighed(lambda s: s), "divide by the whole time"),
            "by frames": (weighed(lambda s: s / len(s)), "number of frames"),
            "seconds in light": (weighed(lambda s: s**2.2 / (s**2.2).sum()), "they are no light"),
            "the last": (lambda f, s: f[-1], "."),
        },
    ),
    "width_of": Bank(
        ch02b.check_width_of,
        right={"cepstrum": by_cepstrum, "a model": by_model},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always ten": (lambda picture: 10, "you say 10"),
            "a dip's place": (first_dip, "first dip"),
            "half": (lambda picture: by_cepstrum(picture) / 2, "one for another"),
            "twice": (lambda picture: 2 * by_cepstrum(picture), "one for another"),
            "one more": (lambda picture: by_cepstrum(picture) + 1, "nearly"),
            "the picture's": (lambda picture: picture.shape[1], "has next to nothing"),
        },
    ),
    "best_strength": Bank(
        ch02b.check_best_strength,
        right={"a division": by_division, "a search": by_search, "a table": by_table},
        wrong={
            "untouched": (untouched, "waits for you"),
            "each by itself": (each_by_itself, "one for all"),
            "not cut off": (not_cut, "stay within 0 and 1"),
            "the other way": (lambda *a: 1 - by_division(*a), "left out"),
            "the wrong squares": (
                lambda y, r, x: ((r - y) * (x - y)).sum().div((x - y).square().sum()).clamp(0, 1),
                "the change that is scaled",
            ),
            "from the restored": (
                lambda y, r, x: ((r - y) * (x - r)).sum().div((r - y).square().sum()).clamp(0, 1),
                "begins at the blurred",
            ),
            "by errors": (
                lambda y, r, x: (y - x).square().sum() / ((y - x).square().sum() + (r - x).square().sum()),
                "compare the two errors",
            ),
            "all or nothing": (
                lambda y, r, x: float((r - x).square().sum() < (y - x).square().sum()),
                "all or nothing",
            ),
            "four fifths": (lambda y, r, x: 0.8, "should be"),
        },
    ),
    "harmed_at_most": Bank(
        ch02b.check_harmed_at_most,
        right={"beta": by_beta, "the binomial": by_binomial, "halving": by_halving},
        wrong={
            "untouched": (untouched, "waits for you"),
            "what was seen": (lambda n, k, s: k / n, "none of all"),
            "a bell": (
                lambda n, k, s: k / n + norm.ppf(s) * math.sqrt(k / n * (1 - k / n) / n),
                "normal distribution",
            ),
            "both sides": (lambda n, k, s: by_beta(n, k, (1 + s) / 2), "both sides"),
            "fewer": (lambda n, k, s: by_beta(n, k - 1, s) if k else 0.0, "fewer than this"),
            "the least": (lambda n, k, s: beta.ppf(1 - s, k, n - k + 1) if k else 0.0, "the smallest"),
            "unsure": (lambda n, k, s: by_beta(n, k, 1 - s), "sure and unsure"),
            "three": (lambda n, k, s: 3 / n, "rule of three"),
            "always 95": (lambda n, k, s: by_beta(n, k, 0.95), "should be"),
        },
    ),
    "diagnose": Bank(
        ch02b.check_diagnose,
        right={"slopes and gains": reads, "the best shift": at_the_best_shift},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always sharp": (lambda answers: "sharpens", "you say “sharpens”"),
            "the mean alone": (without("spoils some", "sharpens"), "look at the worst"),
            "PSNR alone": (without("moves it", "overdoes it"), "at the best shift"),
            "gain is gain": (without("only smooths", "sharpens"), "no steeper"),
            "the steeper the better": (without("overdoes it", "sharpens"), "steeper slopes than"),
            "another word": (lambda answers: "fine", "the words are"),
        },
    ),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_the_widths_can_be_read():
    for width in range(ch02b.LEAST, ch02b.MOST + 1):
        for seed in range(3):
            picture = ch02b.shaken(width, seed)
            assert by_cepstrum(picture) == by_model(picture) == width
            assert 0.1 < float(picture.std()) < 0.3


def test_the_kinds_of_restorers_can_be_told_apart_and_differ_from_seed_to_seed():
    for word in ch02b.WORDS:
        for seed in range(40):
            answers = ch02b.answered(word, seed)
            assert reads(answers) == at_the_best_shift(answers) == word
        one, other = (ch02b.answered(word, seed)["clear"] for seed in (1, 2))
        assert not one.equal(other)


def test_a_restorer_that_spoils_some_has_a_good_mean():
    """Else a mean would have hidden nothing."""
    for seed in range(10):
        for word in ("sharpens", "spoils some"):
            found = ch02b.answered(word, seed)
            before, after = (
                (found[name] - found["clear"]).square().mean((1, 2)) for name in ("blurred", "restored")
            )
            assert float((10 * (before / after).log10()).mean()) > 0
