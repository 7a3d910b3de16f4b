"""Chapter 2: a deblurring GAN, what its content loss is worth, and the classical answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from companion import pretrained
from companion.classical import (
    least_ringing_kernel,
    lucy,
    most_probable_kernel,
    straight_line,
    total_variation,
    wiener_filter,
)
from companion.data.assets import manifest
from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.photos import SPLITS, Photos, load_photos
from companion.data.sets.levin import shaken
from companion.data.webp import as_webp
from companion.environment import pick_device
from companion.errors import CompanionError
from companion.losses import Perceptual, PixelL1
from companion.metrics import Measurement
from companion.metrics.restoration import PerceptualDistance, aligned_psnr, psnr, ssim
from companion.objectives import NonSaturating, WassersteinGP
from companion.reproduce.following import begun, finish_run, points_of
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.reproduce.statistics import mean_with_interval, over_few, over_pairs
from companion.training.conditional import ConditionalTrainer
from companion.training.deblurring import DeblurSettings, build

SEEDS = [1, 2, 3]
BORDER = 16  # pixels left out all round: methods differ in what they imagine beyond the border
SIDE = 128  # of the test pictures
LIGHT = "squeezenet-deep-compression"  # the light backbone, where its file is at hand
OTHER = "efficientnet-lite0"  # the backbone that chapter 5's encoder has, and that could stand in its place


def base_settings(job: Job) -> DeblurSettings:
    """What the chapter's runs share at a budget: the pets and a trained backbone where they are at hand."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 2, "batch": 2, "width": 2, "blocks": 1, "critic_width": 2, "size": 16},
        "laptop": {"steps": 2500},
        "gpu": {"steps": 40000, "size": 256, "width": 64, "critic_width": 64, "device": "auto"},
    }
    pets = manifest()["pets"].here and not job.debug
    if not job.debug:
        _say_what_differs(pets, backbone(job))
    content = (_features(job, 50.0), PixelL1(2000.0))
    settings = DeblurSettings(data="pets" if pets else "embedded", content=content)
    settings = replace(settings, **at_budget[job.budget])
    return replace(settings, device=pick_device(settings.device).type)


def _say_what_differs(pets: bool, network: str) -> None:
    """The recorded runs used files that not everybody has; without them the numbers are other numbers."""
    if not pets:
        print("The pets are not in the cache, so this trains and tests on the embedded photographs alone.")
    if network != LIGHT:
        print(f"Features are {network}'s; the laptop records compare {LIGHT}'s, whose file is not at hand.")


def _features(job: Job, weight: float) -> Perceptual:
    return Perceptual(weight, backbone(job))


def backbone(job: Job) -> str:
    """The network behind the perceptual loss and distance: the light one where its file is, else VGG16."""
    if job.debug:
        return "untrained"
    return LIGHT if manifest()[LIGHT].file.is_file() and job.budget == "laptop" else "vgg16"


def deblur_gan(job: Job) -> Result:
    """DeblurGAN's generator in the game of chapter 1, over the seeds, judged on photographs never trained on."""
    base = replace(base_settings(job), objective=NonSaturating())
    found = _all_runs(job, base, {"run": {}}, _seeds(job))
    metrics = [*_blurry_metrics(job, base), *_metrics(job, base, found["run"], "")]
    return Result(_about(base), _seeds(job), metrics, {"runs": found["run"]})


SILENCING = 4e6  # a weight beside which no critic is heard: Adam's steps do not depend on a loss's scale
WEIGHTS = (0.0, 5.0, 20.0, 100.0, 500.0, 4000.0, SILENCING)  # of the pixels' content loss beside a critic


