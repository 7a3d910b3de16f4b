"""Checks of chapter 7b's exercises: what attention costs, order, a bounded hinge, faults in its maps, and fair runs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from scipy.stats import norm
from scipy.stats import t as student_t
from torch import Tensor, nn
from torch.nn.functional import relu

from companion.exercises.naming import named_rightly
from companion.exercises.rounds import among, mixed, normal, uniform, whole
from companion.exercises.runner import NotYet, Task, described, right
from companion.layers import SelfAttention
from companion.museum.ch07 import AttentionOverPlaces

# ---- 1: what it costs ----

COST = Task(
    "cost(channels, side, factor)", "two numbers: multiplications, and entries of the table of weights"
)


def check_cost(student: object) -> None:
    """Task 1: four 1×1 convolutions and two products of matrices, of which the pooling makes only the latter less."""

    def spent(
        alone: float = 1.25,
        scores: float = 1 / 8,
        told: float = 1 / 2,
        *,
        keys: Callable[[int, int], int] = lambda side, factor: (side // factor) ** 2,
        places: Callable[[int], int] = lambda side: side**2,
        made: float = 0,
        looked: bool = True,
        entries: Callable[[int, int, int], int] = lambda asked, held, _: asked * held,
    ) -> Callable[..., Tensor]:
        """From the parts of C² that each place, and those that each key, multiplies by, and of C for each entry."""

        def count(channels: int, side: int, factor: int) -> Tensor:
            asked, held = places(side), keys(side, factor)
            rows = asked if looked else held
            products = (alone * asked + made * held) * channels**2 + (scores + told) * channels * rows * held
            return torch.tensor([products, entries(rows, held, channels)], dtype=torch.float64)

        return count

    COST.judge(
        student,
        [
            (8, 2, 1),
            (8, 4, 2),
            (16, 6, among((2, 3))),
            (8 * whole(3, 6), 4 * whole(2, 5), among((1, 2, 4))),
            (8 * whole(2, 9), 6, 1),
        ],
        spent(),
        {
            "You leave out the convolution v at the end: it brings half of the channels back to all of them.": spent(
                0.75
            ),
            "You leave out the convolution h, which makes the values.": spent(0.75, made=0),
            "You leave out the convolutions; they multiply at every place before anybody looks.": spent(0),
            "You count the convolutions alone; the scores and the weighted mean of the values are products, too.": (
                spent(scores=0, told=0)
            ),
            "You count the scores alone; to take the mean of the values by them is as many products again for each of "
            "their channels.": spent(told=0),
            "You leave out the scores: each is an inner product of a query and a key.": spent(scores=0),
            "You give values all channels; they have half of them.": spent(1 / 8 + 1 / 8 + 1 + 1, told=1),
            "You pool before keys and values are made; here every place makes them, and the pooling comes after.": (
                spent(0.625, made=0.625)
            ),
            "You forget the pooling: fewer keys are looked at than there are places.": spent(
                keys=lambda side, _: side**2
            ),
            "`factor` shortens each side of the maps; it leaves one key of factor² places.": spent(
                keys=lambda side, factor: side**2 // factor
            ),
            "You pool the queries, too; every place asks.": spent(looked=False),
            "You count `side` places; the maps are side × side.": spent(
                places=lambda side: side, keys=lambda side, factor: side // factor
            ),
            "Your table has an entry for each channel; an inner product sums over them first.": spent(
                entries=lambda asked, held, channels: asked * held * channels
            ),
            "Your table has an entry for each pair of places; it has one for each place and each key.": spent(
                entries=lambda asked, held, _: asked**2
            ),
            "You count the additions as well; asked for are multiplications alone.": (
                lambda *a: spent()(*a) * torch.tensor([2, 1])
            ),
            "You return the entries first; the multiplications come first.": lambda *a: spent()(*a).flip(0),
        },
        read=_counted,
    )
    right("The convolutions cost the same however many keys there are; the table is what grows.")


def _counted(answer: object) -> Tensor:
    """Two whole numbers `(2,)`."""
    parts = COST.pair(answer, "multiplications and entries")
    found = torch.stack([COST.scalar(part).double() for part in parts])
    _whole(COST, found, "multiplications and entries are")
    return found


def _whole(task: Task, found: Tensor, what: str) -> None:
    """Nothing if all of these are whole numbers.

    Raises:
        NotYet: Some are not.
    """
    if not bool(((found - found.round()).abs() < 1e-3).all()):
        raise NotYet(
            f"`{task.name}` gives {found.tolist()}, and {what} counted: they are whole numbers.".replace(
                "nan", "NaN"
            )
        )


# ---- 2: does it know where anything is? ----

ORDER = Task("ignores_order(layer, maps)", "true where shuffled places get the same answers, shuffled")


class _Layer(nn.Module):
    """A layer that does what a function says, to maps and with the parts given."""

    def __init__(self, does: Callable[..., Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.does, self.parts = does, nn.ModuleList(parts)

    def forward(self, maps: Tensor) -> Tensor:
        return self.does(maps, *self.parts)


def _looking(layer: SelfAttention, gain: float) -> SelfAttention:
    """Attention as if it had learnt: γ is not zero, and scores are large enough to choose."""
    with torch.no_grad():
        layer.gain.fill_(gain)
        layer.queries.weight.mul_(3)
    return layer


def _symmetric(channels: int) -> nn.Conv2d:
    """A blur that a mirror, a quarter turn and a shift leave as it is."""
    layer = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular", groups=channels, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16)
    return layer


CHANNELS = 16


def _layers(height: int, width: int) -> dict[str, tuple[nn.Module, bool]]:
    """Layers for maps of this size, and whether each ignores the order of places; by what is to be said of each."""
    every, gain = height * width, float(uniform(0.5, 2)) * among((-1, 1))
    places = nn.Conv2d(1, CHANNELS, 1)  # its weights tell the columns apart
    columns = torch.linspace(-2, 2, width).expand(1, 1, height, width).clone()

    def attention(kind: type[SelfAttention] = SelfAttention, keys: int = every) -> SelfAttention:
        return _looking(kind(CHANNELS, keys=keys), gain)

    return {
        "Attention whose every place is a key compares contents, wherever they are.": (attention(), True),
        "A 3×3 convolution asks the neighbours, and shuffled places have others.": (
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            False,
        ),
        "A blur that is even on all sides passes mirrors, turns and shifts, and still asks the neighbours: shuffle the "
        "places at random.": (_symmetric(CHANNELS), False),
        "A 1×1 convolution sees one place at a time.": (nn.Conv2d(CHANNELS, CHANNELS, 1), True),
        "This attention answers in thousands, so ask how large a difference is beside the answers.": (
            _Layer(lambda x, told: 1000 * told(x), attention()),
            True,
        ),
        "Pooled keys are made of neighbours: shuffle the places, and other ones share a key.": (
            attention(keys=every // 4),
            False,
        ),
        "The museum's attention over places shares out each key among all places, whatever their order.": (
            attention(AttentionOverPlaces),
            True,
        ),
        "A row that all places are told about is still somewhere: shuffle, and others lie there.": (
            _Layer(lambda x: x + x[:, :, :1].mean(3, keepdim=True)),
            False,
        ),
        "The mean of all places does not know their order.": (
            _Layer(lambda x: 2 * x - x.mean((2, 3), keepdim=True)),
            True,
        ),
        "Here each place's column is added before it asks, so what it is told depends on where it is.": (
            _Layer(lambda x, told, place: told(x + place(columns.to(x))), attention(), places),
            False,
        ),
        "A convolution that has hardly an effect still has one, of a hundredth; rounding is ten thousand times less.": (
            _Layer(lambda x, blur: x + 0.03 * blur(x), _symmetric(CHANNELS)),
            False,
        ),
    }


def check_ignores_order(student: object) -> None:
    """Task 2: layers that nobody names, in any order, of maps that are not square."""
    height, width = 2 * whole(2, 3), 2 * whole(4, 5)
    layers = _layers(height, width)
    for told in mixed(list(layers)):
        layer, truth = layers[told]
        maps = normal(2, CHANNELS, height, width)
        answer = ORDER.ask(student, layer.eval(), maps.clone())
        if _truth(ORDER, answer) != truth:
            said = "does look at the order" if truth else "ignores it"
            small = " Whatever differs there is rounding, a millionth of the answer." if truth else ""
            raise NotYet(f"Of one of these layers you say that it {said}, and that is not so. {told}{small}")
    right("Without neighbours or positions, nobody knows where anything is, and you can tell.")


def _truth(task: Task, answer: object) -> bool:
    """The answer as a truth value, be it Python's, NumPy's or torch's."""
    if isinstance(answer, bool):
        return answer
    found = task.tensor(answer)
    if found.numel() != 1 or found.dtype != torch.bool:
        raise NotYet(f"`{task.name}` returns {described(answer)}; true or false is wanted.")
    return bool(found)


