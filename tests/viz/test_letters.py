"""Guards the letters of plots and sheets: the site's, and others silently where they are missing or lack a sign."""

import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager

from companion import viz
from companion.viz import letters


@pytest.fixture(autouse=True)
def forget():
    letters.families.cache_clear()
    yield
    letters.families.cache_clear()


def test_plots_are_lettered_in_the_book_s_sans_and_every_sign_is_found(recwarn):
    with viz.style():
        assert plt.rcParams["font.family"] == ["Companion Sans", "DejaVu Sans"]
        fig, ax = plt.subplots()
        ax.set(title="σ² ≤ ½ → 3 × 10 − 1 ± ∂", xlabel="Fréchet")
        viz.picture(fig)
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("content", [None, b"no typeface"])
def test_without_the_file_matplotlib_s_own_letters_are_used(monkeypatch, tmp_path, content):
    monkeypatch.setattr(letters, "FILE", tmp_path / "away.ttf")
    if content:
        letters.FILE.write_bytes(content)
    assert letters.families() == ("DejaVu Sans",)
    assert letters.letters("a", 15).getname()[0] == "DejaVu Sans"


def test_letters_for_pillow_have_every_sign_of_the_text():
    assert letters.letters("back,\nβ = 0.5", 15).getname()[0] == "Companion Sans"
    assert letters.letters("a ∂ b", 15).getname()[0] == "DejaVu Sans"
    assert font_manager.findfont("Companion Sans").endswith("companion-sans.ttf")


def test_the_licence_stands_beside_the_file():
    text = (letters.FILE.parent / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert "Adobe" in text
