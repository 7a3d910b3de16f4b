"""What lies in a folder of the package: a new module is found by being there, and no list has to name it.

Museum, exercises, recipes and commands each are a package with a module (or a package) a chapter. Adding a chapter
adds files and changes none.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from companion.errors import CompanionError


def names(package: str) -> list[str]:
    """The names of a package's modules, sorted, without importing them."""
    return sorted(found.name for found in iter_modules(import_module(package).__path__))


def modules(package: str) -> Iterator[ModuleType]:
    """A package's modules in the order of their names, each imported when its turn comes."""
    return (import_module(f"{package}.{name}") for name in names(package))


def gathered(package: str, attribute: str) -> dict[str, Any]:
    """What all modules of a package declare in a dictionary of one name, in one.

    Raises:
        CompanionError: Two modules declare the same.
    """
    found: dict[str, Any] = {}
    for module in modules(package):
        declared: dict[str, Any] = getattr(module, attribute, {})
        if twice := found.keys() & declared.keys():
            raise CompanionError(
                f"The name {min(twice)} stands in {attribute} of {module.__name__} and of another module beside it; "
                "give one of the two another name."
            )
        found |= declared
    return found
