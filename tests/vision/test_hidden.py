"""Guards the measurement of hidden faces: names by the nearest, faces cut to size, and a record that says so."""

import numpy as np
import pytest

from companion.data.assets import cache_folder
from companion.models.deblur import Restorer, RestorerConfig
from companion.records import read_details, read_record
from companion.reproduce import reproduce
from companion.reproduce.ch08 import hidden
from companion.vision import Box, FaceMesh, as_picture
from companion.vision.privacy import all_faces, covered


def people(spread: float) -> list[np.ndarray]:
    """Ten pictures of each of four people, who differ by a shade, with noise of a given spread."""
    rng = np.random.default_rng(1)
    shades = np.repeat([40, 100, 160, 220], 10)
    return [(shade + rng.normal(0, spread, (6, 5, 3))).clip(0, 255).astype(np.uint8) for shade in shades]


def test_strangers_get_the_name_of_the_nearest():
    assert hidden.named_rightly(people(5)) == 1
    assert hidden.named_rightly([covered(photo) for photo in people(5)]) == 1 / 4  # all alike: a guess
    exchanged = people(5)
    exchanged[5], exchanged[15] = exchanged[15], exchanged[5]  # two strangers in each other's place
    assert hidden.named_rightly(exchanged) == pytest.approx(18 / 20)


def test_a_face_is_cut_out_in_its_middle_and_at_its_height():
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[60:140, 200:280] = 255  # a face of 80 pixels near the border
    part = hidden.cut(picture, Box(200, 60, 280, 140), 40, margin=7)
    assert part.shape == (100 + 14, 100 + 14, 3)
    inside = part[..., 0] > 127
    assert np.flatnonzero(inside.any(1))[[0, -1]].tolist() == [37, 76]
    assert np.flatnonzero(inside.any(0))[[0, -1]].tolist() == [37, 76]


def test_a_mesh_moved_by_one_distance_between_the_eyes_is_off_by_one(tracker, person):
    (mesh,) = tracker(FaceMesh).find(person)
    right, left = mesh.normalised[list(hidden.EYES)]
    moved = type(mesh)(mesh.normalised + (left - right), mesh.width, mesh.height, mesh.blendshapes)
    assert hidden.off(mesh, mesh) == 0
    assert hidden.off(moved, mesh) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_the_record_says_what_each_way_leaves(kinds, tmp_path, monkeypatch):
    """An untrained network restores nothing, so that before and after are the same."""
    for name in ("orl-att", "vision-photos"):
        if not (cache_folder() / name).is_dir():
            pytest.skip(f"{name} is not at hand")
    monkeypatch.setattr(hidden, "restorer", lambda name: Restorer(RestorerConfig(width=2, blocks=0)).eval())
    path = reproduce("faces-hidden", tmp_path / "out", tmp_path / "work", budget="debug")
    details = read_details(path)
    named = details["people"]
    assert list(named) == list(hidden.WAYS)
    assert named["covered"] == {"hidden": 0.5}  # two people: a guess
    assert {name for name in named if "restored" in named[name]} == hidden.UNDONE
    assert all(named[name]["hidden"] == named[name]["restored"] for name in hidden.UNDONE)
    faces = details["faces"]["32"]
    assert [face["shake"] for face in faces] == [0, 1, 2, 3]
    assert all(10 < face["psnr shaken"] == face["psnr restored"] < 40 for face in faces)
    assert all(metric.protocol for metric in read_record(path).metrics)


def test_labelled_faces_are_those_measured(tracker, photo):
    from companion.reproduce.ch08.found import labels
    from companion.vision import FaceDetector

    picture = as_picture(photo("mm_pointing_up.jpg"))
    boxes = all_faces(tracker(FaceDetector), picture)
    points = labels()["face"]["mm_pointing_up.jpg"]
    assert len(hidden._marked(boxes, points, picture)) == 1
    assert hidden._marked(boxes, [(0.01, 0.99)], picture) == []
