"""Restoring pictures with fastai: U-Net, critic, GAN, and the data for them (chapter 5).

What trains here is fastai's: learners, settings, folders and trainer import it, which takes seconds. Nothing else of
the course does.
"""

import warnings

# fastai's GANTrainer keeps its players under names that the learner has too, and says so at each start; and torch warns
# of what fastai 2.8 still uses
for said in (
    "You are shadowing an attribute",
    "`torch.jit.script` is deprecated",
    "`torch.nn.utils.weight_norm`",
):
    warnings.filterwarnings("ignore", message=said)
