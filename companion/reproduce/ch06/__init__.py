"""Chapter 6: variational autoencoders, what their objective's parts do, and what their latents know."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
