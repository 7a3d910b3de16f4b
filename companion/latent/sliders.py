"""Sliders that move images through latent space, in a notebook (chapter 6).

    LatentSliders(model, faces[:4], {"smile": smile, "glasses": glasses})
    LatentPad(model)                       # two latents: a map with a marker
    LatentDrag(handles, faces[:1])         # take a point of a face, and drag it

They are built as `companion.viz.widgets` says. Pictures that are uploaded go to the Python of this notebook and nowhere
else.
"""

import html
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor
from torchvision.transforms.v2.functional import rgb_to_grayscale

from companion.data.scale import bytes_of, from_bytes
from companion.errors import CompanionError
from companion.files import replacing, shown
from companion.latent.coding import codes, decoded
from companion.latent.dragging import POINTS, Handles
from companion.latent.given import rows
from companion.models.vae import VAE
from companion.viz.grids import image_grid
from companion.viz.palette import COLOURS
from companion.viz.widgets import Widget, button, picture_of, png, uploaded


class LatentSliders(Widget):
    """One slider for each direction, several images at once: `ψ(φ(x) + Σ tᵢ vᵢ)` as they move.

    Above are the images, below them what becomes of them. Each slider has its own reset; *undo* takes back the last
    slider that was moved, *save* writes the picture beside the notebook and never over another file.

    Args:
        model: An autoencoder.
        images: `(N, C, S, S)` in [−1, 1].
        directions: vᵢ, `(latents,)` each, by the names that the sliders show.
        reach: How far the sliders go either way, in steps of their directions.
        scale: How much the images are enlarged.
        folder: Where *save* writes.
    """

    def __init__(
        self,
        model: VAE,
        images: Tensor,
        directions: Mapping[str, Tensor],
        *,
        reach: float = 2.0,
        scale: int = 2,
        folder: Path | str = ".",
    ) -> None:
        super().__init__()
        self.model, self.scale, self.folder = model, scale, Path(folder)
        self.directions = dict(directions)
        for direction in self.directions.values():
            rows(direction[None], "directions", length=model.latents)
        self._past: list[tuple[str, dict[str, float]]] = []  # what was moved, and where all stood before
        self._still = False  # while sliders are moved from here, nothing is drawn and nothing remembered
        self.sliders = {name: self._slider(name, reach) for name in self.directions}
        self.resets = {
            name: button("↺", partial(self.reset, name), f"Reset {name}") for name in self.directions
        }
        self.undo_button = button("Undo", self.undo, "Take back the last slider")
        self.reset_button = button("Reset all", self.reset, "All sliders to 0")
        self.save_button = button("Save", self.save, "Write the picture beside the notebook")
        self.upload = widgets.FileUpload(accept="image/*", multiple=False, description="Your picture")
        self.upload.observe(self._uploaded, names="value")
        lines = [widgets.HBox([self.sliders[name], self.resets[name]]) for name in self.directions]
        buttons = widgets.HBox([self.undo_button, self.reset_button, self.save_button, self.upload])
        self.box.children = (self.picture, *lines, buttons, self.message)
        self.show(images)

    @property
    def amounts(self) -> dict[str, float]:
        """tᵢ by name."""
        return {name: float(slider.value) for name, slider in self.sliders.items()}

    def show(self, images: Tensor) -> None:
        """Take other images `(N, C, S, S)`; the sliders stay where they are.

        Raises:
            CompanionError: They do not fit the model.
        """
        self.codes = codes(self.model, images)
        self.images = images.cpu()
        self._draw()

    def edited(self) -> Tensor:
        """The images as the sliders stand, `(N, C, S, S)`."""
        latents = self.codes
        for name, amount in self.amounts.items():
            latents = latents + amount * self.directions[name]
        return decoded(self.model, latents)

    def undo(self) -> None:
        """Bring back what was moved last, one slider or all of them, to where it stood."""
        if self._past:
            _, before = self._past.pop()
            self._move(before)

    def reset(self, *names: str) -> None:
        """These sliders to 0; all of them if none is named."""
        self._past.append((f"reset {len(self._past)}", self.amounts))  # each reset can be undone by itself
        self._move(dict.fromkeys(names or self.sliders, 0.0))

    def save(self) -> None:
        """Write the edited images as faces-1.png, faces-2.png and so on, and say where."""
        with self.saying():
            number = 1
            while (path := self.folder / f"faces-{number}.png").exists():
                number += 1
            with replacing(path) as file:
                image_grid(self.edited(), columns=len(self.images), scale=self.scale).save(file, "PNG")
            self.message.value = f"Saved as {html.escape(shown(path))}."

    def _slider(self, name: str, reach: float) -> widgets.FloatSlider:
        slider = widgets.FloatSlider(
            value=0.0, min=-reach, max=reach, step=0.05, description=name, style={"description_width": "7em"}
        )
        slider.observe(lambda change: self._moved(name, change["old"]), names="value")
        return slider

    def _moved(self, name: str, before: float) -> None:
        """One slider's movement is one thing to undo, however many steps the page sends of it."""
        if self._still:
            return
        if not self._past or self._past[-1][0] != name:
            self._past.append((name, {**self.amounts, name: before}))
        self._draw()

    def _move(self, amounts: Mapping[str, float]) -> None:
        self._still = True
        try:
            for name, amount in amounts.items():
                self.sliders[name].value = amount
        finally:
            self._still = False
        self._draw()

    def _draw(self) -> None:
        with self.saying():
            both = torch.cat([self.images, self.edited()])
            self.paint(image_grid(both, columns=len(self.images), scale=self.scale))

    def _uploaded(self, change: Mapping[str, Any]) -> None:
        with self.saying():
            content = uploaded(change["new"])
            if content is not None:
                self.show(read_square(content, self.model.config.size, self.model.config.channels)[None])


