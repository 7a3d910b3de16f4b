"""What the tests of pictures share: no figure is left open."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def no_figure_left_open():
    """A notebook that leaves figures open shows them twice and fills the memory."""
    plt.close("all")
    yield
    assert plt.get_fignums() == []
