"""Guards what a check says: a mistake is named if it explains every answer, and an answer's form decides nothing."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from companion.exercises import ch08, diagnosis
from companion.exercises.diagnosis import Pair
from companion.exercises.runner import NotYet, Task

TASK = Task("answer(points, factor)", "something")


def told(check, answer) -> str:
    with pytest.raises(NotYet) as refused:
        check(answer)
    return str(refused.value)


def pairs(*numbers):
    return [Pair(torch.tensor(found), torch.tensor(wanted)) for found, wanted in numbers]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([(4.0, 2.0), (2.0, 1.0)], "yours is twice as much"),
        ([(4.0, 2.0), (1.0, 1.0)], "yours is its square"),
        ([(4.0, 2.0), (5.0, 3.0)], ""),
        ([(3.0, 2.0), (5.0, 4.0)], "yours is one more than it"),
        ([(-3.0, 3.0), (2.0, 2.0)], ""),
        ([([2.0, 1.0], [1.0, 2.0]), ([3.0, 4.0], [3.0, 4.0])], ""),
        ([([2.0, 1.0], [1.0, 2.0]), ([4.0, 3.0], [3.0, 4.0])], "yours is turned round along axis 0"),
    ],
)
def test_a_relation_is_told_if_it_holds_for_all_answers(numbers, words):
    assert diagnosis.relation(pairs(*numbers), 1e-3) == words


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize(
    ("answer", "idle"),
    [
        (
            lambda p, f: (p[0] - p[1]) / (p[2] - p[1]),
            ["factor"],
        ),  # neither a scale nor a shift changes a ratio
        (lambda p, f: (p > p.mean()).sum(), ["factor"]),
        (lambda p, f: p.max() * f, []),
        (lambda p, f: float(f > 3), ["points"]),  # seen where it is just below 3
        (lambda p, f: 5.0, ["points", "factor"]),
    ],
)
def test_an_argument_without_effect_is_one_that_changes_no_answer(kind, answer, idle):
    given = [([kind([1.0, 3.0, 2.5, -1.0, 0.5]), 0.3], None), ([kind([2.0, 0.3, 0.7, 1.1, 9.0]), 2.9], None)]

    def ask(inputs):
        return torch.as_tensor(float(answer(*inputs)))

    questions = [(inputs, ask(inputs)) for inputs, _ in given]
    assert diagnosis.idle(ask, ["points", "factor"], questions) == idle


def distance(points, start, end):
    return np.linalg.norm(points[start] - points[end])


def test_a_ratio_of_other_lengths_has_not_ignored_the_hand():
    """It is the same for a hand that is moved or grows, as the right one is."""
    sentence = told(ch08.check_pinch_distance, lambda p: distance(p, 4, 8) / distance(p, 1, 17))
    assert "should be" in sentence
    assert "whatever" not in sentence
    assert "no effect" not in sentence


@pytest.mark.parametrize("factor", [2.0, -1.0])
def test_a_pinch_that_is_wrong_for_some_hands_alone_is_not_called_twice_as_large(factor):
    def some(p):
        found = distance(p, 4, 8) / distance(p, 5, 17)
        return factor * found if found > 1.2 else found

    sentence = told(ch08.check_pinch_distance, some)
    assert "twice" not in sentence
    assert "sign" not in sentence


def test_a_switch_that_uses_both_thresholds_is_not_told_that_one_has_no_effect():
    def longest(distances, on, off):
        states, closed = [], False
        for each in distances:
            closed = each <= on if not closed else each < off - 0.01
            states.append(closed)
        return states

    assert "no effect" not in told(ch08.check_pinched, longest)


def rightly(presses):
    return "".join(
        ch08.KEYS[min(3, max(0, int((y - 0.1) / 0.2)))][min(2, max(0, int((x - 0.2) / 0.2)))]
        for x, y, _ in presses[:, 8]
    )


@pytest.mark.parametrize(
    "mistake",
    [
        lambda code: code[::-1],
        lambda code: code[:-1],
        lambda code: "".join(sorted(code)),
        lambda code: code[1:],
    ],
)
@pytest.mark.parametrize("presses", [4, 6])
def test_a_code_is_called_wrong_in_a_way_that_all_codes_are(mistake, presses):
    """Whoever reads the codes of one length wrongly, and the others rightly, has made no such mistake."""

    def sometimes(taps):
        return mistake(rightly(taps)) if len(taps) == presses else rightly(taps)

    assert told(ch08.check_typed, sometimes).startswith("Somebody typed")


NUMBERS = [1.5, 2.0]
FORMS = {
    "list": NUMBERS,
    "tuple": tuple(NUMBERS),
    "array": np.array(NUMBERS),
    "small floats": np.array(NUMBERS, np.float16),
    "long floats": np.array(NUMBERS, np.longdouble),
    "long float scalars": [np.longdouble(each) for each in NUMBERS],
    "other byte order": np.array(NUMBERS, ">f8"),
    "backwards": np.array(NUMBERS[::-1])[::-1],
    "objects": np.array(NUMBERS, object),
    "tensors in an array": np.array([torch.tensor(each) for each in NUMBERS], object),
    "scalars": [np.float64(1.5), np.float32(2)],
    "arrays without axes": [np.array(1.5), np.array(2.0)],
    "tensors": [torch.tensor(1.5), torch.tensor(2.0)],
    "mixed": (torch.tensor(1.5), 2),
    "exact": [Fraction(3, 2), Decimal(2)],
    "parameter": torch.nn.Parameter(torch.tensor(NUMBERS)),
    "sparse": torch.tensor(NUMBERS).to_sparse(),
    "brain floats": torch.tensor(NUMBERS, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_are_the_same_answer(form):
    assert TASK.tensor(FORMS[form], (2,)).tolist() == NUMBERS


def test_a_list_of_tensors_keeps_its_graph():
    leaf = torch.tensor(3.0, requires_grad=True)
    TASK.tensor([leaf * 2, leaf]).sum().backward()
    assert leaf.grad == 3


@pytest.mark.parametrize(
    "answer",
    [
        [1, [2]],
        [1, None],
        ["1", "2"],
        np.array(["1"]),
        {1, 2},
        {1: 2},
        (each for each in (1, 2)),
        [10**400, 1],
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_what_are_no_numbers_is_said_in_one_sentence(answer):
    sentence = told(TASK.tensor, answer)
    assert "where numbers are wanted" in sentence
    assert sentence.count(". ") == 0
    assert sentence.endswith("see `answer(points, factor)`.")


@pytest.mark.parametrize("side", [np.array(["left", "right"]), ["left"], None, math.nan])
def test_a_side_in_another_form_is_told_the_words(side):
    sentence = told(ch08.check_unmirrored, lambda p, s: (p * [-1, 1, 1] + [1, 0, 0], side))
    assert sentence == "The points are right; the side is the word “left” or “right”."