class LatentPad(Widget):
    """A plane of two latents: its map, a marker on it that two sliders move, and the image at the marker.

    Args:
        model: An autoencoder.
        plane: Two directions `(2, latents)` about the origin; the latents themselves where there are two.
        reach: How far the plane goes either way.
        tiles: Images along each side of the map.
        scale: How much the image at the marker is enlarged.

    Raises:
        CompanionError: The model has more than two latents and no plane was given.
    """

    def __init__(
        self, model: VAE, plane: Tensor | None = None, *, reach: float = 2.5, tiles: int = 11, scale: int = 5
    ) -> None:
        super().__init__()
        if plane is None and model.latents != 2:
            raise CompanionError(
                f"This autoencoder has {model.latents} latents, and a pad has two; give it a plane of two directions, "
                "such as the first two of latent.principal_directions."
            )
        self.model, self.reach, self.scale = model, reach, scale
        self.plane = (
            torch.eye(2) if plane is None else rows(plane, "directions of the plane", length=model.latents)
        )
        if len(self.plane) != 2:
            raise CompanionError(f"A plane has two directions, not {len(self.plane)}; give two.")
        self.map = latent_map(model, self.plane, reach=reach, tiles=tiles)
        end = {"min": -reach, "max": reach, "step": 0.05, "value": 0.0, "readout_format": ".2f"}
        self.across = widgets.FloatSlider(description="→", **end)
        self.up = widgets.FloatSlider(description="↑", orientation="vertical", **end)
        self.mapped = widgets.Image(format="png")
        self.across.layout.width, self.up.layout.height = f"{self.map.width}px", f"{self.map.height}px"
        self.picture.layout.align_self = "flex-start"  # else the row stretches it to the map's height
        for slider in (self.across, self.up):
            slider.observe(lambda change: self._draw(), names="value")
        ground = widgets.VBox([self.mapped, self.across])
        self.box.children = (widgets.HBox([self.up, ground, self.picture]), self.message)
        self._draw()

    @property
    def place(self) -> Tensor:
        """The latents at the marker, `(latents,)`."""
        place: Tensor = torch.tensor([float(self.across.value), float(self.up.value)]) @ self.plane
        return place

    def _draw(self) -> None:
        with self.saying():
            self.paint(image_grid(decoded(self.model, self.place[None]), columns=1, scale=self.scale))
            self.mapped.value = self._marked()

    def _marked(self) -> bytes:
        ground = self.map.copy()
        x = (float(self.across.value) / self.reach + 1) / 2 * ground.width
        y = (1 - float(self.up.value) / self.reach) / 2 * ground.height
        ImageDraw.Draw(ground).ellipse((x - 6, y - 6, x + 6, y + 6), outline=COLOURS["fake"], width=3)
        return png(ground)


