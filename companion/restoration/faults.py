"""What fastai 2.8 does otherwise than one expects when it trains a restoring GAN, and the way round each, in one place.

Every fault has a test that shows it in fastai's own code (`tests/restoration/test_faults.py`), so that we learn when it
is mended there, and a page that tells it to fastai's authors (`book/upstream.md`).
"""

from fastai.callback.core import Callback
from fastai.vision.gan import GANTrainer
from torch import nn


class RightModes(Callback):  # type: ignore[misc]
    """Keeps each network in the mode its role asks for: who learns in train mode, who sits out or is tested in eval.

    `GANTrainer.before_validate` switches to the generator's turn, and with `switch_eval` that calls
    `generator.train()`: its batch normalisation then uses, and takes in, the validation pictures' statistics. And `GANTrainer` chooses the
    modes before each epoch, whereupon fastai puts all networks into train mode: up to the first switch of each epoch
    the player who sits out is in train mode too.
    """

    run_after = GANTrainer

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

    run_after = GANTrainer

    def after_batch(self) -> None:
        """No gradient, no step."""
        for parameter in self.model.parameters():
            parameter.grad = None


class KeepFrozen(Callback):  # type: ignore[misc]
    """Keeps frozen what was frozen when the learners were joined.

    `GANTrainer` sets `requires_grad` for all of the player whose turn it is, a frozen encoder included.

    Args:
        parameters: Which are to stay as they are.
    """

    run_after = GANTrainer

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters = parameters

    def before_batch(self) -> None:
        """After the switch, before the forward pass."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
