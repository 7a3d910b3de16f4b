"""The people in this book: what can be read off drawn faces, who is who, and what a detector sees in them."""

from companion.found import gathered
from companion.reproduce.job import Recipe

RECIPES: dict[str, Recipe] = gathered(__name__, "RECIPES")