class LatentDrag(Widget):
    """Take a point of a face and drag it: on the left where it is and where it should go, on the right what comes.

    *Keep* makes the dragged face the one to go on from, *undo* takes the last one back.

    Args:
        handles: Where the points of a face are, and the model.
        image: A face, `(1, 3, S, S)` in [−1, 1].
        points: Numbers of the points to choose from, by the names that are shown.
        reach: How far the sliders go either way, in pixels.
        scale: How much the images are enlarged.

    Raises:
        CompanionError: The image does not fit the model.
    """

    def __init__(
        self,
        handles: Handles,
        image: Tensor,
        *,
        points: Mapping[str, int] | None = None,
        reach: float = 5.0,
        scale: int = 4,
    ) -> None:
        super().__init__()
        self.handles, self.scale = handles, scale
        self.points = dict(POINTS if points is None else points)
        if not self.points:
            raise CompanionError("There is no point to drag; give one or more by their names.")
        self.code = codes(handles.model, image)
        if len(self.code) != 1:
            raise CompanionError(
                f"One face is dragged at a time, and these are {len(self.code)}; give images[:1]."
            )
        self._past: list[Tensor] = []
        self.choice = widgets.Dropdown(options=list(self.points), description="point")
        end = {"min": -reach, "max": reach, "step": 0.5, "value": 0.0, "readout_format": ".1f"}
        self.across = widgets.FloatSlider(description="→", **end)
        self.down = widgets.FloatSlider(description="↓", **end)
        self.keep_button = button("Keep", self.keep, "Go on from this face")
        self.undo_button = button("Undo", self.undo, "Take back what was kept last")
        for control in (self.choice, self.across, self.down):
            control.observe(lambda change: self._draw(), names="value")
        buttons = widgets.HBox([self.keep_button, self.undo_button])
        self.box.children = (self.picture, self.choice, self.across, self.down, buttons, self.message)
        self._draw()

    def dragged(self) -> Tensor:
        """The code as the controls stand, `(1, latents)`."""
        by = (float(self.across.value), float(self.down.value))
        return self.handles.drag(self.code, self.points[self.choice.value], by) if any(by) else self.code

    def keep(self) -> None:
        """Go on from the dragged face, with both sliders at 0."""
        self._past.append(self.code)
        self._begin(self.dragged())

    def undo(self) -> None:
        """Back to the face before the last that was kept."""
        if self._past:
            self._begin(self._past.pop())

    def _begin(self, code: Tensor) -> None:
        self.code = code
        self.across.value = self.down.value = 0.0
        self._draw()

    def _draw(self) -> None:
        with self.saying():
            both = torch.cat([self.code, self.dragged()])
            sheet = image_grid(decoded(self.handles.model, both), columns=2, scale=self.scale, gap=0)
            number = self.points[self.choice.value]
            (x, y), (now_x, now_y) = self.handles.seen(both)[:, number].mul(self.scale).tolist()
            goal_x, goal_y = (
                x + self.scale * float(self.across.value),
                y + self.scale * float(self.down.value),
            )
            pen, beyond = ImageDraw.Draw(sheet), sheet.width // 2
            pen.line((x, y, goal_x, goal_y), fill=COLOURS["fake"], width=2)
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=COLOURS["real"])
            for left in (0, beyond):  # the goal, in both
                pen.ellipse(
                    (left + goal_x - 5, goal_y - 5, left + goal_x + 5, goal_y + 5),
                    outline=COLOURS["fake"],
                    width=2,
                )
            pen.ellipse((beyond + now_x - 4, now_y - 4, beyond + now_x + 4, now_y + 4), fill=COLOURS["real"])
            self.paint(sheet)


def latent_map(model: VAE, plane: Tensor, *, reach: float = 2.5, tiles: int = 11) -> Image.Image:
    """The images that lie on a plane of two directions `(2, latents)`, in their places: x to the right, y upwards."""
    middle = reach * (2 * torch.arange(tiles) + 1 - tiles) / tiles  # the middles of equal tiles
    rows = torch.cartesian_prod(middle.flip(0), middle).flip(1)  # (x, y), the topmost row first
    return image_grid(decoded(model, rows @ plane), columns=tiles, scale=1, gap=0)


def read_square(content: bytes, size: int, channels: int) -> Tensor:
    """A picture file's middle square, `(channels, size, size)` in [−1, 1].

    Raises:
        CompanionError: It cannot be read.
    """
    image = from_bytes(bytes_of(ImageOps.fit(picture_of(content), (size, size), Image.Resampling.LANCZOS)))
    square: Tensor = rgb_to_grayscale(image) if channels == 1 else image
    return square
