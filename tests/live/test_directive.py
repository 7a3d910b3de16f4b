"""Guards the directive `live` and the policy on every page, as the book is built."""

import re
import subprocess
import sys
from html import unescape

import pytest

pytest.importorskip("docutils")  # the book's tools are not part of every environment

from house import ROOT, SITE, built_site, pages

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


# ---- the whole book -------------------------------------------------------------------------------------------------

FIRST = re.compile(rf'<head>\s*{re.escape(gv_live.MARK)} content="([^"]*)">')
OF_THE_SITE = re.compile(r"'[^']+'|data:|blob:")  # 'self', 'none' and hashes; no host has quotes
ALONE = ("base-uri", "form-action")  # what default-src says nothing about
DEMOS = sorted(path.stem for path in (ROOT / "book/live/demos").glob("*.js"))
WHERE = {"living-faces": "book/index.html"}  # the others are on the gallery


def policies() -> dict[str, dict[str, list[str]]]:
    """What each page's policy allows, by directive; nothing of a page whose head begins with something else."""
    built_site()
    found = {}
    for page in pages():
        first = FIRST.search((SITE / page).read_text(encoding="utf-8"))
        rules = unescape(first[1]).split(";") if first else []
        found[str(page)] = {name: sources for name, *sources in map(str.split, rules)}
    return found


@pytest.mark.full
def test_the_head_of_every_page_begins_with_a_policy_that_allows_no_other_place():
    found = policies()
    assert len(found) > 12
    assert [page for page, rules in found.items() if rules.get("default-src") != ["'self'"]] == []
    assert [page for page, rules in found.items() if not set(ALONE) <= set(rules)] == []
    outside = [
        (page, name, source)
        for page, rules in found.items()
        for name, sources in rules.items()
        for source in sources or ["nothing, which is no rule"]
        if not OF_THE_SITE.fullmatch(source)
    ]
    assert outside == []


@pytest.mark.parametrize("demo", DEMOS)
def test_every_demo_has_a_still(demo):
    assert (gv_live.STILLS / f"{demo}.png").is_file()


@pytest.mark.full
@pytest.mark.parametrize("demo", DEMOS)
def test_every_demo_is_on_the_gallery_or_the_cover(demo):
    """The laboratory, which has a page of its own, may be a link."""
    page = (built_site() / WHERE.get(demo, "book/live.html")).read_text(encoding="utf-8")
    article = page.split("<article")[1].split("</article>")[0]  # without the contents beside it
    accepted = [f'data-live="{demo}"', *(['href="laboratory.html'] if demo == "gan-lab" else [])]
    assert any(sign in article for sign in accepted), accepted
