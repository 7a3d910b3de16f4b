"""What chapter 6's recipes share: an autoencoder brought to the end of its run."""

from dataclasses import replace

from companion.environment import pick_device
from companion.reproduce.following import finish_run
from companion.reproduce.job import Job
from companion.training.runs import Run
from companion.training.vae import VAESettings, VAETrainer, build, shuffled


def finished_vae(job: Job, key: str, settings: VAESettings) -> tuple[VAETrainer, Run]:
    """An autoencoder's run in its folder below the job's, brought to its end."""
    settings = replace(settings, device=pick_device(settings.device).type)
    trainer, images = build(settings)
    run = Run.start(job.work / key, settings.as_json(), images.fingerprint, resume=True)
    finish_run(run, trainer, shuffled(images, settings), steps=settings.steps, label=key)
    return trainer, run
