"""Chapter 2: three deblurring GANs at equal budget, what the content loss is worth, and the classical answers.

Chapter 4 compares the three from the same records.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from companion import pretrained
from companion.classical import likeliest_kernel, lucy, straight_line, wiener_filter
from companion.data.assets import manifest
from companion.data.batches import Pair
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.photos import Photos, load_photos
from companion.data.sets.levin import shaken
from companion.environment import pick_device
from companion.losses import Perceptual, PixelL1
from companion.metrics import Measurement
from companion.metrics.restoration import PerceptualDistance, aligned_psnr, psnr, ssim
from companion.models.deblur import Restorer
from companion.objectives import NonSaturating, Objective, Wasserstein, WassersteinGP
from companion.reproduce.following import finish_run
from companion.reproduce.job import Job, Recipe, Result, over_seeds
from companion.training.conditional import ConditionalTrainer
from companion.training.deblurring import DeblurSettings, build
from companion.training.runs import Run

SEEDS = [1, 2, 3]
BORDER = 16  # pixels left out all round: methods differ in what they imagine beyond the border
SIDE = 128  # of the test pictures
LIGHT = "squeezenet-deep-compression"  # the light backbone, where its file is at hand


def base_settings(job: Job) -> DeblurSettings:
    """What the chapter's runs share at a budget: the pets and a trained backbone where they are at hand."""
    at_budget: dict[str, dict[str, Any]] = {
        "debug": {"steps": 2, "batch": 2, "width": 2, "blocks": 1, "critic_width": 2, "size": 16},
        "laptop": {"steps": 2500, "bfloat16": True},
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
    """DeblurGAN's generator in the game of chapter 1."""
    return _over_seeds(job, NonSaturating())


def deblur_wgan(job: Job) -> Result:
    """The same with the Wasserstein objective and clipped weights."""
    return _over_seeds(job, Wasserstein())


def deblur_wgan_gp(job: Job) -> Result:
    """The same with the gradient penalty: DeblurGAN as published."""
    return _over_seeds(job, WassersteinGP())


def _over_seeds(job: Job, objective: Objective) -> Result:
    """One objective over the seeds, judged on photographs never trained on; ships the first seed's weights."""
    base = replace(base_settings(job), objective=objective)
    found, models = _all_runs(job, base, {"run": {}}, _seeds(job))
    metrics = [*_blurry_metrics(job, base), *_metrics(job, base, found["run"], "")]
    return Result(_about(base), _seeds(job), metrics, {"runs": found["run"]}, model=models["run"])


def deblur_content(job: Job) -> Result:
    """What each loss is worth, in the non-saturating game: features alone, pixels alone, no critic, and no content.

    `deblur-gan` has both content losses, each with half the weight it has alone here. A content loss a thousand times
    as heavy silences the critic and changes nothing else, since Adam's steps do not depend on a loss's scale.
    """
    base = base_settings(job)
    changes: dict[str, dict[str, Any]] = {
        "features": {"content": (_features(job, 100.0),)},
        "pixels": {"content": (PixelL1(4000.0),)},
        "pixels, critic silenced": {"content": (PixelL1(4e6),)},
        "none": {"content": ()},
        "none, a tenth of the rate": {"content": (), "generator_rate": base.generator_rate / 10},
    }
    seeds = _seeds(job)
    found, _ = _all_runs(job, base, changes, seeds)
    metrics = _blurry_metrics(job, base)
    for name, runs in found.items():
        metrics += _metrics(job, base, runs, f", content loss: {name}")
    return Result(_about(base), seeds, metrics, {"runs": found})


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
    """Wiener and Richardson–Lucy with the true kernel, one chosen blindly, and a wrong one."""
    base = base_settings(job)
    photos = _photographs(base.data, _least(base))
    tuned, kernels = _test_pictures(photos.split("validation"), base.camera, job)
    balances = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3] if not job.debug else [0.01, 0.1]
    rounds = [5, 10, 20, 40, 80, 160] if not job.debug else [2, 3]
    chosen: dict[str, dict[str, float]] = {}
    sets = _test_sets(job, base)
    results: dict[str, dict[str, Any]] = {}
    for knowledge, guess in _guesses(base.camera).items():
        for name, options, method in (
            ("Wiener", balances, lambda value: partial(wiener_filter, balance=value)),
            ("Richardson–Lucy", rounds, lambda value: partial(lucy, rounds=value)),
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
    about = {**_about(base), "steps": 0, "chosen on validation photographs": chosen}
    return Result(about, [], metrics, {"runs": results})


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


Guess = Callable[[Tensor, Tensor], Tensor]


def _guesses(camera: Camera) -> dict[str, Guess]:
    """What a method may be told of the kernel: all, the camera's family, or that it is about a straight line."""
    return {
        "true": lambda images, kernels: kernels,
        "estimated": lambda images, kernels: likeliest_kernel(images, camera.kernels()),
        "straight-line": lambda images, kernels: torch.stack([straight_line(kernel) for kernel in kernels]),
    }


TITLES = {"psnr": "PSNR (dB)", "gain": "gain in PSNR (dB)", "ssim": "SSIM", "distance": "perceptual distance"}


def _all_runs(
    job: Job, base: DeblurSettings, changes: dict[str, dict[str, Any]], seeds: list[int]
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Restorer]]:
    """Every change under every seed, seeds outermost; what each measured, and the first seed's models."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in changes}
    models: dict[str, Restorer] = {}
    for seed in seeds:
        for name, change in changes.items():
            settings = replace(base, seed=seed, **change)
            trainer, report = _trained(job, f"seed-{seed}/{name}", settings)
            found[name].append(report)
            models.setdefault(name, trainer.average.module)  # type: ignore[arg-type]
    return found, models


def _trained(job: Job, key: str, settings: DeblurSettings) -> tuple[ConditionalTrainer, dict[str, Any]]:
    """A finished run in its folder below the job's, and how it did on the test pictures."""
    photos = _photographs(settings.data, _least(settings))
    run_of = build(settings, photos)
    trainer = run_of.trainer
    run = Run.start(job.work / key, settings.as_json(), photos.fingerprint, resume=True)
    curve = job.work / f"{key}-curve"
    every = max(1, settings.steps // 10)

    def measured() -> None:
        if trainer.step and trainer.step % every == 0:
            job.once(f"{key}-curve/{trainer.step:06d}", partial(_point, trainer, photos, settings, job))

    finish_run(run, trainer, run_of.batches, steps=settings.steps, label=key, each=measured)

    def judged() -> dict[str, Any]:
        return {
            "seed": settings.seed,
            "curve": [job.once(f"{key}-curve/{path.stem}", dict) for path in sorted(curve.glob("*.json"))],
            "sets": {
                where: _judged(trainer.restore_images(pairs.input), pairs, job)
                for where, (pairs, _) in _test_sets(job, settings).items()
            },
        }

    return trainer, job.once(f"{key}-judged", judged)


def _point(trainer: ConditionalTrainer, photos: Photos, settings: DeblurSettings, job: Job) -> dict[str, Any]:
    """Gain on the validation photographs, of the averaged and of the live generator."""
    pairs, _ = _test_pictures(photos.split("validation"), settings.camera, job)
    before = _mean_psnr(pairs.input, pairs)
    gains = {
        name: _mean_psnr(trainer.restore_images(pairs.input, live=live), pairs) - before
        for name, live in (("gain", False), ("gain_live", True))
    }
    return {"step": trainer.step, **gains}


def _test_sets(job: Job, settings: DeblurSettings) -> dict[str, tuple[Pair, Tensor]]:
    """Pictures never trained on: its set's test split, and the embedded ones where they are new."""
    photos = _photographs(settings.data, _least(settings))
    sets = {"test": _test_pictures(photos.split("test"), settings.camera, job)}
    if settings.data != "embedded":
        embedded = _photographs("embedded", _least(settings))
        sets["embedded"] = _test_pictures(embedded, settings.camera, job)
    return sets


def _test_pictures(photos: Photos, camera: Camera, job: Job) -> tuple[Pair, Tensor]:
    return held_out(photos, camera, 48 if job.debug else SIDE, each=1 if job.debug else 2)


@cache
def _photographs(data: str, least: int) -> Photos:
    return load_photos(data, least=least)


def _least(settings: DeblurSettings) -> int:
    return max(settings.least, SIDE + settings.camera.size - 1)


def _judged(restored: Tensor, pairs: Pair, job: Job) -> dict[str, float]:
    """Mean scores inside the border."""
    inner, blurry, target = _inside(restored), _inside(pairs.input), _inside(pairs.target)
    quality, before = psnr(inner, target), psnr(blurry, target)
    return {
        "psnr": float(quality.mean()),
        "gain": float((quality - before).mean()),
        "least_gain": float((quality - before).min()),
        "ssim": float(ssim(inner, target).mean()),
        "distance": float(PerceptualDistance(backbone(job))(inner, target).mean()),
    }


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
    return f"{len(pairs)} pictures, inner {inner}×{inner} pixels; distance: {distance}"


def _seeds(job: Job) -> list[int]:
    return SEEDS[:2] if job.debug else SEEDS


def _about(settings: DeblurSettings) -> dict[str, Any]:
    return {**settings.as_json(), "precision": "bfloat16" if settings.bfloat16 else "float32"}


RECIPES: dict[str, Recipe] = {
    "deblur-gan": Recipe("Deblurring GAN, non-saturating", 2, deblur_gan),
    "deblur-wgan": Recipe("Deblurring GAN, Wasserstein with clipping", 2, deblur_wgan),
    "deblur-wgan-gp": Recipe("Deblurring GAN, Wasserstein with gradient penalty", 2, deblur_wgan_gp),
    "deblur-content": Recipe("What the content loss is worth to a deblurring GAN", 2, deblur_content),
    "deblur-best": Recipe("The deblurring generator that the course ships", 2, deblur_best),
    "deblur-classical": Recipe(
        "Wiener and Richardson–Lucy, with kernels true and guessed", 2, deblur_classical
    ),
    "deblur-real": Recipe("The shipped deblurring generator on real camera shakes", 2, deblur_real),
}
