"""Chapter 2: deblurring GANs, what a formula does, what each loss is worth, and one network for every blur."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
