"""Guards “adding a chapter touches no old file”: the contributor's page is followed to the letter, in a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT

pytestmark = pytest.mark.full  # a copy of the package is imported, and trained in

PAGE = (ROOT / "book/contributing.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```\{code-block\} \w+\n:caption: ([^\n]+)\n\n?(.*?)```", re.S)


def recipe(label: str) -> dict[str, str]:
    """The files that one section of the page writes: text by path, where “, at the end” adds to an old one."""
    section = PAGE.split(f"(contributing-{label})=")[1].split("\n(contributing-")[0]
    return dict(BLOCK.findall(section))


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the package alone."""
    shutil.copytree(ROOT / "companion", tmp_path / "companion", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def follow(copy: Path, files: dict[str, str]) -> None:
    """Write what the page says below `companion/`; all else is about other folders."""
    for name, text in files.items():
        path, _, how = name.partition(", ")
        if not path.startswith("companion/"):
            continue
        assert (copy / path).exists() == (how == "at the end"), name
        with (copy / path).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}" if how else text)


def python(copy: Path, code: str, *arguments: str) -> str:
    """What a Python that has the copy for its package prints."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


CHAPTER = """
import sys
from pathlib import Path
import companion
from companion.cli import main
work = Path(sys.argv[1])
assert Path(companion.__file__).parent == work / "companion"

def shows(*command):
    try:
        main([*command, "--help"])
    except SystemExit as done:
        assert done.code == 0

shows()
shows("train")
assert "torch" not in sys.modules
shows("train", "smooth")
tiny = ["--budget", "smoke", "--size", "16", "--device", "cpu"]
assert main(["train", "smooth", *tiny, "--out", str(work / "run")]) == 0
assert main(["train", "smooth", "--steps", "0", "--out", str(work / "no")]) == 2
assert main(["reproduce"]) == 0
assert main(["reproduce", "smooth-digits", "--debug", "--out", str(work / "out"), "--work", str(work / "work")]) == 0

import torch
from torch.nn.functional import softplus
from companion import exercises, museum
from companion.objectives import NonSaturating
real, fake = torch.tensor([1.0, 2.0]), torch.tensor([0.5, -1.0])
right, wrong = NonSaturating(smoothing=0.1), museum.TwoSidedSmoothing(smoothing=0.1)
assert "TwoSidedSmoothing" in museum.__all__ and right.critic_loss(real, fake) != wrong.critic_loss(real, fake)
exercises.ch99.check_real_loss(lambda s, label: (label * softplus(-s) + (1 - label) * softplus(s)).mean())
try:
    exercises.ch99.check_real_loss(lambda s, label: softplus(-s).mean())
except exercises.runner.NotYet as told:
    print(told)
"""


def test_a_chapter_is_new_files_alone_and_all_of_it_is_found_listed_and_run(copy):
    """Command, model, recipe, exhibit and check of the page's chapter 99, without a word in any old file."""
    files = recipe("chapter")
    assert [name for name in files if name.partition(",")[1]] == ["_toc.yml, under “Chapters”"]
    folders = {Path(name).parent.name for name in files if name.endswith("ch99.py")}
    assert folders == {"commands", "reproduce", "museum", "exercises"}
    follow(copy, files)
    said = python(copy, CHAPTER, str(copy))
    assert "smooth    chapter 99: a DCGAN with smoothed labels" in said
    assert "--smoothing S" in said
    assert re.search(r"smooth-digits +chapter 99  A DCGAN on digits with smoothed labels", said)
    assert "3 steps are done" in said
    assert "You keep the label at 1" in said
    assert (copy / "run/generator.safetensors").is_file()
    assert (copy / "out/smooth-digits.json").is_file()


OBJECTIVE = """
import math, pytest, torch
from companion.commands.training import by_name
from companion.objectives import NonSaturating, TotalVariation
from companion.training.gan import GANSettings
settings = GANSettings(objective=TotalVariation())
assert GANSettings.from_json(settings.as_json()) == settings
print(list(by_name(NonSaturating, TotalVariation)))
"""
EXERCISE = """
from companion.exercises import ch04
from companion.exercises.runner import NotYet
ch04.check_steepest(lambda slopes: slopes.abs().max())
try:
    ch04.check_steepest(max)
except NotYet as told:
    print(told)
"""


def test_an_objective_and_an_exercise_are_added_as_the_page_says(copy):
    objective = recipe("objective")
    follow(copy, {**objective, **recipe("exercise")})
    code = f"{OBJECTIVE}\n{objective['tests/test_objectives.py, at the end']}\n"
    said = python(copy, f"{code}test_total_variation_of_scores_without_end_is_known()\n{EXERCISE}")
    assert "['non-saturating', 'total-variation']" in said
    assert "✓ The steepest slope" in said
    assert "a slope of −3 is steeper than one of 2" in said


MODEL_AND_DATA = """
import sys
from pathlib import Path
import torch
from companion.data import load
from companion.models.plain import Generator, PlainConfig
from companion.models.registry import models, signature_of
from companion.models.store import load_model, save_model
model = models()["plain.Generator"]
network = model.build(model.small)
(latents,) = signature_of(network).example(seed=0, batch=3)
save_model(Path(sys.argv[1]) / "plain.safetensors", network)
again = load_model(Path(sys.argv[1]) / "plain.safetensors")
assert torch.equal(again(latents), network.eval()(latents))
print("images", tuple(network(latents).shape))
train, test = load("stripes", size=24), load("stripes-test", size=24)
assert train.pixels.shape == (256, 1, 24, 24) and set(train.labels.tolist()) == set(range(8))
assert not torch.equal(train.pixels, test.pixels)
from companion.cli import main
main(["assets", "list"])
tiny = ["--budget", "smoke", "--steps", "1", "--device", "cpu"]
assert main(["train", "dcgan", *tiny, "--data", "stripes", "--out", str(Path(sys.argv[1]) / "run")]) == 0
"""


def test_a_model_and_a_data_set_are_one_new_file_each(copy):
    files = {**recipe("model"), **recipe("data")}
    assert list(files) == ["companion/models/plain.py", "companion/data/sets/stripes.py"]
    follow(copy, files)
    said = python(copy, MODEL_AND_DATA, str(copy))
    assert "images (3, 1, 16, 16)" in said
    assert re.search(r"stripes +needs no download +MIT +stripes at random angles", said)
    assert "1 steps are done" in said
