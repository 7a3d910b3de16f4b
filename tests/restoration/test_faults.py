"""What chapter 5 says of fastai's faults: each is shown in fastai's own code, and then that our way round it works.

A test of the first kind that fails says that the fault has been mended upstream: then its way round can go.
"""

import pickle
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.data.transforms import IntToFloatTensor, Normalize
from fastai.learner import Learner
from fastai.optimizer import Adam
from fastai.torch_core import TensorImage
from fastai.vision.gan import AdaptiveLoss, FixedGANSwitcher, GANLearner
from torch import nn

from companion.restoration.faults import KeepStill, RightModes, keeping_losses, thaw
from companion.restoration.folders import same_name

SHOWN = ("2.8.8", "2.8.12")  # the versions in which these faults were seen: Colab's, and the lock's
pytestmark = pytest.mark.skipif(version("fastai") not in SHOWN, reason=f"says what fastai {SHOWN} does")


def loss_of_generator(fake, output, target):
    return (1 - fake).square().mean() + (output - target).square().mean()


def loss_of_critic(real, fake):
    return (1 - real).square().mean() + fake.square().mean()


class Watch(Callback):
    """Writes down what is asked at each event that is named."""

    order = 55  # after all of ours

    def __init__(self, event, ask):
        self.seen = []
        setattr(self, event, lambda: self.seen.append(ask(self.learn)))


def gan(*further, batches=6, switcher=None):
    """A GAN of two tiny networks with batch normalisation, as fastai makes it."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 1))
    data = [(torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8)) for _ in range(batches)]
    learner = GANLearner(
        DataLoaders(data, data),
        generator,
        critic,
        loss_of_generator,
        loss_of_critic,
        switcher=switcher or FixedGANSwitcher(),
        cbs=list(further),
        opt_func=partial(Adam, mom=0.9),
        lr=1e-2,
    )
    return learner


def fit(learner, epochs=1):
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs)
    return learner


def in_validation(learner):
    return None if learner.training else learner.model.generator.training


@pytest.mark.parametrize(("mended", "training"), [(False, True), (True, False)], ids=["fastai", "ours"])
def test_the_generator_is_validated_in_train_mode(mended, training):
    watch = Watch("after_pred", in_validation)
    fit(gan(*([RightModes()] if mended else []), watch))
    assert {mode for mode in watch.seen if mode is not None} == {training}


@pytest.mark.parametrize("mended", [False, True], ids=["fastai", "ours"])
def test_who_sits_out_begins_each_epoch_in_train_mode(mended):
    """So in the critic's first turn the generator draws with the batch's statistics, and takes them in."""
    watch = Watch("after_pred", lambda learner: learner.training and learner.model.generator.training)
    fit(gan(*([RightModes()] if mended else []), watch))
    assert watch.seen[0] is not mended


@pytest.mark.parametrize("mended", [False, True], ids=["fastai", "ours"])
def test_who_sits_out_moves_on_its_old_momentum(mended):
    """One optimiser for both, gradients set to zero and not to None: Adam goes on with what it remembers."""

    def weights(learner):
        turn = "generator" if learner.gan_trainer.gen_mode else "critic"
        out = learner.model.critic if turn == "generator" else learner.model.generator
        return turn, out[0].weight.detach().clone()

    before, after = Watch("before_batch", weights), Watch("after_step", weights)
    fit(gan(*([KeepStill()] if mended else []), before, after, batches=8))
    moved = [not torch.equal(a[1], b[1]) for a, b in zip(before.seen, after.seen, strict=False)]
    assert moved[0] is False  # nobody has a momentum yet
    assert any(moved) is not mended


def joined():
    """A GAN out of two learners, as the lesson makes it, trained for one epoch."""
    data = [(torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8))] * 2
    dls = DataLoaders(data, data)
    generator = Learner(dls, nn.Conv2d(3, 3, 1), loss_func=nn.MSELoss())
    critic = Learner(
        dls, nn.Sequential(nn.Flatten(), nn.Linear(192, 1)), loss_func=AdaptiveLoss(nn.MSELoss())
    )
    return fit(GANLearner.from_learners(generator, critic))


def remake_optimiser(learner):
    """What `export` does after it has written the file."""
    state, learner.opt = learner.opt.state_dict(), None
    learner.create_opt()
    learner.opt.load_state_dict(state)


def test_a_gan_made_of_learners_cannot_be_exported():
    with pytest.raises(AssertionError):
        remake_optimiser(joined())
    learner = joined()
    thaw(learner)
    remake_optimiser(learner)


@pytest.mark.parametrize("mended", [False, True], ids=["fastai", "ours"])
def test_looking_at_results_empties_the_loss_lists(mended):
    learner = fit(gan())
    counts = len(learner.recorder.losses), len(learner.gan_trainer.gen_losses)
    assert min(counts) > 0
    with keeping_losses(learner) if mended else nullcontext(), learner.no_bar():
        learner.get_preds(dl=[learner.dls.train[0]])
    after = len(learner.recorder.losses), len(learner.gan_trainer.gen_losses)
    assert after == (counts if mended else (0, 0))


def test_a_decoded_picture_times_255_is_its_negative():
    """Fastai issue 3206: decoding has made 0 … 255 of it already, and bytes wrap around: 255·v = −v modulo 256."""
    grey = np.arange(0, 256, 5, dtype=np.uint8)
    picture = TensorImage(torch.from_numpy(grey)).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    steps = IntToFloatTensor(), Normalize.from_stats([0.5] * 3, [0.5] * 3, cuda=False)
    encoded = steps[1](steps[0](TensorImage(picture.float())))
    decoded = steps[0].decode(steps[1].decode(encoded))
    assert decoded.max() == 255
    published = np.uint8(np.asarray(decoded)[0, 0, 0] * 255)
    assert abs(published.astype(int) - (256 - grey.astype(int)) % 256).max() <= 1


def test_a_label_function_of_a_notebook_breaks_a_saved_learner():
    """A pickle holds a function by its name: where it was defined in a notebook, nobody else can open the file."""
    import __main__

    def label_of(path):
        return path.parent.name

    label_of.__module__, label_of.__qualname__ = "__main__", "label_of"
    __main__.label_of = label_of
    saved = pickle.dumps(label_of)
    del __main__.label_of  # another session
    with pytest.raises(AttributeError, match="label_of"):
        pickle.loads(saved)
    assert pickle.loads(pickle.dumps(same_name)) is same_name
