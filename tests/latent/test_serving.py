"""Guards what an app says before it starts."""

import pytest

from companion.cli import main


@pytest.mark.parametrize("port", ["0", "-5", "80000"])
def test_a_port_that_is_none_is_one_sentence(port, capsys):
    assert main(["app", "digits", "--no-browser", "--port", port]) == 2
    said = capsys.readouterr().err
    assert "from 1024 to 65535" in said
    assert "Traceback" not in said
