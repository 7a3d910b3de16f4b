"""Guards the privacy filter: every face found is hidden, nothing else changes, and nothing flickers."""

import numpy as np
import pytest
import torch

from companion.data.degrade import Camera, blur
from companion.errors import CompanionError
from companion.vision import Box, FaceDetector, Frame, as_picture
from companion.vision.privacy import all_faces, blurred, covered, hide_faces, hide_in_video, pixelated, shaken
from companion.vision.sources import Pictures


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (60, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize("hiding", [blurred, pixelated, covered, shaken])
def test_hiding_keeps_the_shape_and_takes_the_detail(noise, hiding):
    hidden = hiding(noise)
    assert hidden.shape == noise.shape
    assert hidden.dtype == np.uint8
    assert hidden.std() < 0.5 * noise.std()
    assert abs(hidden.mean() - noise.mean()) < 10
    assert (hiding(noise) == hidden).all()


def test_a_cover_leaves_nothing_not_even_how_light_a_face_is(noise):
    assert (covered(noise) == covered(noise // 3)).all()
    assert len(np.unique(covered(noise))) == 1


def test_a_shake_is_chapter_2s_blur_and_noise(noise):
    """Its first kernel over the whole face, the border repeated, then its noise."""
    camera = Camera()
    margin = camera.size // 2
    wide = torch.from_numpy(np.pad(noise, ((margin,) * 2, (margin,) * 2, (0, 0)), mode="edge"))
    wanted = blur(wide.permute(2, 0, 1)[None].float(), camera.kernels()[:1])[0].permute(1, 2, 0)
    apart = torch.from_numpy(shaken(noise)).float() - wanted
    assert apart.abs().max() < 6 * camera.noise * 127.5 + 1
    assert apart.std() == pytest.approx(camera.noise * 127.5, rel=0.1)


def test_pixels_outside_the_face_stay_and_inside_change(noise):
    box = Box(20, 20, 30, 40)
    hidden = hide_faces(noise, [box], covered)
    changed = (hidden != noise).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert 20 - 0.35 * 20 - 1 <= rows.min() < 20  # past the box, by the margin
    assert 40 < rows.max() <= 40 + 0.35 * 20 + 1
    assert 20 - 0.35 * 10 - 1 <= columns.min() < 20
    assert changed[20:40, 20:30].mean() > 0.98


@pytest.mark.parametrize(
    "box", [Box(-20, -20, 10, 10), Box(45, 50, 80, 90), Box(-5, -5, 55, 65), Box(200, 200, 210, 210)]
)
def test_a_face_on_the_border_or_beyond_is_no_trouble(noise, box):
    hidden = hide_faces(noise, [box])
    assert hidden.shape == noise.shape
    assert (hidden != noise).any() == (box.left < 50)


def test_after_hiding_no_face_is_found_any_more(tracker, person):
    faces = tracker(FaceDetector)
    boxes = all_faces(faces, person)
    assert boxes
    for hiding in (blurred, pixelated, covered):
        assert faces.find(hide_faces(person, boxes, hiding)) == []


def test_each_face_is_found_once_though_tiles_overlap(tracker, person):
    (face,) = tracker(FaceDetector).find(person)
    beside = np.concatenate([person, person[:, ::-1]], axis=1)
    boxes = all_faces(tracker(FaceDetector), beside)
    near = [box for box in boxes if abs(box.height - face.box.height) < 0.3 * face.box.height]
    assert len(near) == 2


def test_a_small_face_is_found_in_a_tile(tracker, photo):
    """The skier's face is 20 of 640 pixels wide: the detector alone, which sees 128 × 128, overlooks it."""
    picture = as_picture(photo("coco_000000000785_skier.jpg"))
    assert tracker(FaceDetector).find(picture) == []
    boxes = all_faces(tracker(FaceDetector), picture)
    assert any(box.left < 376 < box.right and box.top < 85 < box.bottom for box in boxes), boxes


class Blinking:
    """A detector that sees the face in some frames only."""

    def __init__(self, sees: list[bool]) -> None:
        self.sees = iter(sees)

    def find(self, picture: np.ndarray) -> list:
        from companion.vision import Face

        box = Box(20, 20, 30, 40)
        return [Face(np.zeros((6, 3), np.float32), 50, 60, box, 0.9)] if next(self.sees) else []


@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("linger", [0, 2, 20])  # frames, a tenth of a second each
def test_a_face_is_hidden_in_the_frames_around_those_it_was_found_in(noise, count, linger):
    sees = [index == 4 or count < 9 for index in range(count)]
    frames = [Frame(noise, index / 10, str(index)) for index in range(count)]
    results = list(hide_in_video(frames, Blinking(sees), covered, linger=linger / 10))
    assert [frame for frame, _ in results] == frames
    hidden = [bool((picture != noise).any()) for _, picture in results]
    assert hidden == [any(sees[max(0, index - linger) : index + linger + 1]) for index in range(count)]


def test_pictures_of_a_folder_have_nothing_to_do_with_each_other(noise, tmp_path):
    from PIL import Image

    from companion.vision.privacy import hide_in_source

    for index in range(3):
        Image.fromarray(noise).save(tmp_path / f"{index}.png")
    results = list(hide_in_source(Pictures.below(tmp_path), Blinking([False, True, False]), covered))
    assert [bool((picture != noise).any()) for _, picture in results] == [False, True, False]


def test_what_was_whole_of_a_damaged_film_is_hidden_and_kept():
    """Frames wait for those after them; a film that breaks off must not take them along."""

    class Nobody:
        def find(self, picture):
            return []

    def frames():
        for number in range(9):
            yield Frame(np.full((48, 64, 3), number, np.uint8), number / 25, str(number))
        raise CompanionError("It breaks off.")

    seen = []
    with pytest.raises(CompanionError, match="breaks off"):
        for frame, _ in hide_in_video(frames(), Nobody()):
            seen.append(frame.name)
    assert seen == [str(number) for number in range(9)]
