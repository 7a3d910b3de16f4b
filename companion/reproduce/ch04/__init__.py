"""Chapter 4: critics under constraints, and what the penalised game draws in colour."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
