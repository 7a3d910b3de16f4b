"""Photographs by name: a few that two packages ship, and the Oxford-IIIT pets (chapter 2)."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from companion.data.assets import fetch
from companion.data.catalogue import Credit, PhotoSet
from companion.data.reading import files_below

EMBEDDED = {  # colour photographs of everyday things inside the two packages' wheels
    "skimage": ("data", ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")),
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
}
HELD_OUT = {"china": "validation", "chelsea": "test", "coffee": "test"}  # too few to leave to chance


def embedded() -> Mapping[str, Path]:
    """The embedded photographs, “embedded/astronaut” and so on."""
    return {
        f"embedded/{Path(name).stem}": _package(package) / below / name
        for package, (below, names) in EMBEDDED.items()
        for name in names
    }


def _package(name: str) -> Path:
    """Where a package lies, without the seconds it takes to import it."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _stems() -> list[str]:
    return [Path(name).stem for _, names in EMBEDDED.values() for name in names]


FIXED = {f"embedded/{stem}": HELD_OUT.get(stem, "training") for stem in _stems()}
SHIPPED = "Photographs shipped with "
SETS = (
    PhotoSet(
        name="embedded",
        description="seven photographs that scikit-image and scikit-learn ship",
        credits=(
            Credit("astronaut, rocket", f"{SHIPPED}scikit-image", "public domain", "NASA; SpaceX"),
            Credit(
                "chelsea, coffee",
                f"{SHIPPED}scikit-image",
                "CC0 1.0",
                "Stéfan van der Walt; Rachel Michetti, by courtesy of Pikolo Espresso Bar",
            ),
            Credit(
                "china, flower",
                f"{SHIPPED}scikit-learn",
                "CC BY 2.0",
                "[danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/); "
                "[vultilion](https://www.flickr.com/photos/vultilion/6056698931/)",
            ),
            Credit(
                "motorcycle_left",
                "A photograph of the Middlebury 2014 stereo benchmark, shipped with scikit-image; trained on, never "
                "shown",
                "none stated",
                "N. Nesic, P. Westling, X. Wang, Y. Kitajima, G. Krathwohl and D. Scharstein",
            ),
        ),
        files=embedded,
        fixed=FIXED,
    ),
    PhotoSet(
        name="pets",
        description="Oxford-IIIT Pet (Parkhi et al. 2012): photographs of cats and dogs",
        assets=("pets",),
        files=lambda: files_below(fetch("pets")),
    ),
)
