"""Guards `companion doctor`: it sees real trouble, and says what to do about it."""

from collections import namedtuple

import pytest

from companion import doctor
from companion.cli import main

Usage = namedtuple("Usage", "total used free")


def test_this_machine_is_ready(capsys):
    assert main(["doctor"]) == 0
    assert "Everything is ready." in capsys.readouterr().out


def test_a_full_disk_is_named_and_the_code_is_2(monkeypatch, capsys):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: Usage(1e12, 1e12, 1e8))
    assert main(["doctor"]) == 2
    output = capsys.readouterr()
    assert "✗ 0.1 GB free" in output.out
    assert "1 thing to mend" in output.err


def test_a_torchvision_that_does_not_fit_is_named(monkeypatch):
    import builtins

    real_import = builtins.__import__

    def failing(name, *rest, **more):
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return real_import(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", failing)
    finding = doctor._torch()
    assert not finding.good
    assert "nms" in finding.line
    assert "install both together" in finding.line


def test_a_cache_that_is_not_there_and_cannot_be_made_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.os, "access", lambda place, mode: False)
    assert not doctor._cache().good


@pytest.mark.parametrize("units", [None, "AMX"])
def test_advice_on_bfloat16_follows_the_processor(monkeypatch, units):
    monkeypatch.setattr(doctor, "bfloat16_units", lambda: units)
    assert ("leave" in doctor._precision().line) == (units is None)
