"""Chapter 3: Wasserstein GANs, and what their losses say."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
