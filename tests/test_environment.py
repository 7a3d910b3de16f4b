"""Guards the choice of a device, and the record of where a number was made."""

import json
import re
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError

import pytest
import torch

from companion import __version__, environment
from companion.environment import bfloat16_units, device_name, pick_device, processor, versions
from companion.errors import CompanionError


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many graphics cards, and an Apple chip or not."""

    def build(*, cards: int = 0, apple: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)

    return build


def test_auto_takes_the_best_device_there_is(machine):
    for hardware, best in [({}, "cpu"), ({"apple": True}, "mps"), ({"cards": 1, "apple": True}, "cuda")]:
        machine(**hardware)
        assert pick_device() == torch.device(best)
        assert pick_device("cpu") == torch.device("cpu")


def test_a_card_is_chosen_by_its_number(machine):
    machine(cards=2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(CompanionError, match="no cuda:2 that torch can use; choose one of: auto, cpu, cuda"):
        pick_device("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_the_machine_lacks_is_refused_with_those_it_has(machine, name):
    machine()
    with pytest.raises(CompanionError, match=f"no {name} .*: auto, cpu\\."):
        pick_device(name)


@pytest.mark.parametrize(
    "name", ["gpu", "", "cpu:", "cuda:x", "cuda:-1", "cuda:01", "cuda:²", "CPU", "cuda:0:0"]
)
def test_a_name_that_is_no_device_is_refused(machine, name):
    machine(cards=1)
    with pytest.raises(CompanionError, match="There is no device"):
        pick_device(name)


def test_the_record_says_where_with_what_and_when():
    record = environment.environment(torch.device("cpu"))
    assert record.device == "cpu"
    assert record.device_name == device_name(torch.device("cpu")) == processor() != ""
    assert record.threads == torch.get_num_threads()
    assert record.cores >= 1
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", record.date)
    assert record.versions["companion"] == __version__
    assert {"python", "torch", "torchvision", "numpy", "scikit-learn"} <= record.versions.keys()
    json.dumps(asdict(record))


def test_a_package_under_another_name_is_left_out_of_the_versions(monkeypatch):
    def lacks_torchvision(name: str) -> str:
        if name == "torchvision":
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr(environment, "version", lacks_torchvision)
    assert "torchvision" not in versions()
    assert versions()["torch"] == "1"


@pytest.mark.parametrize(
    ("flags", "units"),
    [("fpu amx_bf16 avx512_bf16", "AMX"), ("fpu avx512_bf16", "AVX-512"), ("fpu avx2", None)],
)
def test_bfloat16_units_are_read_from_the_processors_flags(monkeypatch, tmp_path, flags, units):
    (tmp_path / "cpuinfo").write_text(f"model name\t: Some CPU: fast\nflags\t: {flags}\n")
    monkeypatch.setattr(environment, "Path", lambda path: tmp_path / "cpuinfo")
    assert bfloat16_units() == units
    assert processor() == "Some CPU: fast"


def test_where_the_system_tells_nothing_there_is_still_a_name(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "Path", lambda path: tmp_path / "none")
    assert processor()
    assert bfloat16_units() is None
