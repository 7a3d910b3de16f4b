"""What `companion app browse` shows."""

from collections.abc import Callable

from companion.viewer.album import SIZE
from companion.viewer.neighbours import Features
from companion.viewer.viewing import Viewer
from companion.viewer.viewing import browse as _browse

ALIKE = ("pixels", "digits", "faces", "photographs")  # what neighbours can be alike by


def browse(source: str, *, size: int = SIZE, alike: str = "pixels") -> Viewer:
    """The viewer on a set or folder by its name; neighbours by pixels, and by one of the course's networks.

    Raises:
        CompanionError: As `companion.viewer.browse`.
    """
    return _browse(source, size=size, features=None if alike == "pixels" else _networks()[alike]())


def _networks() -> dict[str, Callable[[], Features]]:
    from companion.metrics import BackboneFeatures, DigitFeatures, FaceFeatures

    return {"digits": DigitFeatures, "faces": FaceFeatures, "photographs": BackboneFeatures}