def deblur_content(job: Job) -> Result:
    """How heavy may the content loss be before the critic is not heard? Pixels' loss in the non-saturating game.

    Every run follows what each of the two losses pushes the picture with (`content` and `adversarial` in its curve),
    and ends with a place on the plane of distortion and perception (Blau and Michaeli 2018): PSNR beside perceptual
    distance. What would refute “a critic buys perception with distortion”: no weight whose perceptual distance is
    smaller than the silenced critic's by more than the interval over seeds. What would refute “nobody misses the
    critic”: such a weight. The two runs that decide it have further seeds.
    """
    base = base_settings(job)
    weights = WEIGHTS if not job.debug else (0.0, 100.0)
    changes: dict[str, dict[str, Any]] = {
        f"weight {weight:g}": {"content": (PixelL1(weight),) if weight else ()} for weight in weights
    }
    if not job.debug:
        changes["features, weight 100"] = {"content": (_features(job, 100.0),)}
        changes["features, weight 50, and pixels, weight 2000"] = {}  # the chapter's own
    seeds = _seeds(job)
    found = _all_runs(job, base, changes, seeds)
    heard, silent = (HEARD, SILENT) if not job.debug else list(changes)[:2]
    decisive = {name: changes[name] for name in (heard, silent)}
    for name, runs in _all_runs(job, base, decisive, [] if job.debug else FURTHER).items():
        found[name] += runs
    told = {name: [_told(run) for run in runs] for name, runs in found.items()}
    metrics = [*_blurry_metrics(job, base), *_of_contents(told), *_heard(told, heard, silent)]
    looks = {
        name: _look(job, replace(base, seed=seeds[0], **change), name)
        for name, change in changes.items()
        if name not in NOT_SHOWN
    }
    pairs, _ = _test_sets(job, base)["test"]
    looks |= {"blurred": as_webp(_looked_at(pairs.input)), "sharp": as_webp(_looked_at(pairs.target))}
    about = {**_about(base), "weights": list(weights), "further seeds": FURTHER}
    return Result(about, seeds, metrics, {"runs": told, "looks": looks})


HEARD = "weight 100"
SILENT = f"weight {SILENCING:g}"
FURTHER = [4, 5]  # seeds of the two
NOT_SHOWN = ("weight 0", "weight 500", "weight 4000", "features, weight 100")
OF_CONTENT = ("gain", "ssim", "distance")


def _told(run: dict[str, Any]) -> dict[str, Any]:
    """Of a run what is kept: how its pictures are, and how many times as hard as the critic the content pushes."""
    last = run["curve"][-1]
    sets = {where: {key: round(of[key], 5) for key in OF_CONTENT} for where, of in run["sets"].items()}
    push = last["content"] / max(last["adversarial"], 1e-12)
    return {"seed": run["seed"], **sets, "push": float(f"{push:.4g}")}


def _of_contents(told: dict[str, list[dict[str, Any]]]) -> Iterator[Measurement]:
    for name, runs in told.items():
        for key in ("gain", "distance"):
            yield over_seeds(f"{TITLES[key]}, test, content loss: {name}", [run["test"][key] for run in runs])
        yield over_seeds(f"content's push over the critic's: {name}", [run["push"] for run in runs])


def _heard(told: dict[str, list[dict[str, Any]]], heard: str, silent: str) -> Iterator[Measurement]:
    """What a critic does that is heard, beside one that is not, paired by seed."""
    for where in [name for name in told[heard][0] if name not in ("seed", "push")]:
        for key in OF_CONTENT:
            own, others = ([run[where][key] for run in told[name]] for name in (heard, silent))
            title = f"{TITLES[key]}, {where}: what a critic that is heard adds"
            yield over_pairs(title, own, others, f"{heard} minus {silent}, ")


LOOK = (16, 24, 30)  # shown large: which test picture, and from where, down and right
LOOK_SIDE = 64


def _look(job: Job, settings: DeblurSettings, name: str) -> str:
    """What a finished run makes of one place."""
    trainer, _ = _trained(job, f"seed-{settings.seed}/{name}", settings)
    pairs, _ = _test_sets(job, settings)["test"]
    return as_webp(_looked_at(trainer.restore_images(pairs.input)))


def _looked_at(images: Tensor) -> Tensor:
    number, top, left = LOOK
    side = min(LOOK_SIDE, images.shape[-1] - max(top, left))
    return images[number % len(images), :, top : top + side, left : left + side][None]


# Of the features' loss beside the pixels' 2,000: the chapter's, and one that rules.
FEATURE_WEIGHTS = (50.0, 500.0)


