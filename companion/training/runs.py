"""Run folders: everything a run leaves behind, and how it is continued.

run.json        settings, environment, status, step, seconds
metrics.csv     one row a step, exact numbers, no times: equal runs have equal files
samples/        what the trainer shows, such as grids of the same latents over training
losses.png
checkpoint/     last.safetensors, replaced only by a complete one
NAME.safetensors   the trainer's products, such as the averaged generator, when the run has finished

Any `Trainer` can be run so. Of several processes the main one writes, and the others go along.
"""

import csv
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import torch

from companion.environment import environment
from companion.errors import CompanionError
from companion.files import remove_unfinished, replacing, unwritable, write_json, write_text
from companion.models.registry import model_of
from companion.models.store import read_tensors, save_model, write_tensors
from companion.training.processes import ALONE, Processes
from companion.training.trainer import Batches, Report, Trainer
from companion.viz.grids import image_grid
from companion.viz.run import losses_of_run

MADE_BY_A_RUN = re.compile(
    r"(run\.json|metrics\.csv|[a-z_]+\.safetensors|checkpoint/last\.safetensors)|losses\.png|samples/\d+\.png"
)
SECONDS_BETWEEN_CHECKPOINTS = 60.0
GRIDS = 20  # sample grids a run leaves
GO_ON = "continue with --resume"  # once a disk that was full has room


