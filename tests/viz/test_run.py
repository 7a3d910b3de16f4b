"""Guards the pictures of a run folder."""

import csv

from PIL import Image

from companion import viz


def test_a_runs_losses_are_drawn_beside_its_metrics(tmp_path):
    with open(tmp_path / "metrics.csv", "w", newline="") as rows:
        csv.writer(rows).writerows([["step", "critic_loss", "generator_loss"], [1, 0.5, 0.7], [2, 0.4, 0.8]])
    viz.losses_of_run(tmp_path)
    with Image.open(tmp_path / "losses.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(100_000)) > 10


def test_a_run_without_rows_leaves_no_plot(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,critic_loss,generator_loss\n")
    viz.losses_of_run(tmp_path)
    assert not (tmp_path / "losses.png").exists()
