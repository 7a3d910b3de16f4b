"""Guards how files are written: whole or not at all, one sentence when the disk refuses; and names of any bytes."""

import ast
import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import companion
from companion import files
from companion.errors import CompanionError
from companion.files import (
    remove_unfinished,
    replacing,
    shown,
    unwritable,
    write_bytes,
    write_json,
    write_text,
)

PACKAGE = Path(companion.__file__).parent


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_with_its_folder_and_nothing_beside_it(tmp_path):
    write_bytes(tmp_path / "a/b/new", b"content")
    assert (tmp_path / "a/b/new").read_bytes() == b"content"
    assert names_in(tmp_path / "a/b") == ["new"]


def test_text_is_the_same_bytes_everywhere_and_json_can_be_read_by_people(tmp_path):
    write_text(tmp_path / "text", "one\r\ntwo\n")
    assert (tmp_path / "text").read_bytes() == b"one\r\ntwo\n"
    write_json(tmp_path / "json", {"name": "Käthe", "values": [1]})
    assert (tmp_path / "json").read_bytes().decode() == ('{"name": "Käthe", "values": [1]}\n')


class Stop(BaseException):
    """Whatever may break a block off."""


@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt(), CompanionError("no"), ValueError("no")])
def test_until_the_block_ends_the_old_file_stays_and_what_breaks_it_off_leaves_nothing(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        raise error
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_full_disk_at_any_step_is_one_sentence_with_the_callers_way_on(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*arguments, **options):
        raise full

    if step == "open":
        monkeypatch.setattr("builtins.open", refuse)
    elif step != "write":
        monkeypatch.setattr(files.os, step, refuse)
    with (
        pytest.raises(CompanionError) as error,
        replacing(path, then="start the film again") as file,
    ):
        file.write(b"new")
        if step == "write":
            raise full
    monkeypatch.undo()
    assert str(error.value) == (
        f"Could not write {path} (No space left on device); "
        "free some space or choose another folder, then start the film again."
    )
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_nothing_but_a_run_is_told_to_resume(tmp_path):
    assert "--resume" not in str(unwritable(tmp_path, OSError(errno.ENOSPC, "No space left on device")))


def test_a_place_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CompanionError, match="Could not write .*below"):
        write_bytes(tmp_path / "file/below", b"")


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    """One process writes while another replaces the file twice; each reader finds one whole version."""
    path = tmp_path / "file"
    with replacing(path) as file:
        file.write(b"mine")
        code = f"from companion.files import *; write_bytes(Path({str(path)!r}), b'theirs' * 1000)"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert path.read_bytes() == b"theirs" * 1000
    assert path.read_bytes() == b"mine"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_what_a_kill_leaves_is_hidden_and_can_be_cleared_away(tmp_path):
    if (child := os.fork()) == 0:
        with replacing(tmp_path / "run/file") as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    (left,) = names_in(tmp_path / "run")
    assert left.startswith(".file.")
    (tmp_path / "run/mine.part").touch()
    remove_unfinished(tmp_path)
    assert names_in(tmp_path / "run") == ["mine.part"]


