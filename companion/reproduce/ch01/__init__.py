"""Chapter 1: DCGANs on digits, what helps them, what they remember, and objectives on a ring."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
