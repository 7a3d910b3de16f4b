"""Guards training in several processes: the same losses as one process with the joined batch, and clear ends."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from house import PATIENCE, until
from torch import nn

from companion.cli import main
from companion.errors import CompanionError
from companion.training.processes import Processes

RUN = ["-m", "companion", "train"]
TINY = {
    # batch normalisation in both networks; a batch that does not come out even
    "dcgan": ["dcgan", "--data", "digits", "--budget", "smoke", "--batch", "7", "--width", "4"],
    # a penalty's ε, uniform latents, normalisation in the generator
    "wgan-gp": ["wgan-gp", "--data", "digits", "--size", "32", "--budget", "smoke", "--batch", "5"],
}


def environment() -> dict[str, str]:
    """Two processes share two cores: a thread each."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def launched(arguments: list[str], launcher: str = "torchrun") -> list[str]:
    port = str(29500 + os.getpid() % 2000)
    if launcher == "accelerate":
        given = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
        given += ["--dynamo_backend", "no", "--main_process_port", port]
        return [sys.executable, "-m", "accelerate.commands.launch", *given, *arguments]
    given = ["--nproc-per-node", "2", "--master-port", port]
    return [sys.executable, "-m", "torch.distributed.run", *given, *arguments]


def losses(folder: Path) -> list[list[float]]:
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as rows:
        return [[float(value) for value in row] for row in list(csv.reader(rows))[1:]]


@pytest.mark.parametrize(
    ("model", "launcher"),
    [pytest.param("dcgan", "torchrun", marks=pytest.mark.every), ("wgan-gp", "accelerate")],
)
@pytest.mark.full
def test_two_processes_have_the_losses_of_one_with_the_joined_batch(tmp_path, model, launcher):
    """Within 1e-5 while rounding has not yet been blown up by training: over the first steps.

    Slow for its three processes (the launcher is one), which import torch; the one with the joined batch is this one.
    """
    options = [*RUN, *TINY[model], "--steps", "3", "--device", "cpu", "--out"]
    assert main([*options[2:], str(tmp_path / "one")]) == 0
    both = subprocess.run(
        launched([*options, str(tmp_path / "two")], launcher),
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert both.returncode == 0, both.stderr
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 3
    for ours, theirs in zip(one, two, strict=True):
        assert theirs == pytest.approx(ours, rel=1e-5, abs=1e-5)
    assert both.stdout.count("3 steps are done") == 1  # the main process alone speaks


@pytest.mark.full
@pytest.mark.every
def test_a_killed_worker_ends_the_run_and_resume_completes_it(tmp_path):
    """Slow for twice three processes that import torch; 200 steps, so that the kill falls among them."""
    steps = ["--steps", "200", "--device", "cpu", "--out", str(tmp_path / "run")]
    options = [*RUN, *TINY["dcgan"], *steps]
    running = subprocess.Popen(
        launched(options), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until((tmp_path / "run/samples/000010.png").is_file, running)
    worker = next(pid for pid in children(running.pid) if environ(pid).get("RANK") == "1")
    os.kill(worker, signal.SIGKILL)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode != 0
    assert "Another process of this run has ended" in said or "Signal 9" in said
    again = subprocess.run(
        launched([*options, "--resume"]), env=environment(), capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert len(losses(tmp_path / "run")) == 200


def children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(path.name))
    return found


def environ(pid: int) -> dict[str, str]:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    return dict(pair.decode(errors="replace").split("=", 1) for pair in pairs if b"=" in pair)


# ---- in one process ----


def test_slices_cover_the_joined_batch_and_differ_by_one_at_most():
    batch = torch.arange(7)
    parts = [Processes(rank, 3).part(batch) for rank in range(3)]
    assert torch.equal(torch.cat(parts), batch)
    assert [len(part) for part in parts] == [3, 2, 2]


def test_a_batch_smaller_than_the_number_of_processes_is_refused():
    with pytest.raises(CompanionError, match="batch of 2 cannot be shared out among 3"):
        Processes(0, 3).part(torch.arange(2))


def test_what_is_drawn_jointly_is_a_slice_of_what_one_process_draws():
    torch.manual_seed(0)
    whole = torch.rand(5, 1, 1)
    drawn = []
    for rank in range(2):
        torch.manual_seed(0)
        processes = Processes(rank, 2)
        with processes.drawing_jointly(5):
            drawn.append(torch.rand(3 - rank, 1, 1))
    assert torch.equal(torch.cat(drawn), whole)


def test_a_network_alone_is_left_as_it_is():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    assert type(Processes().normalising_jointly(network)[1]) is nn.BatchNorm2d
    assert isinstance(Processes(0, 2).normalising_jointly(network)[1], nn.BatchNorm2d)
