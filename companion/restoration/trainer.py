"""A fastai learner behind the course's protocol: step by step, stored and taken up again bit for bit (chapter 5).

`Learner.fit` is one call that ends when everything is done. Here its events are raised from outside, one batch at a
time, so that run folders, progress bars, records and tests can do with a learner what they do with every trainer.
"""

from collections.abc import Mapping
from typing import Any

import torch
from fastai.callback.progress import ProgressCallback
from fastai.callback.schedule import ParamScheduler, combined_cos
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.vision.gan import GANLearner
from torch import Tensor, nn

from companion.data.batches import Batch, Pair
from companion.models.evaluating import evaluating
from companion.training.player import Workshop
from companion.training.trainer import Batches, Trainer

PATIENCE = 5  # batches that a critic may have in a row before the generator's turn comes all the same


def no_data() -> DataLoaders:
    """What a learner is given whose batches come from elsewhere."""
    return DataLoaders([], [])


def one_cycle(learner: Learner, rate: Any, *, warm: float = 0.25, fall: float = 1e5) -> ParamScheduler:
    """The one-cycle policy (Smith 2018) as fastai has it, as a callback: the rate climbs, then falls by half a cosine.

    `fit_one_cycle` builds the same and throws it away with the call.

    Args:
        learner: Whose optimiser is scheduled; made now if it has none yet.
        rate: The highest one, or a slice over the layer groups.
        warm: Share of the steps in which it climbs.
        fall: The last rate is this part of the highest.
    """
    if learner.opt is None:
        learner.create_opt()
    learner.opt.set_hyper("lr", rate)
    highest = torch.tensor([hyper["lr"] for hyper in learner.opt.hypers], dtype=torch.double).numpy()
    return ParamScheduler(
        {
            "lr": combined_cos(warm, highest / 25, highest, highest / fall),
            "mom": combined_cos(warm, *learner.moms),
        }
    )


class LearnerTrainer(Trainer[Batch]):
    """Trains a fastai learner, one batch a step.

    Args:
        learner: With its optimiser, frozen as it is to be; its data loaders are not used.
        steps: Over how many the schedule runs: the run's length, which a resumed run cannot change.
        products: What the run leaves, by the names of their files.
        seed: Fixes what dropout draws.
        workshop: Where it is trained.
        shown: Pairs that a run's sample grids show.
    """

    def __init__(
        self,
        learner: Learner,
        *,
        steps: int,
        products: Mapping[str, nn.Module],
        seed: int,
        workshop: Workshop,
        shown: Pair | None = None,
    ) -> None:
        super().__init__({}, workshop, seed=seed)
        self.learner, self.steps, self.shown = learner, steps, shown
        self._products = dict(products)
        learner.remove_cbs(learner._grab_cbs(ProgressCallback))
        learner.logger = lambda *_: None
        learner.model.to(self.device, memory_format=workshop.layout)
        if learner.opt is None:
            learner.create_opt()
        if learner.wd is not None:
            learner.opt.set_hypers(wd=learner.wd)
        learner.n_epoch, learner.n_iter, learner.epoch = 1, steps, 0
        for event in ("before_fit", "before_epoch", "before_train"):
            learner(event)

    def one_step(self, batches: Batches[Batch]) -> Mapping[str, Tensor]:
        """One batch, as fastai does it."""
        self._batch(batches[self.step])
        return {"loss": self.learner.loss}

    def _batch(self, batch: Batch) -> None:
        own = self.take(batch)
        self.learner.pct_train = self.step / self.steps
        self.learner.one_batch(self.step, own.tensors)

    def products(self) -> Mapping[str, nn.Module]:
        """What the run leaves."""
        return self._products

    def preview(self) -> Tensor | None:
        """Three rows of eight pictures: given, drawn, wanted."""
        if self.shown is None:
            return None
        (network,) = self._products.values()
        pairs = self.shown[:8]
        with evaluating(network), torch.no_grad():
            drawn = network(pairs.input.to(self.device)).cpu()
        return torch.cat([pairs.input, drawn, pairs.target])

    def state(self) -> dict[str, Tensor]:
        """Weights, and the slots of fastai's optimiser."""
        tensors = {"step": torch.tensor(self.step)}
        tensors |= {f"model.{key}": value for key, value in self.learner.model.state_dict().items()}
        for index, slots in enumerate(self._slots()):
            tensors |= {
                f"optimiser.{index}.{name}": torch.as_tensor(value)
                for name, value in slots.items()
                if not isinstance(value, bool)  # what may decay, and trains though frozen: settings
            }
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up what `state` gave."""
        model = {key.removeprefix("model."): v for key, v in tensors.items() if key.startswith("model.")}
        self.learner.model.load_state_dict(model)
        slots = self._slots()
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".", 2)
                found = value.item() if value.dim() == 0 else value.to(self.device)
                slots[int(index)][name] = found
        self.step = int(tensors["step"])

    def _slots(self) -> list[dict[str, Any]]:
        """What the optimiser keeps of each parameter."""
        optimiser = self.learner.opt
        return [optimiser.state[parameter] for parameter, *_ in optimiser.all_params()]


class GANLearnerTrainer(LearnerTrainer):
    """Trains fastai's GAN: a step ends with the generator's turn, before which its critic has had as many as it wants.

    So steps are the generator's, as in chapters 1–4, and runs of equal steps compare whatever the switcher does. A
    switcher that waits for a loss the critic cannot reach would wait for ever; after five batches the turn passes on.
    """

    learner: GANLearner

    def __init__(self, learner: GANLearner, **options: Any) -> None:
        super().__init__(learner, **options)
        self.taken = 0  # batches so far, of both players
        self.critic_loss = torch.zeros(())  # the critic's last

    def one_step(self, batches: Batches[Batch]) -> Mapping[str, Tensor]:
        """The critic's batches, and one of the generator's."""
        turns = 0
        game = self.learner.gan_trainer
        while not game.gen_mode:
            self._batch(batches[self.taken])
            self.taken, turns = self.taken + 1, turns + 1
            self.critic_loss = self.learner.loss.detach().cpu()
            if turns >= PATIENCE and not game.gen_mode:
                game.switch()
        self._batch(batches[self.taken])
        self.taken += 1
        return {
            "generator_loss": self.learner.loss,
            "critic_loss": self.critic_loss,
            "critic_batches": torch.tensor(float(turns)),
        }

    def state(self) -> dict[str, Tensor]:
        """With whose turn it is."""
        game = self.learner.gan_trainer
        counts = {name: torch.tensor(value) for name, value in self._counts().items()}
        return {
            **super().state(),
            "taken": torch.tensor(self.taken),
            "critic_loss": self.critic_loss,
            "generators_turn": torch.tensor(game.gen_mode),
            **counts,
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up what `state` gave."""
        super().restore(tensors)
        self.taken, self.critic_loss = int(tensors["taken"]), tensors["critic_loss"].cpu()
        for name in self._counts():
            setattr(self._switcher, name, int(tensors[name]))
        if bool(tensors["generators_turn"]) != self.learner.gan_trainer.gen_mode:
            self.learner.gan_trainer.switch()

    @property
    def _switcher(self) -> Any:
        names = ("fixed_gan_switcher", "adaptive_gan_switcher")
        return next(getattr(self.learner, name) for name in names if hasattr(self.learner, name))

    def _counts(self) -> dict[str, int]:
        """How many batches in a row each player has had, where the switcher counts."""
        return {name: vars(self._switcher)[name] for name in ("n_c", "n_g") if name in vars(self._switcher)}
