"""Chapter 2, once more: a network for every blur, three ways to build it, and what was possible without one.

Nothing here is tested on what it was trained on: training takes the embedded photographs, the pets and BSD100's, each
by its split; the tests take LIVE's, which are none of these, and Levin's real shakes.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from companion import pretrained
from companion.data.anyblur import AnyBlur, Damage, delta
from companion.data.anypairs import Damaged, damaged
from companion.data.assets import manifest
from companion.data.degrade import Camera
from companion.data.pairs import held_out
from companion.data.batches import Pair
from companion.data.photos import Photos, load_photos
from companion.data.scale import from_bytes
from companion.data.sets.levin import shaken
from companion.environment import pick_device
from companion.metrics import Measurement
from companion.metrics.restoration import aligned_psnr, psnr
from companion.models.anyblur import GatedConfig, KernelConfig, PlainConfig
from companion.randomness import generator
from companion.reproduce.following import finish_run
from companion.reproduce.job import Job, Recipe, Result
from companion.reproduce.statistics import bootstrap, with_interval
from companion.training.restoring import Restoring, RestoringSettings, build
from companion.training.runs import Run

SIDE = 192  # of the test pictures
BORDER = 16  # left out all round, as in the chapter's other tables
NOISES = (0.0, 0.01, 0.02, 0.05)  # standard deviations on the scale [0, 1] under which drawn shakes are judged


def any_blur(job: Job) -> Result:
    """The network that `companion restore` uses, on its way: its run goes on when it is asked for more steps."""
    settings = _settings(job, network=KernelConfig(width=24), steps=60000)
    return _over(job, settings)


def _over(job: Job, settings: RestoringSettings) -> Result:
    run_of = _finished(job, "run", settings)
    return Result(settings.as_json(), [settings.seed], [], {}, model=run_of.trainer.products()["restorer"])


def _settings(job: Job, **changes: Any) -> RestoringSettings:
    """What the runs share at a budget: all photographs that are at hand."""
    if job.debug:
        small = AnyBlur(size=7, longest=6, widest=1.5)
        network = replace(changes["network"], width=4, outer=1, inner=1)
        network = replace(network, size=7) if isinstance(network, KernelConfig) else network
        return RestoringSettings(size=32, batch=2, steps=2, family=small, network=network)
    here = all(manifest()[name].here for name in ("pets", "bsd100"))
    settings = replace(RestoringSettings(data="many" if here else "embedded"), **changes)
    if job.budget == "gpu":
        settings = replace(settings, steps=4 * settings.steps, batch=16, device="auto")
    return replace(settings, device=pick_device(settings.device).type)


def _finished(job: Job, key: str, settings: RestoringSettings) -> Restoring:
    """A run in its folder below the job's, brought to its end."""
    run_of = build(settings)
    run = Run.start(job.work / key, settings.as_json(), run_of.photos.fingerprint, resume=True)
    finish_run(run, run_of.trainer, run_of.batches, steps=settings.steps, label=key)
    return run_of


RECIPES: dict[str, Recipe] = {
    "deblur-any": Recipe("One deblurring network for every shake", 2, any_blur),
}
