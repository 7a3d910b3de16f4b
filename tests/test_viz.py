"""Guards what readers see: pixels of grids, colours that keep their meaning, captions and alt text, great circles."""

import base64
import csv
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from PIL import Image, ImageSequence

from companion import viz
from companion.models.mlp import PlaneCritic


@pytest.fixture(autouse=True)
def no_figure_left_open():
    """A notebook that leaves figures open shows them twice and fills the memory."""
    plt.close("all")
    yield
    assert plt.get_fignums() == []


def test_a_grid_shows_each_image_in_its_place_on_white():
    """−1 is black, 1 is white, 0 the middle; row by row; a gap of two pixels around each."""
    images = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    pixels = np.asarray(viz.image_grid(images, columns=2))
    assert pixels.shape == (2 * 4 + 3 * 2, 2 * 4 + 3 * 2, 3)
    assert (pixels[2:6, 2:6] == 0).all()
    assert (pixels[2:6, 8:12] == 128).all()
    assert (pixels[8:12, 2:6] == 255).all()
    assert (pixels[:2] == 255).all()
    assert (pixels[8:12, 8:12] != 0).all()


def test_a_grid_enlarges_without_smoothing_and_keeps_colour():
    image = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).expand(2, 3, 2, 2).clone()
    image[:, 2] = -1
    pixels = np.asarray(viz.image_grid(image, scale=5, gap=0))
    assert pixels.shape == (10, 20, 3)
    assert {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()} == {(255, 255, 0), (0, 0, 0)}


def test_a_grid_takes_images_as_training_leaves_them():
    """With gradients, in half precision, beyond the range, one alone, with alpha."""
    for images in (
        torch.randn(2, 1, 4, 4, requires_grad=True),
        torch.randn(2, 3, 4, 4).bfloat16(),
        9 * torch.randn(1, 1, 4, 4),
        torch.ones(2, 4, 4, 4),
    ):
        assert viz.image_grid(images).size[0] >= 4


def test_the_style_ends_with_its_block():
    before = dict(plt.rcParams)
    with viz.style():
        assert plt.rcParams["axes.spines.top"] is False
    assert dict(plt.rcParams) == before


def test_the_four_roles_have_colours_that_can_be_told_apart():
    """By brightness or hue also for the most common colour blindness, simulated after Viénot et al. 1999."""
    assert set(viz.COLOURS) == {"real", "fake", "generator", "critic"}
    to_lms = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    deuteranope = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    seen = []
    for colour in viz.COLOURS.values():
        rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2
        seen.append(np.linalg.inv(to_lms) @ deuteranope @ to_lms @ rgb)
    for i in range(4):
        for j in range(i):
            assert np.abs(seen[i].clip(0) ** (1 / 2.2) - seen[j].clip(0) ** (1 / 2.2)).max() > 0.08


def test_lines_take_the_colour_of_their_role_and_carry_their_name():
    fig, ax = plt.subplots()
    viz.curves(ax, {"critic loss": [3.0, 2.0, 1.0], "something": [1.0, 1.0, 1.0]}, steps=[10, 20, 30])
    assert ax.lines[0].get_color() == viz.COLOURS["critic"]
    assert ax.lines[0].get_xdata().tolist() == [10, 20, 30]
    assert [text.get_text() for text in ax.texts] == ["critic loss", "something"]
    assert ax.texts[0].xy == (30, 1.0)
    plt.close(fig)


def test_smoothing_is_a_moving_mean_with_the_raw_line_behind():
    fig, ax = plt.subplots()
    values = np.arange(10.0) ** 2
    viz.curves(ax, {"real": values}, smooth=3)
    raw, smooth = ax.lines
    assert raw.get_ydata().tolist() == values.tolist()
    assert raw.get_alpha() < 0.5
    wanted = [values[i : i + 3].mean() for i in range(8)]
    assert smooth.get_ydata().tolist() == pytest.approx(wanted)
    assert smooth.get_xdata().tolist() == list(range(3, 11))  # a mean stands at the end of its window
    assert raw.get_color() == smooth.get_color() == viz.COLOURS["real"]
    plt.close(fig)


def test_a_runs_losses_are_drawn_beside_its_metrics(tmp_path):
    with open(tmp_path / "metrics.csv", "w", newline="") as rows:
        csv.writer(rows).writerows([["step", "critic_loss", "generator_loss"], [1, 0.5, 0.7], [2, 0.4, 0.8]])
    viz.losses_of_run(tmp_path)
    with Image.open(tmp_path / "losses.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(100_000)) > 10


def test_a_run_without_rows_leaves_no_plot(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,critic_loss,generator_loss\n")
    viz.losses_of_run(tmp_path)
    assert not (tmp_path / "losses.png").exists()


def sources(html: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(data)))
        for data in re.findall(r'data:image/\w+;base64,([^"]+)"', html)
    ]