@dataclass
class Run:
    """A folder and the settings of the run it holds."""

    folder: Path
    settings: dict[str, object]
    data_fingerprint: str
    resumed: bool = False
    seconds: float = 0.0  # of training, over all sittings
    processes: Processes = ALONE

    @classmethod
    def start(
        cls,
        folder: Path,
        settings: dict[str, object],
        data_fingerprint: str,
        *,
        resume: bool = False,
        overwrite: bool = False,
        processes: Processes = ALONE,
    ) -> "Run":
        """Make the folder, or take up the run it holds.

        Raises:
            CompanionError: The folder holds something and neither `resume` nor `overwrite` says what to do with it;
                or it holds another run than the one to resume; or it cannot be written.
        """
        run = cls(folder, settings, data_fingerprint, processes=processes)
        with processes.in_turn():
            if processes.main:
                run._begin(resume, overwrite)
            else:
                run.resumed = resume  # the main process has found that it can be
        return run

    def _begin(self, resume: bool, overwrite: bool) -> None:
        folder = self.folder
        if folder.exists() and not folder.is_dir():
            raise CompanionError(f"There is a file at {folder}; choose another --out.")
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):  # .DS_Store
            if resume:
                self._take_up()
            elif overwrite:
                self._clear()
            else:
                raise CompanionError(
                    f"The folder {folder} is not empty, and nothing is overwritten unasked; "
                    "continue its run with --resume, replace it with --overwrite, or choose another --out."
                )
        try:
            (folder / "samples").mkdir(parents=True, exist_ok=True)
            remove_unfinished(folder)
            self._write_state("running", self.first_step)
        except OSError as error:
            raise CompanionError(
                f"The folder {folder} cannot be written ({error.strerror}); choose another --out."
            ) from None

    def train(
        self, trainer: Trainer[Any], batches: Batches[Any], *, steps: int
    ) -> Generator[Report, None, None]:
        """`trainer.run`, leaving the files of this folder; continues from the checkpoint if there is one.

        Leaving the loop early is safe: the checkpoint is written then too.

        Raises:
            CompanionError: One of the trainer's products is no registered model (said before the first step), a loss
                or a weight is no longer finite, the disk is full, or the checkpoint is damaged.
        """
        for model in trainer.products().values():
            model_of(model)
        self.restore(trainer)
        if not self.processes.main:
            yield from trainer.run(batches, steps=steps)
            return
        try:
            yield from self._train(trainer, batches, steps)
        except OSError as error:
            raise unwritable(self.folder, error, then=GO_ON) from None

    def _train(
        self, trainer: Trainer[Any], batches: Batches[Any], steps: int
    ) -> Generator[Report, None, None]:
        grid_every = max(1, steps // GRIDS)
        last_checkpoint = last = time.monotonic()
        status = "failed"
        with self._metrics_after(trainer.step) as rows:
            writer = csv.writer(rows)
            try:
                for report in trainer.run(batches, steps=steps):
                    if report.step == 1:
                        writer.writerow(["step", *report.numbers])
                    writer.writerow([report.step, *report.numbers.values()])
                    now = time.monotonic()
                    self.seconds, last = self.seconds + now - last, now
                    if report.step % grid_every == 0 or report.step == steps:
                        self._save_grid(trainer)
                    if now - last_checkpoint > SECONDS_BETWEEN_CHECKPOINTS:
                        self._checkpoint(trainer, rows)
                        last_checkpoint = now
                    yield report
                self._checkpoint(trainer, rows)
                for name, model in trainer.products().items():
                    save_model(self.folder / f"{name}.safetensors", model)
                status = "finished"
            except GeneratorExit:  # the loop was left between two steps
                self._checkpoint(trainer, rows)
                status = "stopped"
            finally:  # after a NaN, or an interruption within a step, the last good checkpoint stays as it is
                rows.flush()
                self._write_state(status, trainer.step)
                losses_of_run(self.folder)

    def restore(self, trainer: Trainer[Any]) -> None:
        """Take the trainer to where the checkpoint stands, if there is one to continue from; `train` does it itself.

        Raises:
            CompanionError: The checkpoint is damaged, or another run's.
        """
        if not self._continues:
            return
        tensors, about = read_tensors(self.checkpoint_file)
        try:
            if about["run"] != self.identity:
                raise ValueError
            trainer.restore(tensors)
        except (LookupError, RuntimeError, ValueError):
            raise CompanionError(
                f"The checkpoint {self.checkpoint_file} belongs to another run; start again with --overwrite."
            ) from None

    @property
    def identity(self) -> str:
        """A checksum of the data and of all settings that shape a step; a checkpoint carries it."""
        shaping = {key: value for key, value in self.settings.items() if key not in ("steps", "data")}
        text = json.dumps([self.data_fingerprint, shaping], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def first_step(self) -> int:
        """How many steps earlier sittings have left behind."""
        if not self._continues:
            return 0
        try:
            return int(read_tensors(self.checkpoint_file)[1]["step"])
        except (KeyError, ValueError):
            raise CompanionError(
                f"The file {self.checkpoint_file} is no checkpoint of a run; start again with --overwrite."
            ) from None

    @property
    def _continues(self) -> bool:
        return self.resumed and self.checkpoint_file.is_file()

    @property
    def checkpoint_file(self) -> Path:
        """The last complete state."""
        return self.folder / "checkpoint" / "last.safetensors"

    def _checkpoint(self, trainer: Trainer[Any], rows: TextIO) -> None:
        state = trainer.state()
        if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
            raise CompanionError(
                f"A weight is no longer finite after step {trainer.step}, and training cannot recover from that; "
                "lower the learning rates or choose another objective."
            )
        rows.flush()  # the rows first: on resuming, those after the checkpoint are dropped again
        os.fsync(rows.fileno())
        about = {"step": str(trainer.step), "run": self.identity}
        write_tensors(self.checkpoint_file, state, about, then=GO_ON)
        self._write_state("running", trainer.step)

    def _metrics_after(self, step: int) -> TextIO:
        """The open metrics file, cut back to the rows up to `step`."""
        path = self.folder / "metrics.csv"
        kept: list[list[str]] = []
        if step and path.is_file():
            with open(path, encoding="utf-8", newline="") as old:
                kept = list(csv.reader(old))[: step + 1]  # the names of the columns, then a row a step
        if step and len(kept) < step + 1:
            raise CompanionError(
                f"{path} lacks rows that the checkpoint at step {step} stands on; start again with --overwrite."
            )
        table = io.StringIO()
        csv.writer(table).writerows(kept)
        write_text(path, table.getvalue(), then=GO_ON)
        return open(path, "a", encoding="utf-8", newline="")  # closed by the caller's with

    def _save_grid(self, trainer: Trainer[Any]) -> None:
        shown = trainer.preview()
        if shown is not None:
            with replacing(self.folder / "samples" / f"{trainer.step:06d}.png", then=GO_ON) as file:
                image_grid(shown).save(file, "PNG")

    def _take_up(self) -> None:
        about = read_run(self.folder)
        theirs: dict[str, object] = about["settings"]  # type: ignore[assignment]
        # a run may be made longer: no step depends on how many will follow; a folder may be spelled in many ways
        free = {"steps", "data"} if about["data_fingerprint"] == self.data_fingerprint else {"steps"}
        different = [
            key for key in self.settings if key not in free and theirs.get(key) != self.settings[key]
        ]
        if different:
            listed = ", ".join(_difference(key, theirs.get(key), self.settings[key]) for key in different)
            raise CompanionError(
                f"The run in {self.folder} was started with other settings ({listed}); "
                "resume it with the same ones, or choose another --out."
            )
        if about["data_fingerprint"] != self.data_fingerprint:
            raise CompanionError(
                f"The data has changed since the run in {self.folder} began; "
                "bring the old data back, or start again with --overwrite."
            )
        if int(about["step"]) > int(self.settings["steps"]):  # type: ignore[call-overload]
            raise CompanionError(
                f"The run in {self.folder} has made {about['step']} steps already; ask for as many or more."
            )
        self.resumed = True
        self.seconds = float(about["seconds"])  # type: ignore[arg-type]

    def _clear(self) -> None:
        """Delete what a run made, and refuse a folder that holds anything else."""
        files = {
            p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("[!.]*") if not p.is_dir()
        }
        others = [name for name in files if not MADE_BY_A_RUN.fullmatch(name)]
        if others or not (self.folder / "run.json").is_file():
            named = ", ".join(sorted(others)[:3]) or "no run.json"
            raise CompanionError(
                f"The folder {self.folder} holds files that no run made ({named}), and they are not deleted; "
                "choose another --out."
            )
        for path in files.values():
            path.unlink()

    def _write_state(self, status: str, step: int) -> None:
        about = {
            "status": status,
            "step": step,
            "seconds": round(self.seconds, 2),
            "settings": self.settings,
            "data_fingerprint": self.data_fingerprint,
            "environment": asdict(environment(torch.device(str(self.settings["device"])))),
        }
        write_json(self.folder / "run.json", about, then=GO_ON)


def _difference(name: str, theirs: object, ours: object) -> str:
    """In which words two settings differ; of nested ones, only the parts that do."""
    if not (isinstance(theirs, dict) and isinstance(ours, dict)):
        return f"{name} {theirs}, not {ours}"
    parts = [key for key in ours if theirs.get(key) != ours[key]]
    if "name" in parts:  # another objective altogether
        return _difference(name, theirs.get("name"), ours["name"])
    return ", ".join(_difference(f"{name}'s {key}", theirs.get(key), ours[key]) for key in parts)


def read_run(folder: Path) -> dict[str, object]:
    """A run folder's `run.json`.

    Raises:
        CompanionError: The folder holds no run, or its `run.json` is damaged.
    """
    try:
        about: dict[str, object] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if not isinstance(about["settings"], dict):
            raise TypeError
        float(about["seconds"]), int(about["step"]), about["data_fingerprint"]  # type: ignore[call-overload, arg-type]
    except FileNotFoundError:
        raise CompanionError(f"The folder {folder} holds no run (no run.json); check the path.") from None
    except (ValueError, TypeError, KeyError):
        raise CompanionError(
            f"The file {folder / 'run.json'} is damaged; start again with --overwrite."
        ) from None
    return about
