"""Guards the benchmark: it runs, every loop trains the same networks, and its record can be rendered."""

import json
from pathlib import Path

import pytest
import torch
from house import run

from benchmarks import __main__ as bench
from benchmarks import loops, peers, report
from benchmarks.timing import Protocol, Timing, images, measure
from companion.environment import environment
from companion.records import Measurement, Record, write_record


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The quick record of our own loops, once for all tests; slow, since its networks are the real ones."""
    folder = tmp_path_factory.mktemp("bench")
    bench.main(["--quick", "--ours-only", "--out", str(folder)])
    page = (folder / "throughput.md").read_text(encoding="utf-8")
    assert "| DCGAN | 4 | companion, float32 |" in page
    assert "| portraits | 64×64 | eager | 1 |" in page
    return json.loads((folder / "throughput.json").read_text(encoding="utf-8"))


@pytest.mark.full
def test_the_record_says_where_how_and_what(found):
    assert {
        "device_name",
        "cores",
        "threads",
        "versions",
        "date",
        "bfloat16_units",
        "protocol",
    } <= found.keys()
    assert found["protocol"]["networks"]["size"] == 64
    assert found["command"].startswith("python -m benchmarks --quick --ours-only --out ")
    loops_timed = [(one["game"], one["contender"]) for one in found["measurements"]]
    assert loops_timed == [
        (game, f"companion, {precision}")
        for game in ("WGAN-GP", "WGAN, clipped", "DCGAN")
        for precision in ("float32", "bfloat16")
    ]
    for one in found["measurements"]:
        assert one["failure"] is None
        assert len(one["images_per_second"]) == found["protocol"]["rounds"]
        assert one["quartiles"][0] <= one["median"] <= one["quartiles"][1] <= one["best"]


def test_the_command_of_a_record_is_the_one_given(monkeypatch):
    """Compiled rows can be made again only by a command that asks for them."""
    assert report.command("benchmarks", ["--compiled"]) == "python -m benchmarks --compiled"
    monkeypatch.setattr("sys.argv", ["benchmarks/__main__.py", "--out", "two words"])
    assert report.command("benchmarks", None) == "python -m benchmarks --out 'two words'"
    dry = run("make", "--dry-run", "--assume-old=.venv/.installed", "bench", "OPTIONS=--compiled").stdout
    assert dry.splitlines()[-1].endswith("-m benchmarks --compiled")


@pytest.mark.full
def test_all_loops_of_a_game_learn_equally_many_weights(found):
    for game in loops.GAMES:
        counts = [one["weights"] for one in found["measurements"] if one["game"] == game.name]
        assert counts == [loops.weights(*loops.networks(game))] * len(counts)


@pytest.mark.skipif(not (peers.FOLDER / "torchgan").is_dir(), reason="`make bench` has not fetched the peers")
@pytest.mark.parametrize("contender", [loops.torchgan(), loops.mimicry()], ids=lambda one: one.name)
@pytest.mark.parametrize("game", loops.GAMES, ids=lambda game: game.name)
@pytest.mark.full
def test_peers_train_the_same_networks(game, contender):
    assert peers.install() is None
    if not contender.plays(game):
        pytest.skip("the library has no such game")
    step, counts = contender.build(game, images(2))
    step()
    assert counts == loops.weights(*loops.networks(game))


def test_a_loop_that_fails_is_shown_not_hidden():
    def build(game: loops.Game, data: loops.Data) -> None:
        raise RuntimeError("not on this torch")

    broken = loops.Contender("old library", build)
    measured = measure(loops.GAMES[:1], [broken], Protocol(batches=(2,), rounds=1))
    assert measured[0].failure == "RuntimeError: not on this torch"
    rows = report.table(report.record(measured, Protocol(), [], "make bench"))
    assert rows[1][3:5] == ["failed", "RuntimeError: not on this torch"]


def test_the_best_peer_is_the_measure():
    measured = [
        Timing("WGAN-GP", 16, name, images_per_second=rates)
        for name, rates in {
            "a": [50.0, 100.0, 90.0],
            "b": [60.0, 60.0, 60.0],
            "companion": [180.0] * 3,
        }.items()
    ]
    ratios = [row[-1] for row in report.table(report.record(measured, Protocol(), [], "make bench"))[1:]]
    assert ratios == ["1.00", "0.67", "2.00"]


def test_the_cost_of_the_penalty_is_a_ratio_of_times():
    measured = [
        Timing(game.name, 16, "companion", {"generator": 1, "critic": 1}, [rate] * 3)
        for game, rate in ((loops.PENALISED, 50.0), (loops.CLIPPED, 125.0))
    ]
    page = report.markdown(report.record(measured, Protocol(), [], "make bench"))
    assert "as long as one with clipping: 2.50 (companion, batch 16)." in page


@pytest.mark.full
def test_quality_is_cited_from_a_recorded_run_only(tmp_path: Path, found):
    metrics = [
        Measurement(f"Fréchet distance: {name}", value, "digit classifier", 0.5)
        for name, value in (("float32", 3.25), ("bfloat16", 3.5))
    ]
    settings, machine = {"steps": 2000, "data": "mnist"}, environment(torch.device("cpu"))
    for budget, cited in (("debug", False), ("laptop", True)):
        command = "companion reproduce gan-precision"
        run = Record("gan-precision", "", 1, command, budget, (1,), 1.0, machine, settings, tuple(metrics))
        path = write_record(tmp_path, run, {})
        assert ("bfloat16 3.50 ± 0.50" in report.markdown(found, path)) is cited
    assert "Fréchet" not in report.markdown(found, tmp_path / "absent.json")
