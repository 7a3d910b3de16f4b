"""Chapter 2, once more: a network for every blur, three ways to build it, and what was possible without one.

Nothing is tested on what it was trained on. Training takes the embedded photographs, the pets and BSD100, the training
split of each; the tests take LIVE's photographs, which are none of these, and Levin's real shakes. A blur and a shift
cannot be told apart blindly, so every gain is that of the best shift by whole pixels, before and after alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from companion import pretrained
from companion.blind import ENOUGH, SIZES, STEEP, Blur, blind_kernel, likeliest_blur, steepness
from companion.classical import lucy, total_variation, unsupervised, wiener_filter
from companion.data.anyblur import AnyBlur
from companion.data.anypairs import damaged
from companion.data.assets import manifest
from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.photos import Photos, load_photos
from companion.data.scale import bytes_of, from_bytes
from companion.data.sets.levin import NAME, shaken
from companion.environment import pick_device
from companion.listening import LOOKED_AT, Listening, busiest
from companion.metrics import Measurement
from companion.metrics.restoration import aligned_psnr, psnr
from companion.models.anyblur import BodyConfig, GatedConfig, KernelConfig, KernelRestorer, PlainConfig
from companion.randomness import generator
from companion.reproduce.following import begun, finish_run, points_of
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import bootstrap, with_interval
from companion.training.restoring import Restoring, RestoringSettings, RestoringTrainer, build

SIDE = 192  # of the test pictures
SEEDS = [1, 2, 3]
STEPS = 16000
POINTS, FOLLOWED = 8, 16  # moments of a run at which it is looked at, and on how many pictures
NEW_HAND = Camera(shakes=29, seed=2)  # the chapter's camera in a hand that nothing has trained on
OUT_OF_FOCUS = Camera(kind="disc", length=12.0)
CHOSEN_BY = 60  # training photographs
NOISES = (0.0, 0.02, 0.05)  # on the scale [0, 1]: under which the new hand's shakes are judged too
SHAKES, FOCUS, ANY, SHARP, REAL = "a new hand", "out of focus", "any blur", "sharp", "real shakes"
LARGEST = {
    SHAKES: 15,
    FOCUS: 15,
    ANY: 41,
    REAL: 31,
}  # side of the kernels that a blind method is told to look for

Method = Callable[[Tensor], Tensor]
Deconvolution = Callable[[Tensor, Tensor], Tensor]


def any_blur(job: Job) -> Result:
    """A network that is to read the blur off the picture. Asked for more steps, its run goes on where it stands.

    What would refute “one network for every shake”: a set of pictures on which it loses on average, or a real shake
    that it makes worse by more than a third of a decibel.
    """
    settings = _settings(job, KernelConfig(width=20), STEPS)
    settings = replace(settings, horizon=settings.steps)
    run_of = _finished(job, "run", settings)
    network = run_of.trainer.products()["restorer"].eval()
    assert isinstance(network, KernelRestorer)
    sets, rough = _sets(job), pretrained.load("deblur-best")
    found = {
        "the network": _on_all(job, f"network-{settings.steps}", _by_fours(network), sets),
        "chapter 2's network": _on_all(
            job, f"chapter-2 {pretrained.checksum('deblur-best')[:8]}", _by_fours(rough), sets
        ),
    }
    noisy = _on_all(job, f"noises-{settings.steps}", _by_fours(network), _noisy(job))
    metrics = [*_metrics(found, sets), *_metrics({"the network": noisy}, _noisy(job))]
    details = {"gains": {**found, "noise": noisy}, "curve": points_of(job, "run")}
    about = {**settings.as_json(), "precision": "float32", "photographs": _counts(run_of.photos)}
    return Result(about, [settings.seed], metrics, details, model=network)


def blind_formulas(job: Job) -> Result:
    """What can be done about an unknown blur without a network: find the kernel, then divide it out.

    The kernels are `companion.blind`'s: once told about how large they are, once not. In the second case a picture that
    no kernel explains better than none by enough stays as it is. Wiener's balance, the rounds of Richardson and Lucy
    and the weight of total variation are those that did best on eight validation pictures.

    What would refute “the evidence can be asked for the size”: a loss, on average, against the kernels whose size was
    told. What would refute “it knows when to keep still”: sharp pictures that change.
    """
    sets, tuned = _sets(job), _tuned(job)
    methods: dict[str, Deconvolution] = {
        "Wiener": partial(wiener_filter, balance=tuned["Wiener"]),
        "Richardson–Lucy": partial(lucy, rounds=int(tuned["Richardson–Lucy"])),
        "unsupervised Wiener": unsupervised,
        "total variation": partial(total_variation, weight=tuned["total variation"]),
    }
    told = {name: _blind_kernels(job, name, pairs) for name, pairs in sets.items() if name in LARGEST}
    found: dict[str, Any] = {}
    for title, method in methods.items():
        found[f"{title}, kernel found blindly, size told"] = {
            name: job.once(f"{title}/{name}", partial(_judged, _given(method, kernels), sets[name]))["each"]
            for name, kernels in told.items()
        }
    blurs = {name: _blurs(job, name, pairs) for name, pairs in sets.items()}
    for title, method in methods.items():
        found[f"{title}, kernel found blindly"] = {
            name: job.once(f"{title}, any size/{name}", partial(_judged, _if_sure(method, of), sets[name]))[
                "each"
            ]
            for name, of in blurs.items()
        }
    blurs |= {name: _blurs(job, name, pairs) for name, pairs in _chosen_by(job).items()}
    seen = {name: [round(one.evidence, 4) for one in of] for name, of in blurs.items()}
    steep = {name: [round(one.steepness, 4) for one in of] for name, of in blurs.items()}
    best = "total variation"
    against = _over(found[RULE], best, found[f"{best}, kernel found blindly"])
    metrics = [*_metrics(found, sets), *_sure(blurs), *against]
    about = {
        "device": "cpu",
        "tuned": tuned,
        "sizes": {**LARGEST, "any": list(_sizes(job))},
        "enough": ENOUGH,
        "steep": STEEP,
    }
    return Result(about, [], metrics, {"gains": found, "evidence": seen, "steepness": steep})


def as_restored(job: Job) -> Result:
    """What `companion restore` does: a kernel found by formulas, undone and cleaned up by the network.

    What would refute “it does no harm”: a real shake that loses more than .3 dB, or a sharp picture that comes back
    less than 40 dB from itself. What would refute “the network is worth its while”: Richardson and Lucy's method, with
    the same kernels (`deblur-blind`), gaining as much picture by picture.
    """
    network = pretrained.load("deblur-any")
    sets = {**_sets(job), **_noisy(job)}
    blurs = {name: _blurs(job, name, pairs) for name, pairs in sets.items()}
    looked_at = {LOOKED: _blurs(job, LOOKED, _busiest_parts(job))}
    found = {
        name: job.once(f"restored/{name}", partial(_judged, _listening(network, of), sets[name]))["each"]
        for name, of in blurs.items()
    }
    alone = _on_all(job, "alone", _by_fours(network), sets)
    gains = {"restore": found, "the network alone": alone}
    metrics = [*_metrics(gains, sets), *_sure(blurs | looked_at), *_over_the_rule(job, gains)]
    return Result({"model": "deblur-any", "enough": ENOUGH, "steep": STEEP}, [], metrics, {"gains": gains})


LOOKED = "sharp, where restore looks"
RULE = "Richardson–Lucy, kernel found blindly"


def _over_the_rule(job: Job, gains: dict[str, dict[str, list[float]]]) -> Iterator[Measurement]:
    """How much more each way gains than a rule without a network, picture by picture, where that is recorded."""
    if pretrained.record("deblur-blind").budget != job.budget:
        return
    rule = pretrained.details("deblur-blind")["gains"][RULE]
    for way, per_set in gains.items():
        yield from _over(rule, way, per_set)


def _over(rule: dict[str, list[float]], way: str, per_set: dict[str, list[float]]) -> Iterator[Measurement]:
    for where in (where for where in per_set if where in rule and where != SHARP):
        gaps = [ours - theirs for ours, theirs in zip(per_set[where], rule[where], strict=True)]
        alone = _once_each(gaps, where)
        protocol = f"{len(gaps)} pictures, paired; {_interval_over(alone, where)}"
        name = f"gain over Richardson–Lucy (dB), {where}: {way}"
        yield with_interval(name, fmean(gaps), bootstrap([alone]), protocol)


NETWORKS: dict[str, BodyConfig] = {
    "plain": PlainConfig(width=32, inner=3),
    "gated": GatedConfig(width=32, inner=3),
    "kernel": KernelConfig(width=20),
    "kernel, two rounds": KernelConfig(width=14, rounds=2),
}


def ways(job: Job) -> Result:
    """Three ways at equal steps: draw the difference, gate it, or find the kernel first, in one round or two.

    All have the same photographs, blurs and steps, though not quite the same work: chapter 2b measures that. What
    would refute “finding the kernel pays”: a gain on real shakes, or on a new hand's, within the plain one's interval.
    """
    sets, seeds = _sets(job), SEEDS[:2] if job.debug else SEEDS
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NETWORKS}
    curves: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in NETWORKS}
    for seed in seeds:
        for name, config in NETWORKS.items():
            settings = replace(_settings(job, config, 1500), seed=seed, horizon=1500)
            run_of = _finished(job, f"seed-{seed}/{name}", settings)
            network = run_of.trainer.products()["restorer"].eval()
            found[name].append(_on_all(job, f"seed-{seed}/{name}-judged", _by_fours(network), sets))
            curves[name].append(points_of(job, f"seed-{seed}/{name}"))
    metrics = []
    for name, runs in found.items():
        for where in sets:
            title = "PSNR (dB)" if where == SHARP else "gain in PSNR (dB)"
            means = [fmean(run[where]) for run in runs]
            metrics.append(over_seeds(f"{title}, {where}: {name}", means))
            metrics.append(over_seeds(f"least {title}, {where}: {name}", [min(run[where]) for run in runs]))
    about = {**settings.as_json(), "networks": {name: of.as_json() for name, of in NETWORKS.items()}}
    return Result(about, seeds, metrics, {"gains": found, "curves": curves})


# ---- runs ----


def _settings(job: Job, network: BodyConfig, steps: int) -> RestoringSettings:
    """What the runs share at a budget: all photographs that are at hand."""
    if job.debug:
        network = replace(network, width=4, outer=1, inner=1)
        network = replace(network, size=7) if isinstance(network, KernelConfig) else network
        family = AnyBlur(size=7, longest=6, widest=1.5)
        return RestoringSettings(size=32, batch=2, steps=2, family=family, network=network)
    here = all(manifest()[name].here for name in ("pets", "bsd100"))
    if not here:
        print("The pets or BSD100 are not in the cache, so this trains on the embedded photographs alone.")
    settings = RestoringSettings(data="many" if here else "embedded", network=network, steps=steps)
    if job.budget == "gpu":
        settings = replace(settings, steps=4 * steps, horizon=4 * settings.horizon, batch=16, device="auto")
    return replace(settings, device=pick_device(settings.device).type)


def _finished(job: Job, key: str, settings: RestoringSettings) -> Restoring:
    """A run in its folder below the job's, brought to its end."""
    run_of = build(settings)
    run = begun(job, key, settings.as_json(), run_of.photos.fingerprint)
    trainer, every = run_of.trainer, max(1, settings.steps // POINTS)
    shaken_ones = _followed(job, run_of.photos)

    def measured() -> None:
        if trainer.step and trainer.step % every == 0:
            job.once(f"{key}-quality/{trainer.step:06d}", lambda: _point(trainer, shaken_ones))

    finish_run(run, trainer, run_of.batches, steps=settings.steps, label=key, each=measured)
    return run_of


def _followed(job: Job, photos: Photos) -> Pair:
    """Validation photographs under a hand that is neither trained nor tested on, for a look at a run on its way."""
    some = photos.split("validation")
    few = Photos(some.name, some.sources[:FOLLOWED], some.pixels[:FOLLOWED])
    return held_out(few, Camera(shakes=FOLLOWED, seed=4), _side(job))[0]


def _point(trainer: RestoringTrainer, pairs: Pair) -> dict[str, Any]:
    restored = trainer.restore_images(pairs.input, batch=4)
    gains = aligned_psnr(restored, pairs.target) - aligned_psnr(pairs.input, pairs.target)
    return {"step": trainer.step, "gain": float(gains.mean())}


def _counts(photos: Photos) -> dict[str, int]:
    return {part: len(photos.split(part)) for part in ("training", "validation")}


# ---- test pictures ----


def _sets(job: Job) -> dict[str, Pair]:
    """What everything is judged on; Levin's pictures where they are at hand."""
    wide = _wide(_tested(job), _side(job) + AnyBlur().size - 1)
    draw = generator(0, "damage of test pictures")
    half = AnyBlur().size // 2
    still = wide[..., half:-half, half:-half]
    sets = {
        SHAKES: held_out(_tested(job), NEW_HAND, _side(job))[0],
        FOCUS: held_out(_tested(job), OUT_OF_FOCUS, _side(job))[0],
        ANY: Pair(*damaged(wide, AnyBlur().draw(len(wide), draw), draw).tensors[:2]),
        SHARP: Pair(still, still),
    }
    if manifest()[NAME].here and not job.debug:
        sets[REAL] = shaken()[1]
    return sets


def _chosen_by(job: Job) -> dict[str, Pair]:
    """The training photographs that chose `companion.blind.ENOUGH`, as they were and in another hand's shakes."""
    photos = _photographs(_settings(job, KernelConfig(), 1).data, SIDE + AnyBlur().size - 1).split("training")
    some = range(0, len(photos), max(1, len(photos) // CHOSEN_BY))[:CHOSEN_BY]
    few = Photos(photos.name, tuple(photos.sources[i] for i in some), tuple(photos.pixels[i] for i in some))
    shaken_ones = held_out(few, Camera(shakes=len(few), seed=6), _side(job))[0]
    return {
        "training photographs": Pair(shaken_ones.target, shaken_ones.target),
        "training photographs, shaken": shaken_ones,
    }


def _noisy(job: Job) -> dict[str, Pair]:
    """The new hand's shakes under more and less noise."""
    return {
        f"{SHAKES}, noise {noise:.0%}": held_out(
            _tested(job), replace(NEW_HAND, noise=2 * noise), _side(job)
        )[0]
        for noise in NOISES
    }


def _busiest_parts(job: Job) -> Pair:
    """What `restore` looks at in the sharp test photographs, which is more than the middles that are restored here."""
    side = _side(job) if job.debug else LOOKED_AT
    parts = [busiest(photo.permute(1, 2, 0).numpy(), side) for photo in _tested(job).pixels]
    sharp = torch.stack([from_bytes(bytes_of(part)) for part in parts])
    return Pair(sharp, sharp)


def _tested(job: Job) -> Photos:
    """LIVE's photographs where they are at hand, else the embedded ones that are kept for testing."""
    here = manifest()["live1"].here and not job.debug
    photos = _photographs("live1" if here else "embedded", SIDE + AnyBlur().size - 1)
    return photos.split("test")


@cache
def _photographs(data: str, least: int) -> Photos:
    return load_photos(data, least=least)


def _side(job: Job) -> int:
    return 64 if job.debug else SIDE


def _wide(photos: Photos, side: int) -> Tensor:
    """The middle of each photograph, `(N, 3, side, side)`."""
    cuts = []
    for photo in photos.pixels:
        top, left = ((length - side) // 2 for length in photo.shape[1:])
        cuts.append(photo[:, top : top + side, left : left + side])
    return from_bytes(torch.stack(cuts))


# ---- judging ----


def _by_fours(network: nn.Module) -> Method:
    """A network as a method that needs little memory."""
    return lambda images: torch.cat([network(images[at : at + 4]) for at in range(0, len(images), 4)])


def _given(method: Deconvolution, kernels: Tensor) -> Method:
    return lambda images: method(images, kernels)


def _on_all(job: Job, key: str, method: Method, sets: dict[str, Pair]) -> dict[str, list[float]]:
    return {
        name: job.once(f"{key}/{name}", partial(_judged, method, pairs))["each"]
        for name, pairs in sets.items()
    }


def _judged(method: Method, pairs: Pair) -> dict[str, Any]:
    """What each picture gains in decibels; of sharp pictures, how close they stay to themselves."""
    with torch.no_grad():
        restored = method(pairs.input)
    if torch.equal(pairs.input, pairs.target):
        inner = (..., slice(16, -16), slice(16, -16))
        found = psnr(restored[inner], pairs.target[inner]).clamp(max=99)
    else:
        found = aligned_psnr(restored, pairs.target) - aligned_psnr(pairs.input, pairs.target)
    return {"each": [round(float(one), 3) for one in found]}


def _metrics(found: dict[str, dict[str, list[float]]], sets: dict[str, Pair]) -> list[Measurement]:
    """Of each method on each set, the mean with its interval over photographs, and the worst."""
    metrics = []
    for name, per_set in found.items():
        for where, each in per_set.items():
            title = "PSNR (dB) to itself" if where == SHARP else "gain in PSNR (dB)"
            protocol = (
                f"{len(each)} pictures, {sets[where].target.shape[-1]} pixels a side; best of all shifts"
            )
            alone = _once_each(each, where)
            protocol += f"; {_interval_over(alone, where)}"
            metrics += [
                with_interval(f"{title}, {where}: {name}", fmean(each), bootstrap([alone]), protocol),
                Measurement(f"least {title}, {where}: {name}", min(each), protocol),
            ]
    return metrics


def _once_each(each: list[float], where: str) -> list[float]:
    """Numbers of equal standing: one a photograph; of Levin's four pictures under eight shakes, one a shake."""
    return [fmean(each[shake::8]) for shake in range(8)] if where == REAL else each


def _interval_over(alone: list[float], where: str) -> str:
    return f"interval over {len(alone)} {'shakes' if where == REAL else 'photographs'}"


# ---- kernels, found blindly ----


def _blind_kernels(job: Job, name: str, pairs: Pair) -> Tensor:
    """One for each picture, `(N, size, size)`, found once."""
    size = min(LARGEST[name], 7) if job.debug else LARGEST[name]

    def find(picture: Tensor) -> dict[str, Any]:
        return {"kernel": blind_kernel(picture, size).tolist()}

    found = [
        job.once(f"kernels/{name}/{index:02d}", partial(find, one)) for index, one in enumerate(pairs.input)
    ]
    return torch.tensor([one["kernel"] for one in found])


def _sizes(job: Job) -> tuple[int, ...]:
    return (5, max(SIZES)) if job.debug else SIZES  # where pictures have no room for the largest


def _blurs(job: Job, name: str, pairs: Pair) -> list[Blur]:
    """What `likeliest_blur` finds in each picture."""

    def find(picture: Tensor) -> dict[str, Any]:
        found = likeliest_blur(picture, _sizes(job))
        return {"kernel": found.kernel.tolist(), "evidence": found.evidence}

    rows = [
        job.once(f"blurs/{name}/{index:02d}", partial(find, one)) for index, one in enumerate(pairs.input)
    ]
    kernels = [torch.tensor(row["kernel"]) for row in rows]
    return [
        Blur(kernel, row["evidence"], steepness(picture, kernel))
        for kernel, row, picture in zip(kernels, rows, pairs.input, strict=True)
    ]


def _if_sure(method: Deconvolution, blurs: list[Blur]) -> Method:
    """The method with the kernels found, on those pictures that have one."""

    def restored(images: Tensor) -> Tensor:
        sure = torch.tensor([blur.sure for blur in blurs])
        done = images.clone()
        if sure.any():
            done[sure] = method(images[sure], torch.stack([blur.kernel for blur in blurs if blur.sure]))
        return done

    return restored


def _listening(network: nn.Module, blurs: list[Blur]) -> Method:
    """As `restore` has it, with the blurs already found."""
    listening = Listening(network)

    def one(picture: Tensor, blur: Blur) -> Tensor:
        listening.blur = blur
        restored: Tensor = listening(picture[None])
        return restored

    return lambda images: torch.cat([one(*of) for of in zip(images, blurs, strict=True)])


def _sure(blurs: dict[str, list[Blur]]) -> list[Measurement]:
    """How many pictures of each set are found to be blurred, and how steep those are for which there is evidence."""
    metrics = []
    for name, of in blurs.items():
        steep = sorted(blur.steepness for blur in of if blur.evidence > ENOUGH)
        count = sum(blur.sure for blur in of)
        metrics.append(Measurement(f"found to be blurred, {name}", count, f"of {len(of)} pictures"))
        if steep:
            protocol = f"of {len(steep)} pictures with evidence for a blur; {STEEP} is too steep for one"
            metrics.append(Measurement(f"greatest steepness, {name}", steep[-1], protocol))
    return metrics


def _tuned(job: Job) -> dict[str, float]:
    """What each formula is told that does best with true kernels on eight validation pictures."""
    photos = _photographs(_settings(job, KernelConfig(), 1).data, SIDE + AnyBlur().size - 1).split(
        "validation"
    )
    eight = Photos(photos.name, photos.sources[:8], photos.pixels[:8])
    pairs, kernels = held_out(eight, Camera(shakes=8, seed=3), _side(job))
    options: dict[str, tuple[tuple[float, ...], Callable[[float], Deconvolution]]] = {
        "Wiener": ((0.01, 0.03, 0.1, 0.3, 1.0), lambda value: partial(wiener_filter, balance=value)),
        "Richardson–Lucy": (
            (1, 2) if job.debug else (10, 20, 40),
            lambda value: partial(lucy, rounds=int(value)),
        ),
        "total variation": (
            (2e-4, 8e-4, 3e-3, 1e-2, 3e-2),
            lambda value: partial(total_variation, weight=value),
        ),
    }

    def best(name: str) -> dict[str, Any]:
        values, method = options[name]
        gains = {
            value: float(psnr(method(value)(pairs.input, kernels), pairs.target).mean()) for value in values
        }
        return {"value": max(gains, key=lambda value: gains[value]), "psnr": list(gains.values())}

    return {name: float(job.once(f"tuned/{name}", partial(best, name))["value"]) for name in options}


RECIPES: dict[str, Recipe] = {
    "deblur-any": Recipe("One deblurring network for every shake", 2, any_blur),
    "deblur-blind": Recipe("Unknown shakes found and undone without a network", 2, blind_formulas),
    "deblur-restored": Recipe(
        "A kernel found by formula, undone by a network", 2, as_restored, ("deblur-any",)
    ),
    "deblur-ways": Recipe("Three ways to build a network for every shake", 2, ways),
}
