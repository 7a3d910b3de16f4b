"""Guards run records: what is written is read back, equal ones are equal files, and whatever is wrong is named."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from companion.errors import CompanionError
from companion.records import (
    Environment,
    Measurement,
    Record,
    number,
    read_details,
    read_record,
    records_in,
    with_spread,
    write_record,
)

MACHINE = Environment("cpu", "a processor", 2, 1, {"torch": "2.14"}, "2026-01-01")
METRICS = (
    Measurement("gain", 5.5, "68 pictures", 0.25, interval=(5.0, 6.0), n=34),
    Measurement("accuracy", 1, "test digits"),
)
RECORD = Record("a", "A", 2, "make a", "laptop", (1, 2), 60.5, MACHINE, {"steps": 3, "shake": None}, METRICS)


def test_a_record_and_its_details_come_back_as_they_were(tmp_path):
    details = {"runs": {"Käthe": [1.5, None, True]}}
    path = write_record(tmp_path / "out", RECORD, details)
    assert path == tmp_path / "out/a.json"
    assert read_record(path) == RECORD
    assert read_details(path) == details
    assert records_in(tmp_path / "out") == [RECORD]


def test_a_run_without_details_leaves_no_second_file(tmp_path):
    path = write_record(tmp_path, RECORD, {})
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert read_details(path) == {}


def test_equal_runs_leave_equal_files(tmp_path):
    """Neither the time nor the place of writing is in them."""
    for folder in ("one", "two"):
        write_record(tmp_path / folder, RECORD, {"curve": [0.1] * 1000})
    one, two = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert (tmp_path / "one/a.details.json.gz").stat().st_size < 200


def test_what_a_number_lacks_takes_no_room(tmp_path):
    content = json.loads(write_record(tmp_path, RECORD, {}).read_text())
    assert content["metrics"][1] == {"name": "accuracy", "value": 1, "protocol": "test digits"}


def test_numbers_are_written_to_six_digits_and_read_back_so(tmp_path):
    """More digits than any was measured to would be a third of the records' bytes."""
    metrics = (Measurement("a", 21.900601379310345, "b", 1 / 3, (1e-9 / 3, 123456789.0)),)
    read = read_record(write_record(tmp_path, replace(RECORD, metrics=metrics, seconds=0.123456789), {}))
    assert read.metrics[0] == Measurement("a", 21.9006, "b", 0.333333, (3.33333e-10, 123457000.0))
    assert read.seconds == 0.123456789


def lacking(field):
    return lambda content: content.pop(field)


def setting(*path, to):
    def change(content):
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lacking("seeds"), "lacks “seeds” of the record"),
        (lambda content: content["metrics"][1].pop("protocol"), "lacks “protocol” of metrics"),
        (setting("colour", to="red"), "has a field “colour” that the record does not have"),
        (setting("environment", "mood", to=1), "has a field “mood” that environment does not have"),
        (setting("environment", to=[]), "has [] for “environment”"),
        (setting("chapter", to="two"), "has \"two\" for “chapter”"),
        (setting("chapter", to=True), "has true for “chapter”"),
        (setting("seconds", to=float("nan")), "holds no JSON, or a number that is none"),
        (setting("seeds", to=[1, "b"]), "has [1, \"b\"] for “seeds”"),
        (setting("metrics", 0, "interval", to=[1]), "has [1] for “interval”"),
        (setting("metrics", 0, "n", to="x"), "has \"x\" for “n”"),
        (setting("metrics", to={}), "has {} for “metrics”"),
        (setting("name", to="b"), "says that it is “b”"),
    ],
)  # fmt: skip
def test_each_fault_is_one_sentence_that_names_it(tmp_path, harm, said):
    path = write_record(tmp_path, RECORD, {})
    content = json.loads(path.read_text())
    harm(content)
    path.write_text(json.dumps(content))
    with pytest.raises(
        CompanionError, match=f"it {re.escape(said)}; make it again with its command"
    ) as error:
        read_record(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_none_is_said_to_be_none(tmp_path):
    with pytest.raises(CompanionError, match="There is no record at .*a.json"):
        read_record(tmp_path / "a.json")
    for content in (b"", b"{", b"\xff\xfe", b"[]", b"3"):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(CompanionError, match="is no record that can be used"):
            read_record(tmp_path / "a.json")


def test_damaged_details_are_named(tmp_path):
    path = write_record(tmp_path, RECORD, {"curve": list(range(100))})
    packed = tmp_path / "a.details.json.gz"
    whole = packed.read_bytes()
    for damaged in (b"", whole[:-9], whole[:20], b"x" + whole[1:], whole[:30] + b"\0\0\0" + whole[33:]):
        packed.write_bytes(damaged)
        with pytest.raises(CompanionError, match=r"a\.details\.json\.gz.* cut short or damaged"):
            read_details(path)


def test_a_measurement_prints_its_number_with_all_that_is_known_of_it():
    assert str(Measurement("FID", 12.3456, "how", 0.5)) == "FID: 12.3 ± 0.5\n    how"
    assert str(METRICS[0]) == "gain: 5.5 ± 0.25 [5, 6]\n    68 pictures, n = 34"
    assert METRICS[0].text == "5.50\u00a0±\u00a00.25 [5, 6]"
    assert METRICS[1].text == "1"
    assert METRICS[1].how == "test digits"


def test_a_measurement_is_found_by_its_name():
    assert RECORD.measured("gain") is METRICS[0]
    with pytest.raises(CompanionError, match="measured no “loss”"):
        replace(RECORD, metrics=()).measured("loss")


def test_numbers_show_what_was_measured_and_no_more():
    assert [number(value) for value in (3, 0.123456, 1234.5, 10000)] == [
        "3",
        "0.1235",
        "1\u202f234",
        "10\u202f000",
    ]
    assert with_spread(123.456, 12.3) == "123\u00a0±\u00a012"
    assert with_spread(0.123456, 0.00123) == "0.1235\u00a0±\u00a00.0012"
    assert with_spread(2.0, 0.0) == "2\u00a0±\u00a00"


def test_records_are_read_without_torch():
    """The site is built from them, and a page must not wait for torch."""
    code = "import companion.records, sys; print(sorted({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_records_of_the_wheel_stay_small():
    """What only draws figures is packed: a record takes less than half of what one did, which was 28 kB on average."""
    import companion.pretrained

    folder = Path(companion.pretrained.__file__).parent
    records = list(folder.glob("*.json"))
    total = sum(file.stat().st_size for file in [*records, *folder.glob("*.gz")])
    assert total < 14_000 * len(records)