def test_a_figure_carries_caption_and_alt_text_and_loads_nothing():
    """Quotes and angle brackets of an alt text cannot end its attribute."""
    shown = viz.figure(
        Image.new("RGB", (6, 4), "red"), "See <b>this</b>.", alt='a "red" <field>'
    )._repr_html_()
    assert "<figcaption>See <b>this</b>.</figcaption>" in shown
    assert 'alt="a &quot;red&quot; &lt;field&gt;"' in shown
    assert "http" not in shown
    (picture,) = sources(shown)
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    assert picture.size == (6, 4)


def test_a_matplotlib_figure_becomes_a_picture_and_is_closed():
    fig, _ = plt.subplots()
    shown = viz.figure(fig, "A plot.", alt="axes")
    assert shown.images[0].width > 100


def test_an_animation_has_a_still_for_readers_who_want_no_motion():
    """The still is the last frame; the animation holds all, in order, and rests at the end."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    shown = viz.figure(frames, "Time passes.", alt="three colours")._repr_html_()
    assert '<source media="(prefers-reduced-motion: reduce)"' in shown
    still, moving = sources(shown)
    assert still.convert("RGB").getpixel((4, 4)) == (0, 0, 255)
    colours = [frame.convert("RGB").getpixel((4, 4)) for frame in ImageSequence.Iterator(moving)]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 1, 2]
    assert moving.n_frames == 3


def test_the_plane_shows_what_the_critic_believes_the_right_way_up():
    """A critic that believes in high y is blue above, and real points are drawn in real's colour."""

    class Upwards(PlaneCritic):
        def forward(self, points):
            return 10 * points[:, 1]

    fig, ax = plt.subplots()
    viz.plane(ax, real=torch.zeros(3, 2), fake=torch.ones(2, 2), critic=Upwards(), extent=2.0)
    belief = np.asarray(ax.images[0].get_array())
    assert belief[-1].min() > 0.99
    assert belief[0].max() < 0.01
    assert ax.images[0].origin == "lower"
    assert tuple(ax.images[0].get_extent()) == (-2, 2, -2, 2)
    points = [c for c in ax.collections if len(c.get_offsets()) in (2, 3) and c.get_sizes().size]
    colours = [plt.matplotlib.colors.to_hex(c.get_facecolor()[0][:3]).upper() for c in points[-2:]]
    assert colours == [viz.COLOURS["real"], viz.COLOURS["fake"]]
    plt.close(fig)


def test_rows_of_images_carry_their_labels():
    picture = viz.image_rows({"one": torch.zeros(4, 1, 8, 8), "two": torch.ones(4, 1, 8, 8)})
    assert picture.width > picture.height > 50


def test_live_output_names_the_step_and_its_losses(capsys):
    from companion.training import Report

    viz.live(Report(7, 0.5, 0.25, 0.0, 0.0, 0.0, trainer=None), Image.new("RGB", (2, 2)))
    assert "step 7: critic 0.500, generator 0.250" in capsys.readouterr().out


vectors = st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6).map(torch.tensor)


