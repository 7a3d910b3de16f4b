"""Guards what the site weighs, that every picture it names is there, and that GitHub Pages can host it as it is."""

import base64
import io
import json
import re
import sys
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from house import ROOT, built_site, pages

pytest.importorskip("sphinx")  # the book's tools are not part of every environment

import numpy as np
from PIL import Image, ImageChops, ImageDraw
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

sys.path.insert(0, str(ROOT / "book/_ext"))
import gv_weight


def stored(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def carried(size: tuple[int, int], kind: str = "png") -> str:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).save(buffer, kind)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def test_a_large_picture_gets_a_file_and_keeps_its_shape(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    page = f'<p><img src="{carried((200, 100))}" alt="a > b" width="50">'
    made = gv_weight.pictures_apart(page.replace("a > b", "a, b"), tmp_path, folder)
    name = re.fullmatch(
        r'<p><img loading="lazy" height="25" src="\.\./_images/(\w{16}\.webp)" alt="a, b" width="50">', made
    )
    assert name, made
    assert Image.open(tmp_path / "_images" / name[1]).size == (200, 100)


def test_a_small_picture_stays_and_one_shown_twice_is_kept_once(tmp_path):
    small = f'<img src="{carried((4, 4))}" alt="dot">'
    assert gv_weight.pictures_apart(small, tmp_path, tmp_path) == small
    large = carried((90, 90), "webp")
    page = f'<picture><source srcset="{large}" media="print"><img src="{large}" alt="noise"></picture>'
    made = gv_weight.pictures_apart(page, tmp_path, tmp_path)
    assert "data:" not in made
    assert len(list((tmp_path / "_images").iterdir())) == 1
    assert 'srcset="_images/' in made
    assert "<source loading" not in made


def test_a_drawing_is_kept_to_the_pixel_and_a_photograph_nearly():
    drawing = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    ImageDraw.Draw(drawing).line((5, 5, 290, 180), fill=(200, 30, 90, 255), width=3)
    made, kind = gv_weight.lighter(stored(drawing), "png")
    assert kind == "webp"
    assert ImageChops.difference(drawing, Image.open(io.BytesIO(made)).convert("RGBA")).getbbox() is None
    photograph = Image.fromarray(data.astronaut())
    made, kind = gv_weight.lighter(stored(photograph), "png")
    assert kind == "webp"
    assert len(made) < len(stored(photograph)) / 4
    back = Image.open(io.BytesIO(made)).convert("RGB")
    assert peak_signal_noise_ratio(np.array(photograph), np.array(back)) > 35


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ('<script src="a.js?v=1"></script>', '<script defer src="a.js?v=1"></script>'),
        ('<script data-x="1" src="a.js"></script>', '<script defer data-x="1" src="a.js"></script>'),
        ('<script src="documentation_options.js"></script>', None),
        ('<script defer src="a.js"></script>', None),
        ('<script type="module" src="a.js"></script>', None),
        ("<script>let a = 1;</script>", None),
    ],
)
def test_a_script_of_its_own_file_waits_until_the_page_is_read(given, made):
    assert gv_weight.STOPPING.sub("<script defer", given) == (made or given)


def test_only_pngs_are_made_anew():
    assert gv_weight.lighter(b"anything", "jpeg") == (b"anything", "jpeg")


def test_pictures_that_sphinx_copied_are_replaced_under_new_names(tmp_path):
    (tmp_path / "a.png").write_bytes(stored(Image.new("RGB", (90, 90), "teal")))
    (tmp_path / "b.svg").write_text("<svg/>")
    assert gv_weight.pictures_lighter(tmp_path) == {"_images/a.png": "_images/a.webp"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.webp", "b.svg"]
    assert gv_weight.NAMED.findall('<img src="../_images/a.png" alt=""><a href="_images/b.png?x">') == [
        "_images/a.png",
        "_images/b.png",
    ]


def test_a_notebook_to_take_away_has_cells_and_no_outputs():
    cells = [
        {"cell_type": "markdown", "source": "# é"},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"x": 1}], "execution_count": 3},
    ]
    kept = json.loads(gv_weight.without_outputs(json.dumps({"cells": cells, "nbformat": 4})))
    assert kept["cells"][0] == cells[0]
    assert kept["cells"][1] == {**cells[1], "outputs": [], "execution_count": None}


@pytest.mark.full
def test_every_page_is_light_and_every_file_that_it_names_is_there():
    site = built_site()
    named = re.compile(r'\b(?:src|srcset|data-src)="([^"]+)"')
    for page in pages():
        text = (site / page).read_text(encoding="utf-8")
        assert len(text) < 600_000, f"{page} weighs {len(text) / 1e3:.0f} kB"
        wanted = (unquote(urldefrag(name)[0].split("?")[0]) for name in named.findall(text))
        missing = [
            name
            for name in wanted
            if name
            and "data:" not in name
            and "://" not in name
            and not (site / page.parent / name).is_file()
        ]
        assert missing == [], page


@pytest.mark.full
def test_github_pages_can_host_the_folder_and_the_workflow_builds_it():
    site = built_site()
    assert (site / ".nojekyll").is_file(), "without it GitHub Pages leaves out _static and _images"
    workflow = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["build"]["steps"]
    commands = [step.get("run", "") for step in steps]
    (fetching,) = (command for command in commands if "assets fetch" in command)
    worker = (ROOT / "book/live/kit/landmarks-worker.js").read_text(encoding="utf-8")
    needed = re.findall(r'asset: "([\w-]+)"', worker)
    assert len(needed) == 3
    assert set(needed) <= set(fetching.split()), (
        "the demos of faces, hands and bodies would lack their models"
    )
    assert commands.index(fetching) < commands.index("make book")
    (uploaded,) = (step["with"]["path"] for step in steps if "upload-pages-artifact" in step.get("uses", ""))
    assert (ROOT / uploaded).resolve() == site.resolve()
