"""Guards the promise that installing `companion` on Colab moves nothing: Colab's own versions satisfy every bound."""

from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

# Colab's preinstalled versions, CPU image, Python 3.13, August 2026. Renew them when Colab does.
COLAB = {
    "fastai": "2.8.8",
    "filelock": "3.32.3",
    "ipython": "7.34.0",
    "ipywidgets": "7.7.1",
    "matplotlib": "3.10.0",
    "numpy": "2.1.3",
    "pandas": "2.2.3",
    "pillow": "11.3.0",
    "pooch": "1.9.0",
    "safetensors": "0.8.0",
    "scikit-image": "0.25.2",
    "scikit-learn": "1.6.1",
    "scipy": "1.16.3",
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "tqdm": "4.67.3",
}
PYTHON = {"python_version": "3.13", "python_full_version": "3.13.0", "extra": ""}
NEEDED = [Requirement(text) for text in requires("generative-vision") or []]
BASE = [needed for needed in NEEDED if needed.marker is None or needed.marker.evaluate(PYTHON)]


def test_the_package_says_what_it_needs():
    assert {needed.name for needed in BASE} == set(COLAB)


@pytest.mark.parametrize("needed", BASE, ids=lambda needed: needed.name)
def test_colab_has_it_already(needed):
    assert needed.specifier.contains(COLAB[needed.name])


@pytest.mark.parametrize("needed", BASE, ids=lambda needed: needed.name)
def test_there_is_no_upper_bound(needed):
    assert all(bound.operator == ">=" for bound in needed.specifier)