# ---- 3: a critic that may not shout ----

HINGE = Task(
    "least_hinge(p, q, most)",
    "the least hinge loss of a critic whose scores lie within −most and most, a number",
)


def check_least_hinge(student: object) -> None:
    """Task 3: 2 (1 − min(most, 1) TV), for shares of any number of kinds, some of them in one set alone."""
    cases = [
        (*_shares(kinds, whole_ones), most)
        for kinds, whole_ones, most in (
            (2, True, 0.5),
            (2, True, 2.0),
            (5, False, round(float(uniform(0.2, 0.8)), 1)),
            (whole(6, 9), False, 1.0),
            (whole(10, 20), False, round(float(uniform(1.3, 3)), 1)),
        )
    ]

    def of(scores: Callable[[Tensor, Tensor, float], Tensor]) -> Callable[..., Tensor]:
        """The hinge of a critic with these scores."""
        return lambda p, q, most: (p * relu(1 - scores(p, q, most)) + q * relu(1 + scores(p, q, most))).sum()

    def sign(p: Tensor, q: Tensor, most: float) -> Tensor:
        return (p - q).sign() * most

    def apart(p: Tensor, q: Tensor) -> Tensor:
        return (p - q).abs().sum() / 2

    HINGE.judge(
        student,
        cases,
        of(lambda p, q, most: sign(p, q, min(most, 1))),
        {
            "You let the critic score ±1; it may not go beyond `most`.": lambda p, q, most: (
                2 * (1 - apart(p, q))
            ),
            "Your critic goes to ±most, and beyond ±1 the loss rises again: it stops at 1.": of(sign),
            "Your formula goes on beyond `most` = 1; there the best critic stops at ±1.": lambda p, q, most: (
                2 * (1 - most * apart(p, q))
            ),
            "The half of the total variation is missing.": lambda p, q, most: (
                2 * (1 - 2 * min(most, 1) * apart(p, q))
            ),
            "You leave out the 2 before the bracket.": lambda p, q, most: 1 - min(most, 1) * apart(p, q),
            "You give the total variation, and the loss falls as that grows.": lambda p, q, most: apart(p, q),
            "Your critic says 0 to everything; with a sign it does better.": lambda p, q, most: torch.tensor(
                2.0
            ),
            "Your critic's sign is turned round: 1 is for what is more often real.": of(
                lambda p, q, most: sign(q, p, min(most, 1))
            ),
            "You divide by `most`; scores that may not be large make the loss larger.": lambda p, q, most: (
                2 * (1 - apart(p, q) / max(most, 1))
            ),
        },
    )
    right("The sign stays, and all it costs to hold the critic back is told by one factor.")


