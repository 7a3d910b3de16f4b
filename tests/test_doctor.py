"""Guards `companion doctor`: it sees real trouble, and says what to do about it."""

import sys
from collections import namedtuple

import pytest
import torch

from companion import doctor
from companion.cli import main
from companion.errors import CompanionError

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


def test_a_graphics_card_is_asked_and_not_the_processor(monkeypatch):
    monkeypatch.setattr(doctor, "pick_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(doctor, "bfloat16_units", lambda: "AMX")
    for can, advice in ((True, "trains faster"), (False, "leave --bfloat16 off")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, can=can: can)
        assert advice in doctor._precision().line


def test_a_module_that_cannot_be_read_is_named(monkeypatch):
    """As a NamedTuple that is Generic was, under Python 3.10: chapters 1 to 4 failed, and all was said to be well."""
    real = doctor.import_module

    def failing(name):
        if name == "companion.museum.ch04":
            raise TypeError("Multiple inheritance with NamedTuple is not supported")
        return real(name)

    monkeypatch.setattr(doctor, "import_module", failing)
    finding = doctor._package()
    assert finding.to_mend
    assert "companion.museum.ch04 cannot be imported (Multiple inheritance" in finding.line


@pytest.mark.parametrize("check", [doctor._mediapipe, doctor._sound], ids=["mediapipe", "sound"])
def test_what_only_chapter_8_needs_is_said_and_is_no_trouble(monkeypatch, check):
    from companion.vision import models, volume

    def missing(*_):
        raise CompanionError("It is not there; install it.")

    monkeypatch.setattr(models, "mediapipe", missing)
    monkeypatch.setattr(volume, "system_volume", missing)
    finding = check()
    assert not finding.good
    assert not finding.to_mend
    assert str(finding).startswith("– ")
    assert str(finding).endswith("It is not there; install it")


def test_missing_anywidget_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "companion.vision.browser", raising=False)
    finding = doctor._browser()
    assert "pip install anywidget" in finding.line
    assert not finding.to_mend