def deblur_features(job: Job) -> Result:
    """Whose features make the better content loss: those of the chapter's backbone, or EfficientNet-Lite0's?

    The relative gap makes a weight mean the same for both. Each is judged by its own eyes, which it was trained to
    please, by the other's, and by three that are neither's: PSNR, SSIM, and the information that the restored picture
    keeps of the sharp one (Sheikh and Bovik 2006). What would refute “EfficientNet's features are the better loss”: no
    difference, over the seeds, by the neutral ones; or one by its own eyes alone.
    """
    base = replace(base_settings(job), objective=NonSaturating())
    pixels = PixelL1(2000.0)
    networks = [backbone(job)] if job.debug else [backbone(job), OTHER]
    changes: dict[str, dict[str, Any]] = {"pixels alone": {"content": (pixels,)}}
    for weight in FEATURE_WEIGHTS:
        for network in networks:
            changes[f"{network}, weight {weight:g}"] = {"content": (Perceptual(weight, network), pixels)}
    pairs, _ = _test_sets(job, base)["test"]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in changes}
    for seed in _seeds(job):
        for name, change in changes.items():
            key = f"seed-{seed}/{name}"
            trainer, _ = _trained(job, key, replace(base, seed=seed, **change))
            seen = partial(_seen, trainer, pairs, networks)
            found[name].append(job.once(f"{key}-seen", seen))
    protocol = f"{_protocol(job, pairs).split(';')[0]}, averaged generator"
    metrics = []
    for name, runs in found.items():
        for eyes in runs[0]:
            over = over_seeds(f"{eyes}: {name}", [run[eyes] for run in runs])
            metrics.append(replace(over, protocol=f"{protocol}, {over.protocol}"))
    for weight in FEATURE_WEIGHTS:
        one, other = (found[f"{network}, weight {weight:g}"] for network in (networks[0], networks[-1]))
        for eyes in one[0]:
            apart = [b[eyes] - a[eyes] for a, b in zip(one, other, strict=True)]
            metrics.append(
                over_few(f"{eyes}, {networks[-1]} over {networks[0]}, weight {weight:g}", apart, protocol)
            )
    return Result({**_about(base), "weights": list(FEATURE_WEIGHTS)}, _seeds(job), metrics, {"runs": found})


def _seen(trainer: ConditionalTrainer, pairs: Pair, networks: list[str]) -> dict[str, float]:
    """What a generator's pictures are worth to eyes that are neither network's, and to each network's."""
    inner, target = _inside(trainer.restore_images(pairs.input)), _inside(pairs.target)
    seen = {"PSNR (dB)": psnr(inner, target), "SSIM": ssim(inner, target)}
    if inner.shape[-1] >= LEAST_FOR_VIF:
        seen["information kept"] = _information_kept(inner, target)
    seen |= {f"distance by {network}": PerceptualDistance(network)(inner, target) for network in networks}
    return {name: float(values.mean()) for name, values in seen.items()}


LEAST_FOR_VIF = 41  # pixels: four octaves of its windows


def _information_kept(restored: Tensor, sharp: Tensor) -> Tensor:
    """Visual information fidelity of each picture in grey, `(N,)`, 1 for equal ones (Sheikh and Bovik 2006)."""
    try:
        from torchmetrics.functional.image import visual_information_fidelity as fidelity
    except ModuleNotFoundError as error:
        raise CompanionError("This comparison needs torchmetrics: pip install torchmetrics.") from error
    pairs = zip(*(((images + 1) * 127.5).mean(1, keepdim=True) for images in (restored, sharp)), strict=True)
    return torch.stack([fidelity(a[None], b[None]) for a, b in pairs])


ALONE_POINTS = 12  # of a run at which the generator is looked at


def deblur_alone(job: Job) -> Result:
    """The critic alone, without any content loss: does the generator live?

    It begins as the identity, so each run has something to lose; what becomes of it is looked at twelve times.
    Tried: as the chapter's other runs, at a tenth of the generator's rate, with normalised features, both, and under
    the gradient penalty. A generator is lost from the look on after which it never again comes within 10 dB of the
    blurred picture that it was given. What would refute “the critic alone ruins the picture”: a variant that is not
    lost and gains.
    """
    base = replace(base_settings(job), content=())
    base = base if job.debug else replace(base, steps=600)
    slow = {"generator_rate": base.generator_rate / 10}
    changes: dict[str, dict[str, Any]] = {
        "as it is": {},
        "a tenth of the rate": slow,
        "normalised": {"normalised": True},
        "normalised, a tenth of the rate": {"normalised": True, **slow},
        "penalty, a tenth of the rate": {"objective": WassersteinGP(), **slow},
    }
    changes = dict(list(changes.items())[:2]) if job.debug else changes
    seeds = _seeds(job)
    found = _all_runs(job, base, changes, seeds, points=ALONE_POINTS)
    metrics = _lost_metrics(job, base, found)
    return Result(_about(base), seeds, metrics, {"runs": found})


