"""Guards the progress bar: it passes every report on, and tells step, total and losses."""

from companion.training import Report, progress

NUMBERS = {"critic_loss": 0.5, "penalty": 0.0, "generator_loss": 0.25}


def test_every_report_passes_through_and_the_bar_tells_losses(capsys):
    reports = [Report(n, NUMBERS) for n in (3, 4)]
    assert list(progress(reports, total=4, start=2, label="dcgan")) == reports
    shown = capsys.readouterr().err
    assert "dcgan" in shown
    assert "2/4" in shown
    assert Report(1, NUMBERS).line == "critic 0.500, generator 0.250"
