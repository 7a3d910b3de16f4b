"""Guards the colours that keep their meaning, and that asking for them waits for nothing."""

import subprocess
import sys

import numpy as np
import pytest

from companion import viz


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


@pytest.mark.slow
def test_nothing_is_imported_before_it_is_needed():
    """Neither the package, nor the palette, nor a grid waits for matplotlib or IPython."""
    code = (
        "import sys; from companion import viz; viz.COLOURS; print('torch' in sys.modules); viz.image_grid; "
        "print(sorted({'matplotlib', 'IPython'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split("\n")[:2] == ["False", "[]"]


def test_every_public_name_is_found_and_no_other():
    assert all(getattr(viz, name) is not None for name in dir(viz))
    with pytest.raises(AttributeError, match="no attribute 'picturesque'"):
        viz.picturesque  # noqa: B018