def deblur_unbounded(job: Job) -> Result:
    """The critic alone once more, and a generator that cannot run into a wall.

    Of the generators that `deblur_alone` lost, most stood still to the last digit: the tanh of the last layer at ±1, or
    the picture cut off at black and white, and neither passes a gradient. Here both are left out while training. What
    would refute “they were lost to the wall”: generators that are lost all the same. What would refute “a critic alone
    does harm”: a variant whose gain lies above 0 over the seeds.
    """
    base = replace(base_settings(job), content=(), bounded=False)
    base = base if job.debug else replace(base, steps=600)
    changes: dict[str, dict[str, Any]] = {
        "no bounds": {},
        "no bounds, a tenth of the rate": {"generator_rate": base.generator_rate / 10},
    }
    seeds = _seeds(job)
    found = _all_runs(job, base, changes, seeds, points=ALONE_POINTS)
    return Result(_about(base), seeds, _lost_metrics(job, base, found), {"runs": found})


def _lost_metrics(
    job: Job, base: DeblurSettings, found: dict[str, list[dict[str, Any]]]
) -> list[Measurement]:
    """How many generators each variant lost, and what the averaged ones gain."""
    metrics = []
    for name, runs in found.items():
        steps = [step for run in runs if (step := _lost(run["curve"])) is not None]
        moments = f"from steps {', '.join(map(str, steps))}" if steps else "none"
        every = max(1, base.steps // ALONE_POINTS)
        protocol = f"of {len(runs)} seeds, {base.steps} steps, looked at every {every}; {moments}"
        metrics.append(Measurement(f"lost generators, critic alone: {name}", len(steps), protocol))
        metrics += _metrics(job, base, runs, f", critic alone: {name}")
    return metrics


def _lost(curve: list[dict[str, Any]]) -> int | None:
    """The first step from which on the live generator stays more than 10 dB below what it was given, or None."""
    lost = [point["gain_live"] < -10 for point in curve]
    return next((point["step"] for at, point in enumerate(curve) if all(lost[at:])), None)


FAMILIES = (4, 16, 64, 1000)  # shakes trained on; the smaller families are part of the larger
NEW_HANDS = Camera(shakes=32, seed=2)  # shakes of which no family holds any


def deblur_kernels(job: Job) -> Result:
    """What does a network learn that trains on more kernels? Families of growing size at equal steps.

    Each is judged on the four kernels that all have trained on and on 32 that none has. What would refute “it learns
    its camera”: four kernels' network gaining as much on new kernels as on its own. What would refute “more kernels
    generalise”: the gain on new ones not growing with the family.
    """
    base = replace(base_settings(job), content=(PixelL1(4000.0),))
    families = FAMILIES if not job.debug else (4, 16)
    photos = _photographs(base.data, _least(base)).split("test")
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in _seeds(job):
        for shakes in families:
            key = f"seed-{seed}/{shakes} kernels"
            settings = replace(base, seed=seed, camera=Camera(shakes=shakes))
            trainer, report = _trained(job, key, settings)

            def judged(trainer: ConditionalTrainer = trainer) -> dict[str, Any]:
                return {
                    name: _judged(trainer.restore_images(pairs.input), pairs, job)
                    for name, pairs in (
                        ("the four", _test_pictures(photos, base.camera, job)[0]),
                        ("new ones", _test_pictures(photos, NEW_HANDS, job)[0]),
                    )
                }

            runs.setdefault(f"{shakes} kernels", []).append({**report, "on": job.once(f"{key}-on", judged)})
    protocol = f"{len(photos)} test photographs under {_each(job)} kernels each; {base.steps} steps; averaged generator"
    metrics = []
    for name, of_one in runs.items():
        for where in ("the four", "new ones"):
            found = over_seeds(
                f"gain (dB) on {where}, trained on {name}", [run["on"][where]["gain"] for run in of_one]
            )
            metrics.append(replace(found, protocol=f"{protocol}, {found.protocol}"))
    return Result({**_about(base), "families": list(families)}, _seeds(job), metrics, {"runs": runs})


def deblur_best(job: Job) -> Result:
    """One longer run with pixels' content loss beside a weak critic: the weights that chapter 2 and `restore` use."""
    base = base_settings(job)
    steps = {"debug": 4, "laptop": 16000, "gpu": 100000}[job.budget]
    width = {"debug": 2, "laptop": 24, "gpu": 64}[job.budget]
    settings = replace(
        base, steps=steps, width=width, objective=WassersteinGP(critic_steps=1), content=(PixelL1(2000.0),)
    )
    trainer, report = _trained(job, "run", settings)
    metrics = [*_blurry_metrics(job, settings), *_metrics(job, settings, [report], "")]
    return Result(
        _about(settings), [settings.seed], metrics, {"runs": [report]}, model=trainer.average.module
    )


def deblur_classical(job: Job) -> Result:
    """Wiener, Richardson–Lucy, total variation: with the true kernel, two chosen blindly by two rules, and a wrong one.

    How often each blind rule names the right kernel is counted too, the likelihood's for several assumed noises. What
    would refute “told the family, nobody needs the true kernel”: a choice by likelihood that gains less than the true
    kernel by more than the interval over photographs.
    """
    base = base_settings(job)
    photos = _photographs(base.data, _least(base))
    tuned, kernels = _test_pictures(photos.split("validation"), base.camera, job)
    balances = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3] if not job.debug else [0.01, 0.1]
    rounds = [5, 10, 20, 40, 80, 160] if not job.debug else [2, 3]
    weights = [0.0002, 0.0004, 0.0008, 0.0016] if not job.debug else [0.001]
    chosen: dict[str, dict[str, float]] = {}
    sets = _test_sets(job, base)
    results: dict[str, dict[str, Any]] = {}
    for knowledge, guess in _guesses(base.camera).items():
        for name, options, method in (
            ("Wiener", balances, lambda value: partial(wiener_filter, balance=value)),
            ("Richardson–Lucy", rounds, lambda value: partial(lucy, rounds=value)),
            ("total variation", weights, lambda value: partial(total_variation, weight=value)),
        ):
            label = f"{name}, {knowledge} kernel"

            def tune(method: Any = method, options: Any = options, guess: Any = guess) -> dict[str, Any]:
                given = guess(tuned.input, kernels)
                gains = {value: _mean_psnr(method(value)(tuned.input, given), tuned) for value in options}
                return {"value": max(gains, key=lambda value: gains[value])}

            value = job.once(f"tuned/{label}", tune)["value"]
            chosen[label] = {"value": value}

            def judge(method: Any = method, value: Any = value, guess: Any = guess) -> dict[str, Any]:
                return {
                    where: _judged(method(value)(pairs.input, guess(pairs.input, of)), pairs, job)
                    for where, (pairs, of) in sets.items()
                }

            results[label] = job.once(f"judged/{label}", judge)
    metrics = _blurry_metrics(job, base)
    for label, per_set in results.items():
        for where, numbers in per_set.items():
            metrics += [
                Measurement(f"{title}, {where}: {label}", numbers[key], _protocol(job, sets[where][0]))
                for key, title in TITLES.items()
            ]
            gains = numbers["gains"]
            protocol = f"{_protocol(job, sets[where][0])}, mean over {len(gains)} photographs"
            metrics.append(mean_with_interval(f"gain a photograph (dB), {where}: {label}", gains, protocol))
    metrics += _right_choices(base.camera, sets, job)
    about = {**_about(base), "steps": 0, "chosen on validation photographs": chosen}
    return Result(about, [], metrics, {"runs": results})


