"""Guards the count of faces found on labelled photographs: labels that hold, right sums, a record that says so."""

import numpy as np
import pytest

from companion.data.assets import cache_folder
from companion.records import read_details, read_record
from companion.reproduce import reproduce
from companion.reproduce.ch08 import found


def test_labels_are_points_in_pictures():
    marked = found.labels()
    points = [point for pictures in marked.values() for each in pictures.values() for point in each]
    assert all(0 < x < 1 and 0 < y < 1 for x, y in points)
    assert sum(len(each) for each in marked["face"].values()) == 19
    assert sum(not each for each in marked["face"].values()) == 7  # animals and hands: nobody's face
    assert len(marked["drawing"]) == 3


@pytest.mark.parametrize(
    ("finds", "expected"),
    [
        ([(0.5, 0.5)], {"labelled": 2, "found": 1, "false": 0}),
        (
            [(0.53, 0.5), (0.55, 0.5)],
            {"labelled": 2, "found": 1, "false": 0},
        ),  # one face twice is no other face
        ([(0.5, 0.5), (0.2, 0.1)], {"labelled": 2, "found": 2, "false": 0}),
        ([(0.8, 0.5)], {"labelled": 2, "found": 0, "false": 1}),
        ([], {"labelled": 2, "found": 0, "false": 0}),
    ],
)
def test_counts_of_a_known_finder(monkeypatch, tmp_path, finds, expected):
    monkeypatch.setattr(found, "as_picture", lambda path: np.zeros((100, 100, 3), np.uint8))
    count = found._count(lambda picture: finds, tmp_path, {"a.jpg": [(0.5, 0.5), (0.2, 0.1)]})
    assert {key: count[key] for key in expected} == expected


def test_the_record_counts_every_finder_on_the_photographs(kinds, tmp_path):
    if not (cache_folder() / "vision-photos").is_dir():
        pytest.skip("the labelled photographs are not at hand")
    path = reproduce("faces-found", tmp_path / "out", tmp_path / "work", budget="debug")
    metrics = read_record(path).metrics
    names = {metric.name.split(":")[0] for metric in metrics}
    swapped = "FaceDetector, colours swapped"
    assert names == {"FaceDetector", "FaceDetector in tiles", "FaceMesh", "PoseEstimator", swapped}
    assert all(metric.protocol for metric in metrics)
    assert read_details(path)["face"]["FaceDetector"]["labelled"] == 2