def _shares(kinds: int, whole_ones: bool) -> tuple[Tensor, Tensor]:
    """Shares of kinds among real and fake images, `(kinds,)` each; of more than two, one is real alone, one fake."""
    if whole_ones:  # tenths are quickly read
        p = torch.tensor([whole(6, 9) / 10, 0.0])
        q = torch.tensor([whole(1, 4) / 10, 0.0])
        p[1], q[1] = 1 - p[0], 1 - q[0]
        return p, q
    p, q = uniform(0.1, 1, kinds), uniform(0.1, 1, kinds)
    p[0], q[1] = 0, 0
    return p / p.sum(), q / q.sum()


# ---- 4: what is wrong with this layer? ----

WORDS = ("healthy", "wrong axis", "never used", "all alike", "even")
DIAGNOSE = Task("diagnose(layer)", f"one of the words {', '.join(f'“{word}”' for word in WORDS)}")
FACES, PLACES = 6, 64


def attended(kind: str, seed: int) -> dict[str, Any]:
    """What a trained layer of attention shows of itself on some faces.

    Args:
        kind: One of `WORDS`.
        seed: Of all that is drawn, and of how plainly the fault shows.

    Returns:
        `weights`, `(FACES, PLACES, K)`, the weights of attention with K = 16 or 64 keys; and `gain`, the hundred
        values that γ had while the layer was trained.
    """
    random = torch.Generator().manual_seed(seed * 10 + WORDS.index(kind))

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    keys = (16, 64)[int(torch.randint(2, (), generator=random))]
    own = torch.randn(FACES, PLACES, keys, generator=random)
    common = torch.randn(FACES, 1, keys, generator=random)
    scores = draw(1.5, 4) * own + draw(0, 2) * common
    if kind == "all alike":
        scores = draw(0.0, 0.1) * own + draw(3, 6) * common
    if kind == "even" or (kind == "never used" and draw(0, 1) < 0.5):
        scores = draw(0, 0.1) * own + draw(0, 0.1) * common
    risen = 1 - (-torch.linspace(0, 1, 100) / draw(0.1, 0.3)).exp()
    size = 10 ** draw(-1.7, 0.5) * (1 if draw(0, 1) < 0.5 else -1)
    gain = size * risen * (1 + 0.05 * torch.randn(100, generator=random))
    return {
        "weights": scores.softmax(1 if kind == "wrong axis" else 2),
        "gain": [0.0] * 100 if kind == "never used" else gain.tolist(),
    }