ASSUMED = (0.003, 0.005, 0.01, 0.02, 0.04)  # noises; the camera's is 0.01


def _right_choices(camera: Camera, sets: dict[str, tuple[Pair, Tensor]], job: Job) -> Iterator[Measurement]:
    """How many pictures each blind rule gives their own kernel."""
    family = camera.kernels()
    rules: dict[str, Callable[[Tensor], Tensor]] = {
        "least ringing": partial(least_ringing_kernel, family=family)
    }
    rules |= {
        f"likelihood, noise {noise:g} assumed": partial(most_probable_kernel, family=family, noise=noise)
        for noise in ASSUMED
    }
    for where, (pairs, kernels) in sets.items():
        for name, rule in rules.items():
            right = (rule(pairs.input) == kernels).all(-1).all(-1)
            protocol = f"of {len(right)} pictures of {len(right) // _each(job)} photographs, {len(family)} candidates"
            yield Measurement(f"right kernels, {where}: {name}", float(right.sum()), protocol)


def deblur_real(job: Job) -> Result:
    """The shipped generator on shakes nobody computed: the photographs of Levin et al. 2009, in grey.

    Four pictures, eight movements of a real camera, each blurred picture beside one taken with the camera at rest.
    """
    names, pairs = shaken()
    model = pretrained.load("deblur-best")
    with torch.no_grad():
        restored = torch.cat([model(one[None]) for one in pairs.input])
    before, after = aligned_psnr(pairs.input, pairs.target), aligned_psnr(restored, pairs.target)
    gains = after - before
    protocol = (
        f"{len(pairs)} pictures of real shakes, grey, best of all shifts by up to 8 pixels; deblur-best"
    )
    metrics = [
        Measurement("PSNR (dB), real shakes: blurred", float(before.mean()), protocol),
        Measurement("gain in PSNR (dB), real shakes", float(gains.mean()), protocol),
        Measurement("least gain in PSNR (dB), real shakes", float(gains.min()), protocol),
        Measurement("greatest gain in PSNR (dB), real shakes", float(gains.max()), protocol),
    ]
    each = {name: round(float(gain), 3) for name, gain in zip(names, gains, strict=True)}
    return Result({"model": "deblur-best"}, [], metrics, {"gains": each})


