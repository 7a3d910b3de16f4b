"""Chapter 5's exhibits: a picture scaled twice, damage dealt out by turn, and a network that is used in train mode."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from companion.data.crappify import Damage, Ruined

__all__ = ["dealt_in_turn", "drawn_in_train_mode", "scaled_twice"]


def scaled_twice(decoded: Tensor) -> NDArray[np.uint8]:
    """Bytes of pictures whose values lie between 0 and 255 already, as a published port of the lesson saves them.

    The line was written for pictures in [0, 1]. But fastai's `decode` has made 0 … 255 of them, and a byte keeps what
    is left after division by 256: 255 v = 256 v − v, so what is left is −v, the negative (fastai issue 3206).
    """
    return (decoded.numpy().astype(np.int64) * 255).astype(np.uint8)  # the bug: they were scaled before


def dealt_in_turn(pictures: Sequence[Image.Image], seed: int = 1) -> list[Ruined]:
    """Pictures ruined one after another from one stream of random numbers, as the lesson's `random.randint` does.

    What happens to a picture then hangs on how many came before it. Leave one out, add one, or go on where the last run
    stopped, and every later picture is ruined in another way; four workers deal them out differently each time.
    """
    damage = Damage(seed=seed)
    return [
        damage.ruin(picture, str(turn)) for turn, picture in enumerate(pictures)
    ]  # the bug: not by its name


@torch.no_grad()
def drawn_in_train_mode(network: nn.Module, given: Tensor) -> Tensor:
    """What a network draws when nobody has called `eval`: batch normalisation looks at the pictures at hand.

    So a picture comes out differently beside other pictures. (The statistics that it takes in are put back here.)
    """
    before = {name: value.clone() for name, value in network.state_dict().items()}
    was_training = network.training
    network.train()  # the bug: it stays so
    drawn: Tensor = network(given)
    network.load_state_dict(before)
    network.train(was_training)
    return drawn