HINTS = {
    "healthy": "a layer in use may look at few regions or many, with a γ of either sign and any size; what counts is "
    "that its places look at different ones",
    "wrong axis": "with the softmax over the places, each key's weights sum to one and a place's do not, one by one; "
    "where there are as many keys as places, they still do on average",
    "never used": "a γ that is no parameter stays at 0, and how the maps look says nothing: even untrained queries "
    "find some keys that suit them",
    "all alike": "where all places of a face look at the same regions, each differs little from their mean, while "
    "faces differ; sharp maps are no sign of places that compare themselves",
    "even": "who looks everywhere alike has weights near 1/K, and K is not always the same",
}


def check_diagnose(student: object) -> None:
    """Task 4: forty layers that nobody has met, eight of each kind, in any order."""

    def wrong(kind: str, answer: str) -> str:
        return f"One of forty new layers is {kind}, and you call it {answer}. Think of this: {HINTS[kind]}."

    named_rightly(DIAGNOSE, student, WORDS, of_each=8, made=attended, wrong=wrong)
    right("Forty of forty: you read layers, not pictures of them.")


# ---- 5: how many seeds? ----

SEEDS = Task(
    "seeds_needed(gaps, effect)", "the least number of seeds whose interval reaches no farther than `effect`"
)


def _reach(
    count: int,
    spread: float,
    *,
    share: float = 0.975,
    freedom: int = 1,
    bell: bool = False,
    power: float = 0.5,
) -> float:
    """Half of a mean's interval: of so many gaps with this deviation."""
    bound = norm.ppf(share) if bell else student_t.ppf(share, count - freedom)
    return float(float(bound) * spread / count**power)


def _needed(spread: float, effect: float, start: int = 2, **how: Any) -> float:
    """The first number of seeds from `start` on whose half interval is at most `effect`."""
    return float(next((count for count in range(start, 400) if _reach(count, spread, **how) <= effect), 400))


