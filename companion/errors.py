"""The one exception that readers are meant to see."""

from collections.abc import Iterable
from difflib import get_close_matches


class CompanionError(Exception):
    """Something the reader can mend: one sentence that says what happened and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> CompanionError:
    """An error for a name that is not among `known`, with the nearest ones suggested."""
    known = sorted(known)
    near = get_close_matches(name.lower(), known, n=3, cutoff=0.5) or known
    return CompanionError(f"There is no {kind} called “{name}”; did you mean {' or '.join(near)}?")
