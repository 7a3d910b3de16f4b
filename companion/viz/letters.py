"""The letters of plots and of sheets of pictures: the site's sans serif, and matplotlib's own where it has none."""

from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

FILE = Path(__file__).parent / "typeface/companion-sans.ttf"
EVERYWHERE = "DejaVu Sans"  # comes with matplotlib, and knows nearly every sign


@cache
def families() -> tuple[str, ...]:
    """What matplotlib is to look for a letter in, first to last; a file that cannot be read is left out."""
    try:
        font_manager.fontManager.addfont(FILE)
        return FT2Font(str(FILE)).family_name, EVERYWHERE
    except (OSError, RuntimeError):  # the first if it is not there, the second if it is no typeface
        return (EVERYWHERE,)


def letters(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Letters for Pillow, so many pixels high, that have every sign of the text where there are such."""
    for family in families():
        path = font_manager.findfont(family)
        if {*map(ord, text)} - {10} <= FT2Font(path).get_charmap().keys():
            break
    return ImageFont.truetype(path, size)
