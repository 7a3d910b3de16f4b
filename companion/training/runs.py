"""Run folders: everything a run leaves behind, and how it is continued.

run.json        settings, environment, status, step, seconds; written first and deleted last
metrics.csv     one row a step, exact numbers, no times: equal runs have equal files
samples/        what the trainer shows, such as grids of the same latents over training
losses.png
checkpoint/     last.safetensors, replaced only by a complete one
NAME.safetensors   the trainer's products, such as the averaged generator, when the run has finished
.lock           held by the process that works here; a dead process holds nothing

Any `Trainer` can be run so. Of several processes the main one writes, and the others go along.
"""

import csv
import hashlib
import io
import json
import math
import os
import re
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from companion import plain
from companion.environment import environment
from companion.errors import CompanionError
from companion.files import remove_unfinished, replacing, shown, unwritable, write_bytes, write_json
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


class DamagedRun(CompanionError):
    """What a run left can't be trusted, and only beginning anew helps."""


@dataclass(frozen=True)
class Ways:
    """What a reader can do about a run that does not go on, in the words of the command that runs it."""

    go_on: str = "continue with --resume"  # once a disk that was full has room
    anew: str = "start again with --overwrite"
    elsewhere: str = "choose another --out"
    moved: str = "give --moved in place of --resume"  # empty: there is no such way


TRAINING = Ways()  # `companion train`


