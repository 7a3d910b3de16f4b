"""Interleaved rounds: every contender in turn, over and over, so that a busy machine is unfair to none."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch
from tqdm import tqdm

from benchmarks.loops import CONFIG, Contender, Data, Game
from companion.data import load


@dataclass(frozen=True)
class Protocol:
    """How it is measured."""

    batches: tuple[int, ...] = (16, 64)
    rounds: int = 9
    images_per_turn: int = (
        128  # a contender makes this many images' worth of steps, then the next has its turn
    )
    warm_up: int = 3  # steps before the clock runs; caches fill, the processor wakes, torch compiles

    def steps(self, batch: int) -> int:
        """Steps in one turn."""
        return max(1, self.images_per_turn // batch)


@dataclass
class Timing:
    """Images a second of one contender, one objective, one batch size; all rounds in the order they were run."""

    game: str
    batch: int
    contender: str
    weights: dict[str, int] = field(default_factory=dict)
    images_per_second: list[float] = field(default_factory=list)
    failure: str | None = None

    def as_json(self) -> dict[str, object]:
        """Everything measured, and median, quartiles and best of it."""
        rates = self.images_per_second
        if not rates:
            return asdict(self)
        low, middle, high = (
            statistics.quantiles(rates, n=4, method="inclusive") if len(rates) > 1 else rates * 3
        )
        quartiles = [round(low, 2), round(high, 2)]
        return {**asdict(self), "median": round(middle, 2), "quartiles": quartiles, "best": max(rates)}


def measure(games: Sequence[Game], contenders: Sequence[Contender], protocol: Protocol) -> list[Timing]:
    """Time every contender on every objective and batch size. A contender that fails is kept, with its error."""
    pairs = sum(contender.plays(game) for game in games for contender in contenders)
    turns = pairs * len(protocol.batches) * (protocol.rounds + 1)
    found: list[Timing] = []
    with tqdm(total=turns, unit="turn", smoothing=0.05, disable=None) as bar:
        for game in games:
            for batch in protocol.batches:
                bar.set_description(f"{game.name}, batch {batch}")
                found += _compare(game, batch, contenders, protocol, bar)
    return found


def _compare(
    game: Game, batch: int, contenders: Sequence[Contender], protocol: Protocol, bar: "tqdm[None]"
) -> list[Timing]:
    data = images(batch)
    contenders = [contender for contender in contenders if contender.plays(game)]
    found = [Timing(game.name, batch, contender.name) for contender in contenders]
    running = []
    for contender, measurement in zip(contenders, found, strict=True):
        try:
            step, measurement.weights = contender.build(game, data)
            for _ in range(protocol.warm_up):
                step()
            running.append((step, measurement))
        except Exception as error:  # whatever an old library does on today's torch belongs in the table
            measurement.failure = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        bar.update()
    steps = protocol.steps(batch)
    for _ in range(protocol.rounds):
        for step, measurement in running:
            start = time.perf_counter()
            for _ in range(steps):
                step()
            seconds = time.perf_counter() - start
            measurement.images_per_second.append(round(steps * batch / seconds, 2))
            bar.update()
        bar.update(len(found) - len(running))
    return found


def images(batch: int) -> Data:
    """Four batches of handwritten digits, enlarged, in three equal channels."""
    digits = load("digits", size=CONFIG.size)
    pixels = digits[torch.arange(4 * batch)].expand(-1, CONFIG.channels, -1, -1).contiguous()
    return Data(torch.split(pixels, batch))
