"""What checks draw is fixed for each test: a run of the tests is the same run tomorrow."""

import zlib

import pytest

from companion.exercises import rounds


@pytest.fixture(autouse=True)
def the_same_rounds(request):
    """The numbers of a reader's rounds, from the test's name."""
    with rounds.planned(rounds.ROUNDS, zlib.crc32(request.node.nodeid.encode())):
        yield
