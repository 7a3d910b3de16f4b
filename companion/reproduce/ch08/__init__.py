"""Chapter 8: gestures read, faces found and hidden on photographs, and the way from a pinch to the volume."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
