"""Restoring pictures with fastai: U-Net, critic, GAN, and the data for them (chapter 5).

Importing this package imports fastai, which takes seconds; nothing else of the course does.
"""

import warnings

# fastai's own GANTrainer keeps its players under names that the learner has too, and says so at each start
warnings.filterwarnings("ignore", message="You are shadowing an attribute")
