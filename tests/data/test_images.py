"""Guards image sets and their batches: ranges, shapes, and that a batch is a function of seed and index alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from companion.data import Images, Shuffled, load
from companion.data.sets import faces
from companion.errors import CompanionError


def numbered(count: int) -> Images:
    """Image n is filled with n."""
    return Images("numbered", torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2))


def shown(batch: torch.Tensor) -> list[int]:
    return ((batch[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def test_bytes_become_floats_from_minus_one_to_one():
    images = Images("two", torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1, 1))
    assert images[:].flatten().tolist() == pytest.approx([-1, 1, -0.6])
    assert images[torch.tensor([1])].item() == 1
    assert images[:].dtype == torch.float32
    assert len(images) == 3


@settings(max_examples=30)
@given(count=st.integers(1, 40), size=st.integers(1, 12), seed=st.integers(0, 2**40), data=st.data())
def test_a_batch_depends_on_seed_and_index_alone(count, size, seed, data):
    """Asked in any order, by any object, it is the same."""
    size = min(size, count)
    indices = data.draw(st.lists(st.integers(0, 200), min_size=2, max_size=6))
    one = Shuffled(numbered(count), size, seed)
    for index in indices:
        assert torch.equal(one[index], Shuffled(numbered(count), size, seed)[index])


def test_each_round_shows_every_image_at_most_once_in_a_new_order():
    """Ten images in batches of three: nine different ones a round, the one left over not always the same."""
    batches = Shuffled(numbered(10), 3, seed=1)
    rounds = [[n for i in range(3) for n in shown(batches[3 * r + i])] for r in range(40)]
    assert all(len(set(order)) == 9 for order in rounds)
    assert len({tuple(order) for order in rounds}) == 40
    assert {(set(range(10)) - set(order)).pop() for order in rounds} == set(range(10))


def test_another_seed_gives_another_order():
    orders = {tuple(shown(Shuffled(numbered(50), 50, seed)[0])) for seed in range(20)}
    assert len(orders) == 20


def test_batches_leave_the_readers_random_numbers_alone():
    torch.manual_seed(2)
    wanted = torch.rand(2)
    torch.manual_seed(2)
    Shuffled(numbered(10), 3)[7]
    assert torch.equal(torch.rand(2), wanted)


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_batch_that_cannot_be_drawn_is_refused(size):
    with pytest.raises(
        CompanionError, match=f"batch of {size} .* holds 10 images; choose a batch from 1 to 10"
    ):
        Shuffled(numbered(10), size)


def test_a_set_of_one_image_is_told_so_by_its_name():
    with pytest.raises(CompanionError, match="from “.*”, which holds 1 image; choose a batch of 1"):
        Shuffled(numbered(1), 2)


@pytest.mark.parametrize("size", [8, 16, 32, 37])
def test_the_embedded_digits_come_at_any_size_with_labels(size):
    images = load("digits", size=size)
    assert images.pixels.shape == (1797, 1, size, size)
    assert images.pixels.dtype == torch.uint8
    assert images.labels is not None
    assert images.pixels.max() > 200
    assert images.pixels.min() == 0
    assert images.name == "digits"


def test_mnist_is_padded_to_its_usual_frame_not_stretched(mnist_cached):
    from companion.data.sets import digits

    small, _ = digits.published("mnist", "test")
    images = load("mnist-test")
    assert torch.equal(images.pixels[:, :, 2:30, 2:30], small)
    frame = images.pixels.clone()
    frame[:, :, 2:30, 2:30] = 0
    assert frame.sum() == 0
    assert torch.equal(load("mnist-test", size=28).pixels, small)


def test_the_fingerprint_changes_with_any_pixel_and_with_nothing_else():
    pixels = torch.randint(256, (5, 3, 4, 4), dtype=torch.uint8)
    changed = pixels.clone()
    changed[4, 2, 3, 3] += 1
    same = Images("other name", pixels.to(memory_format=torch.channels_last))
    assert Images("a", pixels).fingerprint == same.fingerprint
    assert Images("a", pixels).fingerprint != Images("a", changed).fingerprint


def test_a_folder_is_loaded_under_its_own_name_with_what_was_skipped(tmp_path):
    folder = tmp_path / "holidays"
    folder.mkdir()
    Image.new("RGB", (9, 9), "white").save(folder / "a.png")
    (folder / "b.jpg").touch()
    for source in (folder, str(folder), f"{folder}/"):
        images = load(source, size=16)
        assert (images.name, images.skipped, images.labels) == ("holidays", ("b.jpg",), None)
        assert images.pixels.shape == (1, 3, 16, 16)


def test_a_misspelt_name_is_answered_with_the_nearest_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CompanionError, match="“mnst”; did you mean mnist"):
        load("mnst")
    with pytest.raises(CompanionError, match="does not exist"):
        load("photos/")  # by its slash, a folder


@pytest.mark.parametrize("size", [0, -32])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(CompanionError, match=f"cannot be {size} pixels"):
        load("digits", size=size)


@pytest.mark.parametrize("name", ["portraits", "caricatures"])
def test_drawn_faces_are_a_named_set_and_the_test_set_shows_other_people(name, monkeypatch):
    monkeypatch.setattr(faces, "PEOPLE", 6)
    monkeypatch.setattr(faces, "TEST_PEOPLE", 4)
    train, test = load(name, size=16), load(f"{name}-test", size=16)
    assert (train.name, test.name) == (name, f"{name}-test")
    assert train.pixels.shape == (6, 3, 16, 16)
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert test.labels.tolist() == [6, 7, 8, 9]  # those who come after