@dataclass
class Run:
    """A folder and the settings of the run it holds."""

    folder: Path
    settings: dict[str, object]
    data_fingerprint: str
    resumed: bool = False
    seconds: float = 0.0  # of training, over all sittings
    processes: Processes = ALONE
    ways: Ways = TRAINING
    moves: list[dict[str, Any]] = field(
        default_factory=list
    )  # to other devices or numbers of threads, with the step
    kept: int = 0  # the step of the last checkpoint; 0 before the first

    @classmethod
    def start(
        cls,
        folder: Path,
        settings: dict[str, object],
        data_fingerprint: str,
        *,
        resume: bool = False,
        overwrite: bool = False,
        moved: bool = False,
        processes: Processes = ALONE,
        ways: Ways = TRAINING,
    ) -> "Run":
        """Make the folder, or take up the run it holds.

        Args:
            folder: Where the run's files go.
            settings: All that fixes the run.
            data_fingerprint: Of the data it learns from.
            resume: Continue the run in the folder, if there is one.
            overwrite: Replace the run in the folder, if there is one.
            moved: Let it go on with another device or number of threads. Its bits are no longer those of a run that
                stayed where it was, and run.json says where it moved.
            processes: Those that train together.
            ways: What sentences about trouble advise.

        Raises:
            DamagedRun: It holds the run to resume, and parts of that are not as they were written.
            CompanionError: The folder holds something and neither `resume` nor `overwrite` says what to do with it;
                or it holds another run than the one to resume; or another process works in it; or it cannot be written.
        """
        run = cls(folder, settings, data_fingerprint, processes=processes, ways=ways)
        with processes.in_turn():
            if processes.main:
                run._begin(resume, overwrite, moved)
            else:
                run.resumed = resume  # the main process has found that it can be
        return run

    def _begin(self, resume: bool, overwrite: bool, moved: bool) -> None:
        folder = self.folder
        if folder.exists() and not folder.is_dir():
            raise CompanionError(f"There is a file at {shown(folder)}; {self.ways.elsewhere}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise CompanionError(
                f"Another process works in the folder {shown(folder)}; wait for it, or {self.ways.elsewhere}."
            ) from None
        except OSError as error:
            raise self._cannot_be_written(error) from None
        try:
            if _holds_something(folder):
                self._replace_or_continue(resume, overwrite, moved)
                self._look_through()
            remove_unfinished(folder)
            self._write_state("running", self.first_step)
        except (CompanionError, OSError) as error:
            self._lock.release(force=True)
            if not (folder / "run.json").exists():  # somebody else's folder: leave nothing in it
                (folder / ".lock").unlink(missing_ok=True)
            raise self._cannot_be_written(error) if isinstance(error, OSError) else error from None

    def _replace_or_continue(self, resume: bool, overwrite: bool, moved: bool) -> None:
        if resume:
            self._take_up(moved)
        elif overwrite:
            self._clear()
        else:
            raise CompanionError(
                f"The folder {shown(self.folder)} is not empty, and nothing is overwritten unasked; "
                "continue its run with --resume, replace it with --overwrite, or choose another --out."
            )

    def _cannot_be_written(self, error: OSError) -> CompanionError:
        return CompanionError(
            f"The folder {shown(self.folder)} cannot be written ({error.strerror or error}); "
            f"{self.ways.elsewhere}."
        )

    @cached_property
    def _lock(self) -> FileLock:
        """Held from the start to the end of training, or until the run is forgotten."""
        return FileLock(self.folder / ".lock", blocking=False)

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
            with self._lock:  # once more: it counts
                yield from self._train(trainer, batches, steps)
        except OSError as error:
            raise unwritable(self.folder, error, then=self.ways.go_on) from None
        finally:
            self._lock.release(force=True)

    def _train(
        self, trainer: Trainer[Any], batches: Batches[Any], steps: int
    ) -> Generator[Report, None, None]:
        grid_every = max(1, steps // GRIDS)
        last_checkpoint = last = time.monotonic()
        status = "failed"
        with self._metrics_after(trainer.step) as rows:
            try:
                for report in trainer.run(batches, steps=steps):
                    if report.step == 1:
                        rows.write("step", *report.numbers)
                    rows.write(report.step, *report.numbers.values())
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
                losses_of_run(self.folder, then=self.ways.go_on)

    def restore(self, trainer: Trainer[Any]) -> None:
        """Take the trainer to where the checkpoint stands, if there is one to continue from; `train` does it itself.

        Raises:
            CompanionError: The checkpoint is damaged, or another run's.
        """
        if not self._continues:
            return
        tensors, about = self._last()
        self._claim(about)
        try:
            trainer.restore(tensors)
        except (LookupError, RuntimeError, ValueError):
            raise self._another_runs from None
        self.kept = trainer.step

    def _look_through(self) -> None:
        """Refuse a checkpoint that is damaged or another run's, and rows that are not its own, before it is changed."""
        if self._continues:
            self._claim(self._last()[1])
            self._rows_until(self.first_step)

    def _claim(self, about: Mapping[str, str]) -> None:
        if about.get("run") not in (self.identity, self._before_moving):
            raise self._another_runs

    @property
    def _another_runs(self) -> CompanionError:
        return CompanionError(
            f"The checkpoint {self.checkpoint_file} belongs to another run; {self.ways.anew}."
        )

    def _last(self) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
        """The checkpoint's state and notes."""
        try:
            return read_tensors(self.checkpoint_file, then=self.ways.anew)
        except CompanionError as error:
            raise DamagedRun(str(error)) from None

    @property
    def identity(self) -> str:
        """A checksum of the data and of all settings that shape a step; a checkpoint carries it."""
        return self._identity_with(self.settings)

    def _identity_with(self, settings: Mapping[str, object]) -> str:
        shaping = {key: value for key, value in settings.items() if key not in ("steps", "data")}
        text = json.dumps([self.data_fingerprint, shaping], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def _before_moving(self) -> str | None:
        """The identity that the checkpoint has if it was written before the last move."""
        return (
            self._identity_with({**self.settings, "device": self.moves[-1]["from"][0]})
            if self.moves
            else None
        )

    @property
    def first_step(self) -> int:
        """How many steps earlier sittings have left behind."""
        if not self._continues:
            return 0
        try:
            return int(self._last()[1]["step"])
        except (KeyError, ValueError):
            raise DamagedRun(
                f"The file {self.checkpoint_file} is no checkpoint of a run; {self.ways.anew}."
            ) from None

    @property
    def _continues(self) -> bool:
        return self.resumed and self.checkpoint_file.is_file()

    @property
    def checkpoint_file(self) -> Path:
        """The last complete state."""
        return self.folder / "checkpoint" / "last.safetensors"

    def _checkpoint(self, trainer: Trainer[Any], rows: "Rows") -> None:
        state = trainer.state()
        if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
            raise CompanionError(
                f"A weight is no longer finite after step {trainer.step}, and training cannot recover from that; "
                "lower the learning rates or choose another objective."
            )
        rows.flush()  # the rows first: on resuming, those after the checkpoint are dropped again
        about = {"step": str(trainer.step), "run": self.identity, "rows": rows.checksum}
        write_tensors(self.checkpoint_file, state, about, then=self.ways.go_on)
        self.kept = trainer.step
        self._write_state("running", trainer.step)

    def _metrics_after(self, step: int) -> "Rows":
        """The open metrics file, cut back to the rows up to `step`."""
        path = self.folder / "metrics.csv"
        write_bytes(path, self._rows_until(step), then=self.ways.go_on)
        return Rows(path)

    def _rows_until(self, step: int) -> bytes:
        """The metrics file up to a step, as the checkpoint there knows it."""
        if not step:
            return b""
        path = self.folder / "metrics.csv"
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            lines = []
        content = b"".join(lines[: step + 1])  # the names of the columns, then a row a step
        known = self._last()[1].get("rows")  # older checkpoints know nothing of them
        if len(lines) < step + 1 or known not in (None, hashlib.sha256(content).hexdigest()):
            raise DamagedRun(
                f"The file {shown(path)} is not as the checkpoint at step {step} left it, so its rows cannot be "
                f"trusted; {self.ways.anew}."
            )
        return content

    def _save_grid(self, trainer: Trainer[Any]) -> None:
        shown = trainer.preview()
        if shown is not None:
            with replacing(self.folder / "samples" / f"{trainer.step:06d}.png", then=self.ways.go_on) as file:
                image_grid(shown).save(file, "PNG")

    def _take_up(self, moved: bool) -> None:
        about = read_run(self.folder, then=self.ways.anew)
        theirs = about.settings
        self.moves = [*about.moves]
        if moved:
            self._move(about)
        # a run may be made longer: no step depends on how many will follow; a folder may be spelled in many ways
        free = {"steps", "data"} if about.data_fingerprint == self.data_fingerprint else {"steps"}
        free |= {"device"} if moved else set()
        different = [
            key for key in self.settings if key not in free and theirs.get(key) != self.settings[key]
        ]
        if different:
            listed = ", ".join(_difference(key, theirs.get(key), self.settings[key]) for key in different)
            moving = (
                f"{self.ways.moved} if that is meant"
                if different == ["device"] and self.ways.moved
                else "resume it with the same ones"
            )
            raise CompanionError(
                f"The run in {shown(self.folder)} was started with other settings ({listed}); "
                f"{moving}, or {self.ways.elsewhere}."
            )
        if about.data_fingerprint != self.data_fingerprint:
            raise CompanionError(
                f"The data has changed since the run in {shown(self.folder)} began; "
                f"bring the old data back, or {self.ways.anew}."
            )
        threads, then = torch.get_num_threads(), about.threads
        if not moved and then not in (None, threads):
            raise CompanionError(
                f"The run in {shown(self.folder)} was begun with {_threads(then)}, and with {threads} its last digits "
                f"would differ; set OMP_NUM_THREADS={then}, or {self.ways.moved or self.ways.elsewhere}."
            )
        if about.step > int(self.settings["steps"]):  # type: ignore[call-overload]
            raise CompanionError(
                f"The run in {shown(self.folder)} has made {about.step} steps already; ask for as many or more."
            )
        self.resumed = True
        self.seconds = about.seconds

    def _move(self, about: "About") -> None:
        here = [self.settings["device"], torch.get_num_threads()]
        there = [about.settings["device"], about.threads]
        if here != there:
            self.moves.append({"step": about.step, "from": there, "to": here})

    def _clear(self) -> None:
        """Delete what a run made, and refuse a folder that holds anything else."""
        files = {
            p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("[!.]*") if not p.is_dir()
        }
        if others := [name for name in files if not MADE_BY_A_RUN.fullmatch(name)]:
            raise CompanionError(
                f"The folder {shown(self.folder)} holds files that no run made "
                f"({', '.join(map(shown, sorted(others)[:3]))}), and they are not deleted; choose another --out."
            )
        if "run.json" not in files:
            raise CompanionError(
                f"The folder {shown(self.folder)} holds no run (no run.json), and nothing in it is deleted; "
                "choose another --out."
            )
        # the state first, so that what a kill leaves can't be taken for a run that is done; run.json last
        for path in sorted(
            files.values(), key=lambda path: (path.name == "run.json", path != self.checkpoint_file)
        ):
            path.unlink()

    def _write_state(self, status: str, step: int) -> None:
        about = {
            "status": status,
            "step": step,
            "seconds": round(self.seconds, 2),
            "settings": self.settings,
            "data_fingerprint": self.data_fingerprint,
            "moves": self.moves,
            "environment": asdict(environment(torch.device(str(self.settings["device"])))),
        }
        write_json(self.folder / "run.json", about, then=self.ways.go_on)


def _difference(name: str, theirs: object, ours: object) -> str:
    """In which words two settings differ; of nested ones, only the parts that do."""
    if not (isinstance(theirs, dict) and isinstance(ours, dict)):
        return f"{name} {theirs}, not {ours}"
    parts = [key for key in ours if theirs.get(key) != ours[key]]
    if "name" in parts:  # another objective altogether
        return _difference(name, theirs.get("name"), ours["name"])
    return ", ".join(_difference(f"{name}'s {key}", theirs.get(key), ours[key]) for key in parts)


def _threads(count: int | None) -> str:
    return f"{count} thread" if count == 1 else f"{count} threads"


def _holds_something(folder: Path) -> bool:
    """Whether there is a file in a folder or below; hidden ones (.DS_Store) and empty folders count as nothing."""
    return any(
        not path.is_dir() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        for path in folder.rglob("*")
    )


class Rows:
    """The open metrics file: rows are added at its end, and their checksum is known."""

    def __init__(self, path: Path) -> None:
        self._digest = hashlib.sha256(path.read_bytes())
        self._file = open(path, "ab")

    def write(self, *cells: object) -> None:
        """Add a row; numbers keep all their digits."""
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        self._digest.update(line.getvalue().encode())
        self._file.write(line.getvalue().encode())

    def flush(self) -> None:
        """Bring the rows to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def checksum(self) -> str:
        """Of the whole file so far."""
        return self._digest.hexdigest()

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass(frozen=True)
class About:
    """What a run folder's `run.json` says of its run."""

    status: str
    step: int
    seconds: float
    settings: dict[str, Any]
    data_fingerprint: str
    environment: dict[str, Any]
    moves: list[Any] = field(default_factory=list)

    @property
    def threads(self) -> int | None:
        """The number of threads it ran with, where it says so."""
        threads = self.environment.get("threads")
        return threads if isinstance(threads, int) else None


def read_run(folder: Path, *, then: str = "give another run") -> About:
    """A run folder's `run.json`.

    Args:
        folder: Where the run is.
        then: What to do about a damaged one: the end of the sentence.

    Raises:
        DamagedRun: Its `run.json` is damaged.
        CompanionError: The folder holds no run.
    """
    try:
        content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        about = plain.read(About, content)
        if not (about.step >= 0 and 0 <= about.seconds < math.inf and "device" in about.settings):
            raise ValueError
    except FileNotFoundError:
        raise CompanionError(
            f"The folder {shown(folder)} holds no run (no run.json); check the path."
        ) from None
    except (ValueError, RecursionError, AttributeError, plain.Misfit):
        raise DamagedRun(f"The file {shown(folder / 'run.json')} is damaged; {then}.") from None
    return about