@pytest.mark.parametrize("letter", ["a", "é", "顔"])
def test_the_longest_name_a_disk_takes_can_be_written(tmp_path, letter):
    name = letter * (255 // len(letter.encode()))
    write_bytes(tmp_path / name, b"x")
    assert names_in(tmp_path) == [name]


@pytest.mark.slow
def test_nothing_else_in_the_package_puts_files_in_the_place_of_others():
    """One way to write: `os.replace`, `os.rename` and their like occur in `files.py` alone."""
    renaming = {"os.replace", "os.rename", "os.renames", "shutil.move"}
    for path in PACKAGE.rglob("*.py"):
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        found = renaming & {ast.unparse(call.func) for call in calls}
        assert not found or path.name == "files.py", f"{path} calls {found}; use companion.files"


# ---- names ----


def test_a_name_of_any_bytes_can_be_printed_and_stored():
    assert shown(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"
    assert shown("line\nfeed\x1b[31m") == "line\\nfeed\\x1b[31m"
    assert shown(Path("a/Käthe, 顔 👩‍🚀.png".replace("\u200d", ""))) == "a/Käthe, 顔 👩🚀.png"
    assert shown("half \ud83d") == "half \\ud83d"


def test_a_name_read_under_another_locale_appears_as_it_was_meant():
    """Under a POSIX locale the system hands over the bytes of “é” one by one."""
    assert shown("é".encode().decode("ascii", "surrogateescape")) == "é"


@given(st.binary(min_size=1, max_size=30))
def test_every_name_is_one_printable_line_of_utf8(raw):
    name = shown(raw.decode("utf-8", "surrogateescape"))
    assert name.isprintable()
    assert name.encode().decode() == name
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        return
    assert name == plain or not plain.isprintable()


def test_such_a_name_survives_json(tmp_path):
    """A run that was started on such a folder must find it again."""
    name = os.fsdecode(b"holidays/caf\xe9")
    write_json(tmp_path / "run.json", {"data": name})
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["data"] == name


def test_two_files_of_one_process_whose_long_names_begin_alike_are_both_whole(tmp_path):
    """A film and the findings beside it are written at one time; their parts once shared a name."""
    name = "garden-party-of-the-whole-family-summer-2024-everyone-dancing"
    with (
        files.replacing(tmp_path / f"{name}.mp4") as film,
        files.replacing(tmp_path / f"{name}.jsonl") as lines,
    ):
        film.write(b"film")
        lines.write(b"lines")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{name}.mp4": b"film",
        f"{name}.jsonl": b"lines",
    }


@pytest.mark.parametrize("where", ["writing", "renaming", "taken meanwhile"])
def test_files_that_belong_together_appear_all_or_not_at_all(tmp_path, monkeypatch, where):
    places = [tmp_path / name for name in ("a-1", "a-2", "a-3")]
    put, done = files.put_in_place, []

    def interrupted(ready, place):
        put(ready, place)
        done.append(place)
        if len(done) == 2:
            raise KeyboardInterrupt

    if where == "renaming":
        monkeypatch.setattr(files, "put_in_place", interrupted)
    with pytest.raises((KeyboardInterrupt, CompanionError)), files.together(places) as parts:
        for part in parts:
            part.write_bytes(b"whole")
        if where == "writing":
            raise KeyboardInterrupt
        if where == "taken meanwhile":
            places[1].write_bytes(b"another's")
    assert [place for place in tmp_path.iterdir()] == ([places[1]] if where == "taken meanwhile" else [])
    assert where != "taken meanwhile" or places[1].read_bytes() == b"another's"


def test_files_that_are_whole_stand_at_their_places(tmp_path):
    places = [tmp_path / "a-1", tmp_path / "a-2"]
    with files.together(places) as parts:
        for part in parts:
            part.write_text(part.name)
        assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    assert [place.read_text() for place in sorted(tmp_path.iterdir())] == ["a-1", "a-2"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=60,
    )
)
def test_json_laid_out_for_people_reads_back_the_same(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.json"
        write_json(path, content)
        assert json.loads(path.read_text(encoding="utf-8")) == content


def test_json_puts_on_one_line_what_fits_there(tmp_path):
    short, long = {"name": "a", "interval": [1, 2]}, {"protocol": "p" * 500, "value": 1}
    write_json(tmp_path / "some.json", {"metrics": [short, long], 3: None, "nothing": []})
    lines = (tmp_path / "some.json").read_text().splitlines()
    assert lines[:4] == ["{", ' "metrics": [', '  {"name": "a", "interval": [1, 2]},', "  {"]
    assert lines[-3:] == [' "3": null,', ' "nothing": []', "}"]