@given(start=vectors, end=vectors, steps=st.integers(2, 9))
def test_interpolation_begins_and_ends_at_its_ends(start, end, steps):
    path = viz.interpolation(start, end, steps)
    assert path.shape == (steps, 6)
    assert path.isfinite().all()
    torch.testing.assert_close(path[0], start, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(path[-1], end, rtol=1e-3, atol=1e-3)


def test_interpolation_stays_on_the_sphere_and_advances_by_equal_angles():
    """A straight line would pass at 0.71 of the length half-way between these two."""
    start, end = torch.eye(4)[0] * 3, torch.eye(4)[1] * 3
    path = viz.interpolation(start, end, 5)
    torch.testing.assert_close(path.norm(dim=1), torch.full((5,), 3.0))
    cosines = torch.nn.functional.cosine_similarity(path[:-1], path[1:])
    torch.testing.assert_close(cosines, torch.full((4,), float(np.cos(np.pi / 8))))


def test_interpolation_between_equal_or_opposite_latents_is_finite():
    z = torch.randn(8)
    torch.testing.assert_close(viz.interpolation(z, z, 4), z.expand(4, 8))
    assert viz.interpolation(z, -z, 4).isfinite().all()


def stored(content: Image.Image) -> str:
    """The kind of file a still is stored as."""
    return re.search(r"data:image/(\w+);", viz.figure(content, "c", alt="a")._repr_html_()).group(1)


def test_photographs_are_stored_as_jpeg_and_drawings_without_loss():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert stored(Image.fromarray(noise)) == "jpeg"
    assert stored(viz.image_grid(torch.rand(4, 3, 16, 16) * 2 - 1)) == "png"


def test_points_are_marked_where_they_lie():
    """(0, 0) is the image's corner, so the middle of a 10-pixel image is (5, 5), at any scale."""
    for scale in (1, 4):
        canvas = np.asarray(
            viz.marked(torch.full((3, 10, 10), -1.0), torch.tensor([[5.0, 5.0]]), scale=scale)
        )
        assert canvas.shape == (10 * scale, 10 * scale, 3)
        rows, columns = canvas.any(2).nonzero()
        assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((5 * scale, 5 * scale), abs=0.6)


def test_there_is_one_histogram_for_each_entry_and_no_empty_frame():
    fig = viz.shares_figure({name: torch.rand(50) for name in "abcde"})
    shown = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in shown] == list("abcde")
    assert all(sum(bar.get_height() for bar in ax.patches) == 50 for ax in shown)
    plt.close(fig)


def test_a_grid_lays_sprites_over_a_checkerboard():
    """Nothing shows the ground in two tones, and what is solid hides it."""
    sprites = torch.full((2, 4, 16, 16), -1.0)
    sprites[1] = 1.0
    pixels = np.asarray(viz.image_grid(sprites, gap=0))
    assert len(np.unique(pixels[:, :16])) == 2
    assert (pixels[:, 16:] == 255).all()


def test_level_lines_are_of_the_critics_scores_the_right_way_up():
    """f(x, y) = y: level lines are horizontal, evenly spaced, and the filled ground is higher above."""
    fig, ax = plt.subplots()
    viz.value_surface(ax, lambda points: points[:, 1], real=torch.zeros(2, 2), extent=2.0)
    drawn = [
        np.concatenate(line.allsegs[k]) for line in ax.collections[1:2] for k in range(len(line.allsegs))
    ]
    lines = [points for points in drawn if len(points)]
    assert len(lines) > 8
    assert all(np.ptp(points[:, 1]) < 1e-5 and np.ptp(points[:, 0]) > 3.9 for points in lines)
    assert ax.get_xlim() == ax.get_ylim() == (-2, 2)
    assert all(dashes is None for _, dashes in ax.collections[1].get_linestyles())  # solid below zero too
    plt.close(fig)


def test_seeds_are_dots_on_the_bar_of_their_mean_in_the_colour_of_the_role():
    runs = {"one": [{"d": 2.0}, {"d": 4.0}], "two": [{"d": 20.0}, {"d": 20.0}]}
    fig = viz.seeds_figure(runs, "d", xlabel="distance", log=True, role="critic")
    (ax,) = fig.axes
    assert [bar.get_width() for bar in ax.patches] == [3.0, 20.0]
    assert [dots.get_offsets()[:, 0].tolist() for dots in ax.collections] == [[2.0, 4.0], [20.0, 20.0]]
    assert {to_hex(bar.get_facecolor()) for bar in ax.patches} == {viz.COLOURS["critic"].lower()}
    assert ax.get_xscale() == "log"
    plt.close(fig)


def test_the_histogram_counts_every_weight_once_and_the_far_ones_at_the_walls():
    critic = torch.nn.Linear(4, 1)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[-5.0, -0.3, 0.0, 0.3]]))
        critic.bias.fill_(5.0)
    fig, ax = plt.subplots()
    viz.weights_histogram(ax, critic, reach=1.0, bins=4)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.2, 0.2, 0.4, 0.2])
    plt.close(fig)


def test_photographs_in_rows_are_shown_pixel_for_pixel():
    shades = torch.linspace(-1, 1, 2 * 3 * 20 * 24).view(2, 3, 20, 24)
    sheet = np.asarray(viz.photo_rows({"one": shades, "a longer name": -shades}))
    expected = ((shades[1] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert (sheet[2:22, -26:-2] == expected).all()
    assert (sheet[2:22, :40] == 255).all(), "the shorter label is written to the right"
    assert (sheet[26:46, :40] < 128).any()
