"""Guards diagrams: every box says what it should where it should, and arrows and pictures end at boxes that exist."""

import matplotlib.pyplot as plt
import pytest
import torch

from companion import viz
from companion.errors import CompanionError
from companion.viz.diagrams import SIDE

BOXES = {"one": viz.Box(0, 0, "first"), "two": viz.Box(2, 1, "second", "#0072B2")}


def test_boxes_arrows_and_pictures_are_where_they_were_put():
    fig = viz.diagram(BOXES, [("one", "two")], {"two": torch.zeros(3, 4, 8)})
    (ax,) = fig.axes
    said = {text.get_text(): (text.get_position(), text.get_color()) for text in ax.texts}
    assert said["first"] == ((0, 0), viz.INK)
    assert said["second"] == ((2, 1), "#0072B2")
    (arrow,) = (text for text in ax.texts if text.get_text() == "")
    assert (arrow.xyann, arrow.xy) == ((0, 0), (2, 1))
    (image,) = ax.images
    left, right, low, high = image.get_extent()
    assert (left + right) / 2 == pytest.approx(2)
    assert right - left == pytest.approx(SIDE)
    assert high - low == pytest.approx(SIDE / 2), "a picture keeps its shape"
    assert low > 1, "above its box's middle"
    plt.close(fig)


@pytest.mark.parametrize(
    "wrong", [{"arrows": [("one", "three")]}, {"pictures": {"three": torch.zeros(3, 4, 4)}}]
)
def test_who_names_no_box_is_told_which_there_are(wrong):
    with pytest.raises(CompanionError, match="no box “three”; name one of one, two"):
        viz.diagram(BOXES, **{"arrows": [], **wrong})
