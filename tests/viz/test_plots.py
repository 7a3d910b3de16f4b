"""Guards plots: lines in the colour of their role, the plane the right way up, every value counted once."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from torch import nn

from companion import viz
from companion.models.mlp import PlaneCritic


def test_the_style_ends_with_its_block():
    before = dict(plt.rcParams)
    with viz.style():
        assert plt.rcParams["axes.spines.top"] is False
    assert dict(plt.rcParams) == before


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
    wanted = [values[max(0, i - 1) : i + 2].mean() for i in range(10)]
    assert smooth.get_ydata().tolist() == pytest.approx(wanted)
    assert smooth.get_xdata().tolist() == list(range(1, 11))  # a mean stands in the middle of its window
    assert raw.get_color() == smooth.get_color() == viz.COLOURS["real"]
    plt.close(fig)


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
    rows = {"one": torch.zeros(4, 1, 8, 8), "two": torch.ones(4, 1, 8, 8)}
    picture = viz.image_rows(rows)
    assert viz.image_rows(rows, height=2.6).height > 1.8 * picture.height
    assert picture.width > picture.height > 50
    assert np.asarray(picture)[:, :15].min() < 100


def test_rows_of_images_fill_the_page_beside_labels_that_take_no_more_than_they_need():
    rows = dict.fromkeys(("as learnt", "what another face's weights give"), -torch.ones(10, 3, 64, 64))
    columns = np.asarray(viz.image_rows(rows)).min((0, 2))
    assert 740 < len(columns) <= viz.WIDTH * viz.DPI
    inked = np.flatnonzero(columns < 128)
    assert inked[0] < 30
    assert np.diff(inked).max() < 15  # no empty strip between labels and pictures


@pytest.mark.parametrize("side", [8, 32, 64])
def test_rows_of_images_show_each_image_where_it_stands(side):
    images = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 3, side, side)
    shown = np.asarray(viz.image_rows({"": images}, height=1.0))
    assert shown.shape[0] == 110 + 2 * 2
    middles = [2 + 55 + place * 112 for place in range(5)]
    left = shown.shape[1] - (5 * 112 + 2)
    found = [int(shown[57, left + middle, 0]) for middle in middles]
    assert found == pytest.approx([0, 64, 128, 191, 255], abs=1)


def test_coarse_pixels_stay_squares_and_fine_ones_turn_into_each_other():
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    coarse = np.asarray(viz.image_rows({"": checks.expand(1, 3, 8, 8)}, height=80 / 110))
    fine = np.asarray(viz.image_rows({"": checks.repeat(8, 8).expand(1, 3, 64, 64)}, height=320 / 110))
    assert np.isin(coarse[4:78, -80:-4], (0, 255)).mean() > 0.99
    assert np.isin(fine[4:300, -320:-4], (0, 255)).mean() < 0.9


def test_there_is_one_histogram_for_each_entry_and_no_empty_frame():
    fig = viz.shares_figure({name: torch.rand(50) for name in "abcde"})
    shown = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in shown] == list("abcde")
    assert all(sum(bar.get_height() for bar in ax.patches) == 50 for ax in shown)
    plt.close(fig)


def test_level_lines_are_of_the_critics_scores_the_right_way_up():
    """f(x, y) = y: level lines are horizontal, evenly spaced, and the filled ground is higher above."""

    class Upwards(nn.Module):
        def forward(self, points):
            return points[:, 1]

    fig, ax = plt.subplots()
    viz.value_surface(ax, Upwards(), real=torch.zeros(2, 2), extent=2.0)
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
    assert not ax.patches  # a bar has no beginning on such an axis
    strokes, marks = (
        [of for of in ax.collections if isinstance(of, kind)] for kind in (LineCollection, PathCollection)
    )
    assert [stroke.get_segments()[0][0][0] for stroke in strokes] == [3.0, 20.0]
    assert [mark.get_offsets()[0, 0] for mark in marks] == [2.0, 4.0, 20.0, 20.0]
    assert {to_hex(stroke.get_color()[0]) for stroke in strokes} == {viz.COLOURS["critic"].lower()}
    assert ax.get_xscale() == "log"
    plt.close(fig)


def test_up_to_five_runs_have_marks_of_their_own_that_stay_theirs():
    for count, different in ((3, 3), (5, 5), (6, 1)):
        runs = {name: [{"d": float(seed)} for seed in range(count)] for name in ("a", "b")}
        fig = viz.seeds_figure(runs, "d", xlabel="distance")
        shapes = [mark.get_paths()[0].vertices.tobytes() for mark in fig.axes[0].collections]
        assert len(set(shapes)) == different
        assert shapes[:count] == shapes[count:]
        plt.close(fig)


def test_a_run_left_out_is_a_hollow_dot_and_counts_in_no_bar():
    runs = {"some": [{"d": 2.0}, {"d": 9.0}], "all": [{"d": 9.0}]}
    fig = viz.seeds_figure(runs, "d", xlabel="distance", left_out=lambda run: run["d"] == 9)
    (ax,) = fig.axes
    assert [bar.get_width() for bar in ax.patches] == [2.0]
    assert [mark.get_offsets()[0, 0] for mark in ax.collections] == [2.0, 9.0, 9.0]
    fills = [to_hex(mark.get_facecolors()[0]) for mark in ax.collections]
    assert fills == [viz.COLOURS["generator"].lower(), "#ffffff", "#ffffff"]
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


def test_plots_take_tensors_of_another_device(elsewhere):
    """With gradients and in half precision too."""
    with pytest.raises(TypeError, match="from elsewhere"):  # else this test would show nothing
        np.asarray(elsewhere(torch.zeros(1)))
    points = elsewhere(torch.randn(5, 2).bfloat16().requires_grad_())
    critic = PlaneCritic()
    with torch.no_grad():
        for name, weight in list(critic.named_parameters()):
            owner, _, leaf = name.rpartition(".")
            setattr(critic.get_submodule(owner), leaf, nn.Parameter(elsewhere(weight)))
    fig, axes = plt.subplots(1, 4)
    viz.plane(axes[0], real=points, fake=points, critic=critic)
    viz.value_surface(axes[1], critic, real=points)
    viz.weights_histogram(axes[2], critic)
    viz.curves(axes[3], {"real": points[:, 0], "fake": [points.detach()[0, 0]] * 3})
    plt.close(fig)
    plt.close(viz.shares_figure({"a": points[:, 0]}))


def test_few_images_are_shown_larger_than_many():
    """Portraits that fill a third of the page's width waste the rest."""
    few, many = ({"a": torch.zeros(count, 3, 8, 8)} for count in (5, 14))
    assert viz.image_rows(few).height > 1.6 * viz.image_rows(many).height
    assert viz.image_rows({"a": torch.zeros(1, 3, 8, 8)}).height < 1.5 * 110


@pytest.mark.parametrize("count", [1, 5, 8, 14])
@pytest.mark.parametrize("label", ["real", "from the mixture", "as the network has it"])
def test_no_label_beside_a_row_is_cut(count, label):
    for side in (8, 28, 64):
        rows = dict.fromkeys((label, "b", "c"), torch.zeros(count, 3, side, side))
        assert np.asarray(viz.image_rows(rows))[:, 0].min() > 250


def test_each_cloud_has_its_number_at_its_middle():
    points = torch.cat([torch.full((5, 2), 1.0), torch.full((5, 2), -2.0), torch.tensor([[9.0, 9.0]])])
    kinds = torch.tensor([3] * 5 + [7] * 6)  # one stray of the second kind moves no number
    with viz.style():
        fig, ax = plt.subplots()
        viz.clouds(ax, points, kinds)
    assert {text.get_text(): text.get_position() for text in ax.texts} == {"3": (1.0, 1.0), "7": (-2.0, -2.0)}
    assert len(ax.collections) == 2
    plt.close(fig)
