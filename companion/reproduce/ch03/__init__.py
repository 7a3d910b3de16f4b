"""Chapter 3: Wasserstein GANs, their losses, and drawn portraits in colour."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