def check_seeds_needed(student: object) -> None:
    """Task 5: Student's interval for a number of seeds that is not the pilot's, from its deviation."""
    cases = [_pilot(4, 4), _pilot(3, whole(5, 8)), _pilot(5, 2), *(_pilot(n, whole(15, 40)) for n in (3, 7))]
    cases.append(_pilot(whole(4, 6), 3))

    def by(start: int = 2, correction: int = 1, **how: Any) -> Callable[..., float]:
        return lambda gaps, effect: _needed(float(gaps.std(correction=correction)), effect, start, **how)

    def on_pilot(gaps: Tensor, effect: float) -> float:
        """With the bound of the pilot's own number."""
        bound = float(student_t.ppf(0.975, len(gaps) - 1)) * float(gaps.std())
        return float(max(2, math.ceil((bound / effect) ** 2)))

    def count(answer: object) -> Tensor:
        found = SEEDS.scalar(answer).double()
        _whole(SEEDS, found, "seeds are")
        return found

    SEEDS.judge(
        student,
        cases,
        by(),
        {
            "You take 1.96; with so few seeds the deviation itself is uncertain, and Student's bound is larger.": by(
                bell=True
            ),
            "You take the bound of one side: 95 % in the middle leave 2.5 % at each end, so ask t for .975.": by(
                share=0.95
            ),
            "You give t as many degrees of freedom as seeds; the mean takes one away.": by(freedom=0),
            "You take the pilot's degrees of freedom; the interval will be that of the new seeds.": on_pilot,
            "You divide the pilot's squares by their number; a deviation from a sample divides by one less.": by(
                correction=0
            ),
            "You divide by the number of seeds; a mean's error falls with its root.": by(power=1),
            "You let the whole interval fit into `effect`; its half is what reaches from the mean to its end.": (
                lambda gaps, effect: _needed(float(gaps.std()), effect / 2)
            ),
            "You go one seed too far: the first number whose interval reaches no farther is enough.": (
                lambda gaps, effect: by()(gaps, effect) + 1
            ),
            "You stop one seed too early.": lambda gaps, effect: max(2.0, by()(gaps, effect) - 1),
            "You begin with three seeds; two may be enough.": by(start=3),
            "You begin with the pilot's number; fewer may be enough.": lambda gaps, effect: _needed(
                float(gaps.std()), effect, len(gaps)
            ),
            "You put the mean of the gaps where their deviation belongs; how far they scatter decides.": (
                lambda gaps, effect: _needed(float(gaps.mean().abs()), effect)
            ),
        },
        read=count,
    )
    right("So many seeds, before anybody trains: and the first thing to report of a null result.")


def _pilot(gaps: int, needed: int) -> tuple[Tensor, float]:
    """Gaps of a few seeds `(gaps,)`, and an effect for which so many seeds are needed, and with a mistake others.

    Up to four seeds the effect lies where one degree of freedom too many would save a seed.
    """
    found = (20 * normal(gaps)).round() / 10 + among((-1.0, 0.5, 1.5))
    found[0], found[1] = found[1] + 1.5, found[1] - 0.5  # never all alike
    spread = float(found.std())
    low, high = _reach(needed, spread), _reach(needed - 1, spread) if needed > 2 else 2 * _reach(2, spread)
    if 2 < needed < 5:
        low = max(low, _reach(needed - 1, spread, freedom=0))
    return found, low + 0.5 * (high - low)


# ---- 6: which runs would tell? ----

PLAN = Task("plan(seeds)", "a list of runs, each a dictionary of its settings")
SETTINGS = ("stage", "layer", "rate", "seed", "steps")
STAGES = ("choose", "compare")
LAYERS = ("attention", "even", "none")
FASTEST = (
    5e-4  # the generator's rate that chapter 7b found best for the hinge: the fastest of the three it tried
)


def check_plan(student: object) -> None:
    """Task 6: three layers; rates chosen alike for each, beyond the fastest; then new seeds, shared, of equal steps."""
    seeds = whole(8, 20)
    runs = PLAN.ask(student, seeds)
    if not isinstance(runs, (list, tuple)) or not runs or not all(isinstance(run, Mapping) for run in runs):
        raise NotYet("`plan` returns a list of dictionaries, one for each run.")
    for run in runs:
        _well_formed(run)
    stages = {stage: [run for run in runs if run["stage"] == stage] for stage in STAGES}
    for stage, of in reversed(stages.items()):
        missing = [layer for layer in LAYERS if all(run["layer"] != layer for run in of)]
        if missing:
            raise NotYet(_MISSING[stage][missing[0]])
    if len({run["steps"] for run in stages["compare"]}) > 1:
        raise NotYet(
            "The runs that are compared differ in their steps: then more training and another layer cannot be told "
            "apart."
        )
    _fairly_chosen(stages["choose"])
    _compared_in_pairs(stages["compare"], seeds)
    if {run["seed"] for run in stages["choose"]} & {run["seed"] for run in stages["compare"]}:
        raise NotYet(
            "A seed that chose the rate is compared with as well: whoever had luck there is lucky twice. Compare with "
            "new seeds."
        )
    right(f"{len(runs)} runs that can refute “places that look at each other help”.")


