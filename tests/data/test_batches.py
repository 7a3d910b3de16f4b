"""Guards batches of more than images: they are handled like the one tensor they stand in for."""

import pytest
import torch

from companion.data.batches import Domains, Labelled, Pair


def images(count: int, first: int = 0) -> torch.Tensor:
    """Image n is filled with n."""
    return torch.arange(first, first + count).float().view(-1, 1, 1, 1).expand(-1, 3, 4, 4)


def labelled(count: int) -> Labelled:
    return Labelled(images(count), torch.arange(count))


def shown(batch: torch.Tensor) -> list[int]:
    return batch[:, 0, 0, 0].int().tolist()


def test_rows_are_chosen_together_however_they_are_asked_for():
    batch = labelled(6)
    mask = [True, False, False, True, False, False]
    asked = (slice(0, 4, 3), [0, 3], torch.tensor([0, 3]), mask, torch.tensor(mask))
    for index in asked:
        chosen = batch[index]
        assert isinstance(chosen, Labelled)
        assert len(chosen) == 2
        assert shown(chosen.images) == chosen.labels.tolist() == [0, 3]


def test_splits_and_parts_are_the_whole_again_in_its_order():
    """Parts are `torch.tensor_split`'s, so that a plain tensor beside the batch is shared out in the same way."""
    batch = labelled(7)
    assert [len(part) for part in batch.split(3)] == [3, 3, 1]
    parts = [batch.part(rank, 3) for rank in range(3)]
    assert (
        [len(part) for part in parts] == [len(part) for part in torch.arange(7).tensor_split(3)] == [3, 2, 2]
    )
    for pieces in (batch.split(3), parts):
        whole = Labelled.joined(pieces)
        assert shown(whole.images) == whole.labels.tolist() == list(range(7))


def test_a_batch_moves_as_a_whole_and_only_its_images_have_a_layout():
    batch = labelled(2).to("meta", torch.channels_last)
    assert {tensor.device.type for tensor in batch.tensors} == {"meta"}
    pair = Pair(images(2), images(2)).to("cpu", torch.channels_last)
    assert all(side.is_contiguous(memory_format=torch.channels_last) for side in pair.tensors)
    assert labelled(2).to("cpu").labels.dtype == torch.int64


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="Domains has tensors of different lengths: a 3, b 2"):
        Domains(images(3), images(2))
