"""Guards the directive `live` and the policy on every page, as the book is built."""

import re
import subprocess
import sys

import pytest

pytest.importorskip("docutils")  # the book's tools are not part of every environment

from house import ROOT

sys.path.insert(0, str(ROOT / "book/_ext"))
import gv_live

CONFIG = f"""
import sys
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
extensions = ["myst_parser", "gv_live"]
exclude_patterns = []
"""


def build(folder, text: str) -> tuple[int, str]:
    (folder / "conf.py").write_text(CONFIG)
    (folder / "index.md").write_text(f"# A page\n\n{text}\n", encoding="utf-8")
    stills = folder / "book/images/live"
    stills.parent.mkdir(parents=True, exist_ok=True)
    if not stills.exists():
        stills.symlink_to(gv_live.STILLS, target_is_directory=True)
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-qW",
        "--keep-going",
        "-b",
        "html",
        str(folder),
        str(folder / "out"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


@pytest.mark.full
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "```{live} digit-wlak\n:alt: digits\n```",
            "There is no demo digit-wlak in book/live/demos; there are: ",
        ),
        ("```{live} digit-walk\nA caption.\n```", "The demo digit-walk needs an :alt:"),
    ],
)
def test_a_demo_that_is_not_there_or_not_described_is_an_error(tmp_path, text, said):
    code, errors = build(tmp_path, text)
    assert code != 0
    assert said in errors


@pytest.mark.full
def test_a_figure_has_what_the_script_looks_for(tmp_path):
    text = "```{live} digit-walk\n:alt: seven by seven digits\n:with: size=3&calm=yes\n\nDrag *it*.\n```"
    code, errors = build(tmp_path, text)
    assert code == 0, errors
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert 'class="gv-live" data-live="digit-walk" data-with="size=3&amp;calm=yes"' in page
    assert re.search(r"<figcaption>.*Drag <em>it</em>\..*</figcaption>\s*</figure>", page, re.DOTALL)
    assert 'alt="seven by seven digits"' in page
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert 'type="module"' in page
    served = tmp_path / "out/_static/live"
    assert not {"tests", "prepare"} & {path.name for path in served.iterdir()}
    assert (served / "kit/start.js").is_file()


@pytest.mark.full
def test_a_page_without_a_demo_loads_no_kit_and_has_a_policy(tmp_path):
    assert build(tmp_path, "Words.")[0] == 0
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "live/kit" not in page
    assert "default-src 'self'" in page


def test_a_policy_knows_scripts_of_the_page_by_their_hashes_and_data_is_none():
    """The hash of an empty script and of alert('hi'), as browsers compute it."""
    page = (
        '<script></script><script type="text/x-config">{a: 1}</script><script src="a.js"></script>'
        '<p onclick="alert(&#39;hi&#39;)">'
    )
    policy = gv_live.policy_for(page)
    assert policy.count("sha256-") == 2
    assert "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='" in policy
    assert "'unsafe-hashes'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "unsafe" not in gv_live.policy_for("<p>").split("script-src")[1].split(";")[0].replace(
        "wasm-unsafe", ""
    )
