"""Guards that modules are found by folder: lists are whole, names are unique, and nothing is imported unasked."""

import subprocess
import sys

import pytest

from companion import exercises, found, museum
from companion.commands import Command, Group
from companion.errors import CompanionError
from companion.reproduce import RECIPES


def test_every_chapter_brings_its_commands_recipes_exhibits_and_checks():
    declared = found.gathered("companion.commands", "COMMANDS")
    assert {"train dcgan", "train deblur", "train wgan", "train wgan-gp", "restore", "vision blur"} <= set(
        declared
    )
    assert all(isinstance(one, Command | Group) for one in declared.values())
    assert {"dcgan-mnist", "deblur-gan", "stickers", "faces-mediapipe", "pinch-to-volume"} <= set(RECIPES)
    assert {"UndetachedFakes", "InOrder", "with_sigmoid", "SquareRootPenalty", "found_in_bgr"} <= set(
        museum.__all__
    )
    assert dir(museum) == museum.__all__ == sorted(museum.__all__)
    assert {"ch01", "ch02", "ch03", "ch04", "ch08"} <= set(dir(exercises))
    assert exercises.ch03.__name__ == "companion.exercises.ch03"


@pytest.mark.parametrize("package", [exercises, museum], ids=lambda package: package.__name__)
def test_what_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


def test_two_of_one_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "twice").mkdir()
    (tmp_path / "twice" / "__init__.py").touch()
    (tmp_path / "twice" / "ch01.py").write_text("THINGS = {'a': 1, 'b': 2}")
    (tmp_path / "twice" / "ch02.py").write_text("THINGS = {'c': 3}")
    (tmp_path / "twice" / "helpers.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert found.names("twice") == ["ch01", "ch02", "helpers"]
    assert found.gathered("twice", "THINGS") == {"a": 1, "b": 2, "c": 3}
    (tmp_path / "twice" / "ch03.py").write_text("THINGS = {'b': 4}")
    with pytest.raises(
        CompanionError, match=r"The name b stands in THINGS of twice\.ch03 and of another module"
    ):
        found.gathered("twice", "THINGS")


@pytest.mark.slow
def test_a_chapters_exhibits_bring_no_other_chapters():
    code = (
        "import sys, companion.museum.ch03, companion.exercises.runner; "
        "chapters = ('companion.museum.ch', 'companion.exercises.ch'); "
        "print(sorted(name for name in sys.modules if name.startswith(chapters)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['companion.museum.ch03']"
