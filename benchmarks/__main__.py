"""`python -m benchmarks`: measure, show, record."""

import argparse
from pathlib import Path

from benchmarks import faces, peers, vision
from benchmarks.loops import GAMES, mimicry, ours, torchgan
from benchmarks.report import RESULTS, command, faces_table, plain, record, render, table, vision_table, write
from benchmarks.timing import Protocol, measure
from companion.errors import CompanionError

QUICK = Protocol(batches=(4,), rounds=2, images_per_turn=4, warm_up=1)


def main(arguments: list[str] | None = None) -> None:
    """Time the contenders; the README of the numbers is `benchmarks/loops.py`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two steps each, to see that all works; not recorded"
    )
    parser.add_argument(
        "--ours-only", action="store_true", help="leave the other libraries out, fetch nothing"
    )
    parser.add_argument(
        "--compiled",
        action="store_true",
        help="also ours, and the faces, through torch.compile (minutes more)",
    )
    parser.add_argument("--rounds", type=int, default=Protocol.rounds, help="rounds (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the record (default: benchmarks/results)")
    chosen = parser.parse_args(arguments)

    contenders = [ours(), ours(bfloat16=True)]
    notes = []
    if chosen.compiled:
        contenders.append(ours(bfloat16=True, compiled=True))
    if not chosen.ours_only:
        if problem := peers.install():
            notes.append(problem)
        contenders = [torchgan(), mimicry(), *contenders]
    protocol = QUICK if chosen.quick else Protocol(rounds=chosen.rounds)
    given = command("benchmarks", arguments)
    found = record(measure(GAMES, contenders, protocol), protocol, notes, given)
    print(plain(table(found)))
    for note in notes:
        print(note)
    drawn = faces.run(compiled=chosen.compiled, quick=chosen.quick, rounds=chosen.rounds, command=given)
    print(plain(faces_table(drawn)))
    try:
        tracked = vision.run(quick=chosen.quick)
        print(plain(vision_table(tracked)))
    except CompanionError as error:  # without MediaPipe or its models the rest is measured all the same
        tracked = None
        print(error)
    out = chosen.out or (None if chosen.quick else RESULTS)
    if out:
        write(found, out)
        faces.write(drawn, out)
        if tracked:
            vision.write(tracked, out)
        render(out)
        print(f"Recorded in {out}; throughput.md holds the tables")


if __name__ == "__main__":
    main()
