"""What every test shares: one thread per process, so that two cores suffice, and the same examples in each run."""

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# Helpers beside the tests, which importlib mode does not find, and what makes pictures for the site.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tools")]
pytest.register_assert_rewrite("banks")

COSTS = {"full": 5.0, "slow": 1.0}  # seconds of a test with such a mark, roughly

torch.set_num_threads(1)
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Keep our order of files: xdist's, of how many tests they hold, leaves one long one to the end and a core idle."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)  # of the tests that -m and -k have left
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files from the longest to the shortest, as far as marks tell.

    And refuse names that hold an address: they differ from worker to worker, which then cannot share the tests.
    """
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} is named after an address; give its parameters ids.")
    seconds: Counter[Path] = Counter()
    for item in items:
        seconds[item.path] += next(
            (cost for mark, cost in COSTS.items() if item.get_closest_marker(mark)), 0.1
        )
    items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture
def mnist_cached() -> None:
    """Skip the test where MNIST is not in the cache: no test downloads anything."""
    from companion.data.assets import manifest

    parts = [f"mnist-{part}-{kind}" for part in ("train", "test") for kind in ("images", "labels")]
    missing = [name for name in parts if not manifest()[name].file.is_file()]
    if missing:
        pytest.skip(
            f"{', '.join(missing)} not in the cache; fetch with companion assets fetch, or set COMPANION_CACHE"
        )


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