RIVALS = ("Wiener", "total variation")  # told the family of kernels, as the network was


def deblur_judged(job: Job) -> Result:
    """The shipped generator beside formulas that were told as much, photograph by photograph.

    What would refute “the network is ahead of a formula”: a paired difference over photographs whose interval reaches
    0. Each formula has the setting that “deblur-classical” chose on validation photographs.
    """
    base, model = base_settings(job), pretrained.load("deblur-best")
    chosen = pretrained.record("deblur-classical").settings["chosen on validation photographs"]
    values = [chosen[f"{name}, most probable kernel"]["value"] for name in RIVALS]
    formulas: list[Guess] = [
        partial(wiener_filter, balance=values[0]),
        partial(total_variation, weight=values[1]),
    ]
    metrics, details = [], {}
    for where, (pairs, _) in _test_sets(job, base).items():
        kernels = most_probable_kernel(pairs.input, base.camera.kernels())
        with torch.no_grad():
            drawn = {"the network": model(pairs.input)}
        drawn |= {name: formula(pairs.input, kernels) for name, formula in zip(RIVALS, formulas, strict=True)}
        judged = {name: _judged(images, pairs, job) for name, images in drawn.items()}
        details[where] = judged
        for key, title in TITLES.items():
            value = judged["the network"][key]
            metrics.append(
                Measurement(f"{title}, {where}: the network", value, f"{_protocol(job, pairs)}; deblur-best")
            )
        for key, title in (("gains", "gain a photograph (dB)"), ("distances", "distance a photograph")):
            own = judged["the network"][key]
            protocol = f"{len(own)} photographs, one seed of the network, bootstrap over photographs"
            metrics.append(mean_with_interval(f"{title}, {where}: the network", own, protocol))
            for rival in RIVALS:
                apart = [one - other for one, other in zip(own, judged[rival][key], strict=True)]
                metrics.append(
                    mean_with_interval(f"{title}, {where}: the network over {rival}", apart, protocol)
                )
    return Result(
        {"model": "deblur-best", "formulas": dict(zip(RIVALS, values, strict=True))}, [], metrics, details
    )


Guess = Callable[[Tensor, Tensor], Tensor]


def _guesses(camera: Camera) -> dict[str, Guess]:
    """What a method may be told of the kernel: all, the camera's family, or that it is about a straight line."""
    return {
        "true": lambda images, kernels: kernels,
        "estimated": lambda images, kernels: least_ringing_kernel(images, camera.kernels()),
        "most probable": lambda images, kernels: most_probable_kernel(images, camera.kernels()),
        "straight-line": lambda images, kernels: torch.stack([straight_line(kernel) for kernel in kernels]),
    }


