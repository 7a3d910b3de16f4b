"""What the tests of pictures share: no figure is left open, and tensors that lie elsewhere."""

import matplotlib.pyplot as plt
import pytest
import torch


@pytest.fixture(autouse=True)
def no_figure_left_open():
    """A notebook that leaves figures open shows them twice and fills the memory."""
    plt.close("all")
    yield
    assert plt.get_fignums() == []


class Elsewhere(torch.Tensor):
    """A tensor as on a graphics card: NumPy cannot have it before it came over."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("numpy", "__array__"):
            raise TypeError("can't convert a tensor from elsewhere to numpy; copy it to host memory first")
        found = super().__torch_function__(function, types, args, kwargs or {})
        if name in ("cpu", "tolist") and isinstance(found, torch.Tensor):
            return found.as_subclass(torch.Tensor)
        return found


@pytest.fixture
def elsewhere():
    """Make a tensor one of another device."""
    return lambda tensor: tensor.as_subclass(Elsewhere)
