"""Guards the network that reads faces."""

import pytest
import torch

from companion.models.reader import FaceReader, FaceReaderConfig
from companion.models.store import load_model, save_model


@pytest.mark.parametrize("size", [32, 64])
def test_shapes_and_that_every_pixel_counts(size):
    torch.manual_seed(0)
    model = FaceReader(FaceReaderConfig(outputs=5, size=size, width=4)).eval()
    images = torch.randn(2, 3, size, size, requires_grad=True)
    outputs = model(images)
    assert outputs.shape == (2, 5)
    outputs.square().sum().backward()
    assert (images.grad.abs().sum(1) > 0).float().mean() > 0.95


def test_a_stored_reader_reads_the_same(tmp_path):
    model = FaceReader(FaceReaderConfig(outputs=3, size=32, width=4)).eval()
    save_model(tmp_path / "reader.safetensors", model)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(load_model(tmp_path / "reader.safetensors")(images), model(images))