TITLES = {"psnr": "PSNR (dB)", "gain": "gain in PSNR (dB)", "ssim": "SSIM", "distance": "perceptual distance"}


def _all_runs(
    job: Job, base: DeblurSettings, changes: dict[str, dict[str, Any]], seeds: list[int], points: int = 10
) -> dict[str, list[dict[str, Any]]]:
    """Every change under every seed, seeds outermost; what each measured."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in changes}
    for seed in seeds:
        for name, change in changes.items():
            settings = replace(base, seed=seed, **change)
            found[name].append(_trained(job, f"seed-{seed}/{name}", settings, points)[1])
    return found


def _trained(
    job: Job, key: str, settings: DeblurSettings, points: int = 10
) -> tuple[ConditionalTrainer, dict[str, Any]]:
    """A finished run in its folder below the job's, measured on its way, and how it did on the test pictures."""
    photos = _photographs(settings.data, _least(settings))
    run_of = build(settings, photos)
    trainer = run_of.trainer
    run = begun(job, key, settings.as_json(), photos.fingerprint)
    every = max(1, settings.steps // points)

    def measured() -> None:
        if trainer.step and trainer.step % every == 0:
            job.once(f"{key}-curve/{trainer.step:06d}", partial(_point, trainer, photos, settings, job))

    finish_run(run, trainer, run_of.batches, steps=settings.steps, label=key, each=measured)

    def judged() -> dict[str, Any]:
        return {
            "seed": settings.seed,
            "curve": points_of(job, key),
            "sets": {
                where: _judged(trainer.restore_images(pairs.input), pairs, job)
                for where, (pairs, _) in _test_sets(job, settings).items()
            },
        }

    return trainer, job.once(f"{key}-judged", judged)


def _point(trainer: ConditionalTrainer, photos: Photos, settings: DeblurSettings, job: Job) -> dict[str, Any]:
    """Gain on the validation photographs, of averaged and live generator; what the latter keeps, and what pushes it.

    Kept is the slope of restored on blurred values: 1 where a picture is as it was, 0 where nothing of it is left.
    """
    pairs, _ = _test_pictures(photos.split("validation"), settings.camera, job)
    before = _mean_psnr(pairs.input, pairs)
    averaged, live = (trainer.restore_images(pairs.input, live=live) for live in (False, True))
    return {
        "step": trainer.step,
        "gain": _mean_psnr(averaged, pairs) - before,
        "gain_live": _mean_psnr(live, pairs) - before,
        "kept": _kept(live, pairs.input),
        **_pushes(trainer, live[:8], pairs.target[:8]),
    }


def _kept(restored: Tensor, blurry: Tensor) -> float:
    apart = blurry - blurry.mean()
    return float((restored * apart).mean() / apart.square().mean())


def _pushes(trainer: ConditionalTrainer, restored: Tensor, wanted: Tensor) -> dict[str, float]:
    """Norms of what critic and content loss each push the restored pictures `(N, 3, H, W)` with."""
    pictures = restored.clone().requires_grad_()
    adversarial = trainer.objective.generator_loss(trainer.critic(pictures))
    losses = {"adversarial": adversarial, "content": trainer.content(pictures, wanted)}
    return {
        name: float(torch.autograd.grad(loss, pictures)[0].norm()) if loss.requires_grad else 0.0
        for name, loss in losses.items()
    }


def _test_sets(job: Job, settings: DeblurSettings) -> dict[str, tuple[Pair, Tensor]]:
    """Pictures never trained on: its set's test split, and the embedded ones where they are new."""
    photos = _photographs(settings.data, _least(settings))
    sets = {"test": _test_pictures(photos.split("test"), settings.camera, job)}
    if settings.data != "embedded":
        embedded = _photographs("embedded", _least(settings))
        sets["embedded"] = _test_pictures(embedded, settings.camera, job)
    return sets


def _test_pictures(photos: Photos, camera: Camera, job: Job) -> tuple[Pair, Tensor]:
    return held_out(photos, camera, 48 if job.debug else SIDE, each=_each(job))


def _each(job: Job) -> int:
    """How many kernels each photograph is blurred with."""
    return 1 if job.debug else 2


@cache
def _photographs(data: str, least: int) -> Photos:
    return load_photos(data, least=least)


def _least(settings: DeblurSettings) -> int:
    return max(settings.least, SIDE + settings.camera.size - 1)


def _judged(restored: Tensor, pairs: Pair, job: Job) -> dict[str, Any]:
    """Mean scores inside the border, and gain and distance of each photograph, over its kernels."""
    inner, blurry, target = _inside(restored), _inside(pairs.input), _inside(pairs.target)
    quality, before = psnr(inner, target), psnr(blurry, target)
    distances = PerceptualDistance(backbone(job))(inner, target)
    return {
        "psnr": float(quality.mean()),
        "gain": float((quality - before).mean()),
        "gains": _of_photographs(quality - before, job),
        "least_gain": float((quality - before).min()),
        "ssim": float(ssim(inner, target).mean()),
        "distance": float(distances.mean()),
        "distances": _of_photographs(distances, job),
    }


def _of_photographs(values: Tensor, job: Job) -> list[float]:
    return [round(value, 4) for value in values.view(-1, _each(job)).mean(1).tolist()]


def _mean_psnr(images: Tensor, pairs: Pair) -> float:
    return float(psnr(_inside(images), _inside(pairs.target)).mean())


def _inside(images: Tensor) -> Tensor:
    return images[..., BORDER:-BORDER, BORDER:-BORDER]


def _metrics(job: Job, settings: DeblurSettings, runs: list[dict[str, Any]], label: str) -> list[Measurement]:
    """Means over the runs, for each set of test pictures."""
    metrics = []
    for where, (pairs, _) in _test_sets(job, settings).items():
        for key, title in TITLES.items():
            values = [run["sets"][where][key] for run in runs]
            name, protocol = f"{title}, {where}{label}", f"{_protocol(job, pairs)}; averaged generator"
            found = over_seeds(name, values)
            metrics.append(replace(found, protocol=f"{protocol}, {found.protocol}"))
    return metrics


def _blurry_metrics(job: Job, settings: DeblurSettings) -> list[Measurement]:
    """The blurred pictures themselves, against which all else is a gain."""
    metrics = []
    for where, (pairs, _) in _test_sets(job, settings).items():
        numbers = _judged(pairs.input, pairs, job)
        metrics += [
            Measurement(f"{title}, {where}: blurred", numbers[key], _protocol(job, pairs))
            for key, title in TITLES.items()
            if key != "gain"
        ]
    return metrics


def _protocol(job: Job, pairs: Pair) -> str:
    inner = pairs.target.shape[-1] - 2 * BORDER
    distance = PerceptualDistance(backbone(job)).protocol
    photographs = len(pairs) // _each(job)
    return f"{len(pairs)} pictures of {photographs} photographs, inner {inner}×{inner} pixels; distance: {distance}"


def _seeds(job: Job) -> list[int]:
    return SEEDS[:2] if job.debug else SEEDS


def _about(settings: DeblurSettings) -> dict[str, Any]:
    photos = _photographs(settings.data, _least(settings))
    return {
        **settings.as_json(),
        "precision": "bfloat16" if settings.bfloat16 else "float32",
        "photographs": {part: len(photos.split(part)) for part in SPLITS},
    }


BEST = ("deblur-best",)
RECIPES: dict[str, Recipe] = {
    "deblur-gan": Recipe("Deblurring GAN, non-saturating", 2, deblur_gan),
    "deblur-content": Recipe("What the content loss is worth to a deblurring GAN", 2, deblur_content),
    "deblur-features": Recipe("Whose features make the better content loss", 2, deblur_features),
    "deblur-alone": Recipe("A deblurring generator with nobody but its critic", 2, deblur_alone),
    "deblur-unbounded": Recipe(
        "A deblurring generator with nobody but its critic, and no wall to run into", 2, deblur_unbounded
    ),
    "deblur-kernels": Recipe("Deblurring networks trained on few kernels and on many", 2, deblur_kernels),
    "deblur-best": Recipe("The deblurring generator that the course ships", 2, deblur_best),
    "deblur-classical": Recipe(
        "Wiener and Richardson–Lucy, with kernels true and guessed", 2, deblur_classical
    ),
    "deblur-judged": Recipe(
        "The shipped generator beside formulas that were told as much", 2, deblur_judged, BEST
    ),
    "deblur-real": Recipe("The shipped deblurring generator on real camera shakes", 2, deblur_real, BEST),
}
