"""Chapter 7: attention between the places of a picture, and faces translated into caricatures and back."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
