"""Guards the protocol: anything that learns goes through run folders, resumption and reports, whatever it is."""

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from companion.errors import CompanionError
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.store import load_model
from companion.randomness import drawing
from companion.training.player import Player, Workshop, learn
from companion.training.runs import Run
from companion.training.trainer import Trainer

SETTINGS = {"device": "cpu", "steps": 4, "seed": 1}


class Noise:
    """Endless batches `(4, 1, 32, 32)` by index."""

    def __getitem__(self, index: int) -> Tensor:
        return torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(index)) * 2 - 1


class Translator(Trainer[Tensor]):
    """As unlike a GAN as can be: three players, two of them sharing a loss, a weight that grows, a product of two."""

    def __init__(self, product: nn.Module | None = None) -> None:
        workshop = Workshop()
        with drawing(1, "weights"):
            there, back = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)
            classifier = DigitClassifier(DigitClassifierConfig(width=2))
        optimising = partial(SGD, lr=0.1, momentum=0.9)
        players = {
            "there": Player(there, optimising, workshop),
            "back": Player(back, optimising, workshop, ema_decay=0.5),
            "classifier": Player(classifier, optimising, workshop),
        }
        super().__init__(players, workshop, seed=1)
        self.product = product or classifier

    def one_step(self, batches) -> Mapping[str, Tensor]:
        images = self.take(batches[self.step])
        there, back, classifier = self.players.values()
        cycle = (back(there(images)) - images).square().mean()
        weight = min(1.0, self.step / 2)  # annealed
        with self.drawing("labels"):
            labels = torch.randint(10, (len(images),))
        self.learn(weight * cycle, there, back)
        named = nn.functional.cross_entropy(classifier(images), labels)
        self.learn(named, classifier)
        return {"cycle_loss": cycle, "classifier_loss": named, "weight": torch.tensor(weight)}

    def products(self) -> Mapping[str, nn.Module]:
        return {"classifier": self.product}


def run(folder, **options) -> Run:
    return Run.start(folder, SETTINGS, "data", **options)


def test_a_toy_trainer_leaves_a_whole_run_folder(tmp_path):
    reports = list(run(tmp_path / "a").train(Translator(), Noise(), steps=4))
    assert [report.step for report in reports] == [1, 2, 3, 4]
    assert reports[-1].line.startswith("cycle 0.") or reports[-1].line.startswith("cycle 1.")
    names = {path.name for path in (tmp_path / "a").iterdir()} - {".lock"}
    assert names == {
        "run.json",
        "metrics.csv",
        "losses.png",
        "checkpoint",
        "classifier.safetensors",
    }
    assert not (tmp_path / "a/samples").exists()  # there was nothing to show
    header = (tmp_path / "a/metrics.csv").read_text().splitlines()[0]
    assert header == "step,cycle_loss,classifier_loss,weight"
    assert isinstance(load_model(tmp_path / "a/classifier.safetensors"), DigitClassifier)


def test_it_stops_and_goes_on_byte_for_byte(tmp_path):
    list(run(tmp_path / "whole").train(Translator(), Noise(), steps=4))
    reports = run(tmp_path / "parts").train(Translator(), Noise(), steps=4)
    next(reports), next(reports)
    reports.close()
    list(run(tmp_path / "parts", resume=True).train(Translator(), Noise(), steps=4))
    for name in ("metrics.csv", "classifier.safetensors", "checkpoint/last.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name


def test_a_product_that_cannot_be_stored_is_refused_before_the_first_step(tmp_path):
    trainer = Translator(product=nn.Linear(2, 2))
    with pytest.raises(CompanionError, match="Linear is no registered model"):
        next(run(tmp_path / "a").train(trainer, Noise(), steps=4))
    assert trainer.step == 0


def test_players_that_share_a_loss_follow_one_gradient():
    one, other = (Player(nn.Linear(2, 2), partial(SGD, lr=1.0), Workshop()) for _ in range(2))
    before = one.network.weight.clone(), other.network.weight.clone()
    points = torch.ones(3, 2)
    loss = other(one(points)).sum()
    wanted = torch.autograd.grad(loss, [one.network.weight, other.network.weight], retain_graph=True)
    learn(loss, one, other)
    for player, old, slope in zip((one, other), before, wanted, strict=True):
        torch.testing.assert_close(player.network.weight, old - slope)


def test_a_still_player_lends_its_slope_and_gets_none():
    judge, drawer = (Player(nn.Linear(2, 2), partial(SGD, lr=1.0), Workshop()) for _ in range(2))
    with judge.still():
        learn(judge(drawer(torch.ones(1, 2))).sum(), drawer)
    assert all(weight.grad is None for weight in judge.network.parameters())
    assert all(weight.requires_grad for weight in judge.network.parameters())


def test_nobody_but_the_player_calls_backward():
    from pathlib import Path

    import companion

    callers = [
        path.name
        for path in (Path(companion.__file__).parent / "training").glob("*.py")
        if ".backward()" in path.read_text(encoding="utf-8")
    ]
    assert callers == ["player.py"]
