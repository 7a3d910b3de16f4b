"""The laboratory in the page plays the package's own game: same weights, same batches, same numbers.

The package's loop runs in double precision here, as the page's arithmetic does. What differs is the order of sums, so
numbers agree to `BOUND` of the largest beside them, after several steps of both optimisers. All but one find the
bound ten times too wide: the last bias of a Wasserstein critic has no gradient (it cancels between real and fake)
but the rounding of one, and Adam with β₁ = 0 makes steps of that.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from companion.data.toy import GaussianRing
from companion.metrics import mode_report
from companion.metrics.transport import cheapest_plan, cost_of_plan
from companion.models.mlp import PlaneCritic, PlaneGenerator
from companion.objectives import (
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    OneSidedWassersteinGP,
    Wasserstein,
    WassersteinGP,
)
from companion.training import AdversarialTrainer

ROOT = Path(__file__).parents[2]
BOUND = 1e-8
STEPS, BATCH, LATENTS, WIDTH = 8, 32, 3, 16
RATES = {"critic_rate": 2e-3, "generator_rate": 1e-3}
OBJECTIVES: dict[str, Objective] = {
    "minimax": Minimax(),
    "nonsaturating": NonSaturating(),
    "leastsquares": LeastSquares(),
    "clipped": Wasserstein(clip=0.05),
    "twosided": WassersteinGP(weight=10.0),
    "onesided": OneSidedWassersteinGP(weight=10.0),
}


@pytest.fixture(autouse=True)
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package keeps losses in single precision; here all of it is double."""
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    yield
    torch.set_default_dtype(torch.float32)


def flat(tensors: Iterator[Tensor]) -> list[float]:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).tolist()


def weights(network: nn.Module) -> list[float]:
    return flat(iter(network.parameters()))


def gradients(network: nn.Module) -> list[float]:
    return flat(parameter.grad for parameter in network.parameters() if parameter.grad is not None)


def played_here(trainer: AdversarialTrainer, ring: GaussianRing) -> list[dict[str, object]]:
    """Each step's numbers, gradients and weights from the package's loop."""
    networks = {"generator": trainer.generator, "critic": trainer.critic}
    return [
        {
            **report.numbers,
            "gradients": {name: gradients(network) for name, network in networks.items()},
            "weights": {name: weights(network) for name, network in networks.items()},
        }
        for report in trainer.run(ring, steps=STEPS)
    ]


def drawn(trainer: AdversarialTrainer, purpose: str, count: int) -> list[list[float]]:
    """What the loop will draw for a purpose, each time it does."""
    found = []
    for index in range(count):
        with trainer.drawing(purpose, index):
            numbers = torch.rand(BATCH, 1) if purpose == "penalty" else trainer.draw_latents(BATCH)
        found.append(numbers.flatten().tolist())
    return found


def played_in_the_page(name: str, trainer: AdversarialTrainer, ring: GaussianRing) -> dict[str, object]:
    """The same from the page's modules, run by node."""
    turns = trainer.objective.critic_steps
    game = {
        "settings": {
            "objective": name,
            "criticSteps": turns,
            "criticRate": RATES["critic_rate"],
            "generatorRate": RATES["generator_rate"],
            "clip": 0.05,
            "weight": 10,
            "latents": LATENTS,
            "width": WIDTH,
            "criticWidth": WIDTH,
            "batch": BATCH,
        },
        "weights": {"generator": weights(trainer.generator), "critic": weights(trainer.critic)},
        "real": [ring[index].flatten().tolist() for index in range(STEPS * turns)],
        "latents": drawn(trainer, "latents", STEPS * (turns + 1)),
        "along": drawn(trainer, "penalty", STEPS * turns),
        "steps": STEPS,
        "samples": [sample.flatten().tolist() for sample in samples()],
    }
    node = [str(ROOT / ".venv/bin/node"), str(ROOT / "tests/live/lab_parity.js")]
    answer = subprocess.run(node, input=json.dumps(game), capture_output=True, text=True, check=True)
    result: dict[str, object] = json.loads(answer.stdout)
    return result


def samples() -> tuple[Tensor, Tensor]:
    """Two samples of one size, the first with few of its points on the ring."""
    ring = GaussianRing(batch=60)
    return ring[0] + 0.1 * ring[1].roll(1, 0), ring[2]


def compared(ours: object, theirs: object, where: str) -> None:
    """Every number of both within `BOUND` of the largest of its kind."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            compared(value, theirs[key], f"{where}, {key}")
        return
    expected, found = torch.tensor(ours), torch.tensor(theirs)
    scale = expected.abs().max().clamp(min=1e-3)
    assert found.shape == expected.shape, where
    assert (found - expected).abs().max() <= BOUND * scale, where


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.slow
def test_losses_gradients_and_weights_are_those_of_the_package(name: str) -> None:
    torch.manual_seed(3)
    generator, critic = PlaneGenerator(LATENTS, WIDTH), PlaneCritic(WIDTH)
    if name in {"twosided", "onesided"}:
        nn.init.normal_(
            critic.layers[-1].weight, std=2.0
        )  # steep enough that one side fines some slopes, not all
    trainer = AdversarialTrainer(generator, critic, OBJECTIVES[name], seed=5, ema_decay=0, **RATES)
    ring = GaussianRing(batch=BATCH, seed=2)
    theirs = played_in_the_page(name, trainer, ring)
    ours = played_here(trainer, ring)
    for step, (here, there) in enumerate(zip(ours, theirs["steps"], strict=True), start=1):
        compared(here, there, f"{name}, step {step}")
    moved = torch.tensor(ours[-1]["weights"]["generator"]) - torch.tensor(ours[0]["weights"]["generator"])
    assert moved.abs().max() > 1e-3  # both learnt something on which they could have differed


def test_distance_and_coverage_are_those_of_the_package() -> None:
    trainer = AdversarialTrainer(PlaneGenerator(LATENTS, WIDTH), PlaneCritic(WIDTH), Minimax(), seed=5)
    theirs = played_in_the_page("minimax", trainer, GaussianRing(batch=BATCH))
    first, second = samples()
    assert theirs["distance"] == pytest.approx(
        cost_of_plan(first, second, cheapest_plan(first, second)), rel=1e-12
    )
    assert theirs["covered"] == mode_report(first, GaussianRing()).covered
