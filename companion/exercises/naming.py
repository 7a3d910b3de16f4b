"""Tasks that ask for a word: which of a few kinds is this, of which none was seen before?"""

from collections.abc import Callable, Sequence
from typing import Any

from companion.exercises.rounds import mixed, whole
from companion.exercises.runner import NotYet, Task, described


def named_rightly(
    task: Task,
    student: object,
    words: Sequence[str],
    *,
    of_each: int,
    made: Callable[[str, int], Any],
    wrong: Callable[[str, str], str],
) -> None:
    """Ask for the word of so many new ones of each kind, in any order.

    Args:
        task: Whose answers are judged.
        student: What they wrote.
        words: The kinds, and all that may be answered.
        of_each: How many are asked about.
        made: One of a kind, drawn with a seed.
        wrong: What to say where it is of the first kind and was called the second.

    Raises:
        NotYet: An answer is none of the words, or not the right one.
    """
    for kind in mixed([*words] * of_each):
        answer = task.ask(student, made(kind, whole(0, 10**9)))
        if not isinstance(answer, str) or answer not in words:
            said = f"“{answer}”" if isinstance(answer, str) else described(answer)
            raise NotYet(f"`{task.name}` returns {said[:60]}; the words are {', '.join(words)}.")
        if answer != kind:
            raise NotYet(wrong(kind, answer))
