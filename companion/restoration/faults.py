"""What fastai 2.8 does otherwise than one expects when it trains a restoring GAN, and the way round each, in one place.

Every fault has a test that shows it in fastai's own code (`tests/restoration/test_faults.py`), so that we learn when it
is mended there, and a page that tells it to fastai's authors (`book/upstream.md`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from fastai.callback.core import Callback
from fastai.learner import Learner
from fastai.vision.gan import GANTrainer


class RightModes(Callback):  # type: ignore[misc]
    """Keeps each network in the mode its role asks for: who learns in train mode, who sits out or is tested in eval.

    `GANTrainer.before_validate` switches to the generator's turn, and with `switch_eval` that calls
    `generator.train()`: its batch normalisation then uses, and takes in, the validation pictures' statistics. And
    `GANTrainer` chooses the modes before each epoch, whereupon fastai puts all networks into train mode: up to the
    first switch of each epoch the player who sits out is in train mode too.
    """

    order = GANTrainer.order + 1  # fastai sorts by this alone; `run_after` has no effect in a learner

    def before_train(self) -> None:
        """After fastai has put everything into train mode."""
        self.gan_trainer._set_trainable()

    def before_validate(self) -> None:
        """After fastai's own switch."""
        self.model.eval()


class KeepStill(Callback):  # type: ignore[misc]
    """Forgets all gradients after each batch, so that only the player whose turn it is moves.

    Both players share one optimiser. fastai's sets gradients to zero and not to None, and steps every parameter that
    has one: the other player goes on along its old momentum, and decays its weights, through all the turns it sits out.
    """

    order = GANTrainer.order + 1

    def after_batch(self) -> None:
        """No gradient, no step."""
        for parameter in self.model.parameters():
            parameter.grad = None


@contextmanager
def keeping_losses(learner: Learner) -> Iterator[None]:
    """Inside, `show_results`, `get_preds` and `predict` leave the curves of the training as they are.

    They raise `before_fit`, at which `Recorder` and `GANTrainer` begin new lists, and the game goes back to its start.
    """
    kept = [(callback, dict(vars(callback))) for callback in learner.cbs]
    try:
        yield
    finally:
        for callback, before in kept:
            vars(callback).update(before)
        if hasattr(learner, "gan_trainer"):
            learner.gan_trainer.switch(learner.gan_trainer.gen_mode)


def thaw(learner: Learner) -> None:
    """Make all of a GAN's weights trainable, as `export` needs them.

    `export` makes the optimiser anew out of what may be trained, and hands it the state of both players; after `fit`,
    only one of them may.
    """
    learner.model.requires_grad_(True)