_MISSING: Mapping[str, Mapping[str, str]] = {
    "compare": {
        "attention": "No run of your comparison has attention in it, and that is what the claim is about.",
        "none": "No run of your comparison is without a layer; nobody could say what attention brings.",
        "even": "Your networks with attention have more weights than those without, too. Compare with “even”, which "
        "has as many and looks nowhere: else it may be the layer that helps, and not the looking.",
    },
    "choose": {
        layer: f"You choose no rate for “{layer}”: then that network plays at a rate that was made for another."
        for layer in LAYERS
    },
}


def _well_formed(run: Mapping[str, Any]) -> None:
    if set(run) != set(SETTINGS):
        raise NotYet(
            f"Each run names {', '.join(SETTINGS)} and nothing else, not {', '.join(map(str, run))}."
        )
    if run["stage"] not in STAGES or run["layer"] not in LAYERS:
        raise NotYet(
            "A stage is one of “choose” and “compare”, and a layer one of “attention”, “even” and “none”."
        )
    if any(
        isinstance(run[name], bool) or not isinstance(run[name], int) or run[name] < 0
        for name in ("seed", "steps")
    ):
        raise NotYet("Seeds and steps are whole numbers.")
    rate, chosen = run["rate"], run["rate"] == "chosen"
    if run["stage"] == "compare" and not chosen:
        raise NotYet(
            "A run of the comparison names its rate; before the first stage nobody knows it: write “chosen”."
        )
    if run["stage"] == "choose" and (chosen or not isinstance(rate, (int, float)) or not 0 < rate < 1):
        raise NotYet("A run that is to choose the rate plays at one of its own, a number between 0 and 1.")


def _fairly_chosen(runs: Sequence[Mapping[str, Any]]) -> None:
    """The same trials for each layer, at three rates and more, of which one is faster than what was the fastest."""
    tried = {
        layer: sorted((run["rate"], run["seed"], run["steps"]) for run in runs if run["layer"] == layer)
        for layer in LAYERS
    }
    if any(trials != tried["none"] for trials in tried.values()):
        raise NotYet(
            "The layers do not have the same trials of rates; what was tuned with more of them, or with other seeds or "
            "steps, wins by that."
        )
    if len(set(tried["none"])) < len(tried["none"]):
        raise NotYet("A run stands twice in your plan; it would tell you nothing new.")
    rates = {rate for rate, *_ in tried["none"]}
    if len(rates) < 3:
        raise NotYet("You try fewer than three rates; the best of two may be far from the best.")
    if max(rates) <= FASTEST:
        raise NotYet(
            f"You try no rate above {FASTEST:g}, which was the best in the chapter and the fastest it tried: the best "
            "may lie beyond."
        )
    if len({steps for *_, steps in tried["none"]}) > 1:
        raise NotYet("The trials differ in their steps, so a rate that got more of them looks better.")


def _compared_in_pairs(runs: Sequence[Mapping[str, Any]], seeds: int) -> None:
    used = {layer: sorted(run["seed"] for run in runs if run["layer"] == layer) for layer in LAYERS}
    if any(len(set(of)) < len(of) for of in used.values()):
        raise NotYet("A run stands twice in your plan; it would tell you nothing new.")
    if any(of != used["none"] for of in used.values()):
        raise NotYet(
            "The layers do not share their seeds, so their runs cannot be compared in pairs, and the spread of seeds "
            "hides what you look for."
        )
    if len(used["none"]) != seeds:
        raise NotYet(
            f"You compare with {len(used['none'])} seeds, and {seeds} were asked for: fewer would not show the effect, "
            "and more cost an hour each."
        )
