"""The browser's camera and player in a notebook, where Python may run on another machine (chapter 8).

    camera = BrowserCamera()
    camera                                    # in a cell of its own: press Start in the page
    camera.on_frame(lambda frame: ...)        # called with each frame as it arrives

Frames go from the page to the Python of this notebook and nowhere else. Where that Python is your own machine's, they
don't leave it. **On Colab and on any other server they do travel to that server**, since Python runs there.
"""

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from companion.errors import CompanionError
from companion.vision.frames import Frame
from companion.vision.volume import amplitude

try:
    import anywidget
    import traitlets
except ModuleNotFoundError:
    raise CompanionError(
        "The browser's camera needs anywidget; install it with: pip install anywidget."
    ) from None

HERE = Path(__file__).parent


class BrowserCamera(anywidget.AnyWidget):
    """The camera of the browser that shows this notebook; the page has a button to start and stop it.

    While a frame is with Python the page sends no other, so a slow tracker gets the newest one and never a queue.
    What goes wrong in the page (no permission, no camera, a busy one) is said there and stands in `trouble`.
    """

    _esm = HERE / "camera.js"
    state = traitlets.Unicode("off").tag(sync=True)  # off, asking, running, stopped or trouble
    trouble = traitlets.Unicode("").tag(sync=True)  # what is wrong, in one sentence
    width = traitlets.Int(640).tag(sync=True)  # of a frame in pixels, at most
    rate = traitlets.Float(30.0).tag(sync=True)  # frames a second, at most

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.newest: Frame | None = None
        self.error: Exception | None = None  # what a listener raised last
        self._listeners: list[Callable[[Frame], None]] = []
        self._began: float | None = None
        self._count = 0
        self.on_msg(self._receive)

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        """Call `listener` with each frame as it arrives.

        An error in it stops the camera, shows in the notebook, and stays in `error`.
        """
        self._listeners.append(listener)

    def start(self) -> None:
        """Ask the page to start the camera, as its button does; the widget must be on show."""
        self.send({"kind": "start"})

    def stop(self) -> None:
        """Ask the page to switch the camera off."""
        self.send({"kind": "stop"})

    def _receive(self, _: object, content: dict[str, Any], buffers: list[Any]) -> None:
        if content.get("kind") != "frame" or not buffers:
            return
        try:
            self._take(float(content["seconds"]), bytes(buffers[0]))
        except Exception as error:
            self.error = error
            self.stop()
            raise
        self.send({"kind": "taken"})

    def _take(self, seconds: float, jpeg: bytes) -> None:
        with Image.open(io.BytesIO(jpeg)) as image:
            picture = np.asarray(image.convert("RGB"))
        if self._began is None:
            self._began = seconds
        last = self.newest.seconds if self.newest else 0.0
        self.newest = Frame(picture, max(last, seconds - self._began), str(self._count))
        self._count += 1
        for listener in self._listeners:
            listener(self.newest)


class Player(anywidget.AnyWidget):
    """A soft chord in the page whose volume the knob can turn, wherever Python runs; a `Loudspeaker`."""

    _esm = HERE / "player.js"
    name = "the notebook's player"
    sound = traitlets.Bytes().tag(sync=True)  # a WAV file
    factor = traitlets.Float(amplitude(0.3)).tag(
        sync=True
    )  # on the samples: a page's volume is linear in amplitude

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"sound": chord(), **settings})

    @property
    def level(self) -> float:
        """The level, as a slider shows it."""
        return float(self.factor ** (1 / 3))

    @level.setter
    def level(self, level: float) -> None:
        """Set it."""
        self.factor = amplitude(level)


def chord(seconds: float = 2.0, rate: int = 16_000) -> bytes:
    """Three soft tones as a WAV file that can be repeated without a click: each fits a whole number of times."""
    moments = np.arange(round(seconds * rate)) / rate
    tones = [np.sin(2 * np.pi * frequency * moments) for frequency in (220.0, 277.0, 330.0)]
    samples = (np.mean(tones, axis=0) * 0.5 * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()
