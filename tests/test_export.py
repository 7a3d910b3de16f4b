"""Guards the ONNX files: every registered model's answers as torch's, at other sizes too, and one line about it."""

import sys

import pytest
import torch
from house import sampled
from networks import woken

from companion import export
from companion.errors import CompanionError
from companion.export import as_onnx, export_model, largest_difference
from companion.models.registry import models, signature_of
from companion.models.store import save_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


# Each takes a quarter of a minute or more. What they are made of is exported and compared elsewhere, too: whenever the
# site is built, or in another one here.
LONG = {
    *("anyblur.KernelRestorer", "anyblur.PlainRestorer", "anyblur.ToldRestorer", "deblur.Restorer"),
    *("likeness.LikenessReader", "munit.Translator", "sagan.Generator", "unet.UNet"),
}


@pytest.mark.parametrize("name", sampled(models(), models().keys() - LONG))
@pytest.mark.full
def test_every_registered_model_is_exported_and_agrees(name, capfd):
    """Within a thousandth, far less than half a grey level, and without a word; free sizes keep their names."""
    network = woken(models()[name])
    written = as_onnx(network)
    assert capfd.readouterr() == ("", "")
    assert largest_difference(network, written) < 1e-3
    graph = onnx.load_from_string(written).graph
    signature = signature_of(network)
    for port, given in zip(signature.inputs, graph.input, strict=True):
        assert given.name == port.name
        sizes = given.type.tensor_type.shape.dim
        assert tuple(size.dim_param or size.dim_value for size in sizes) == port.shape
    assert [given.name for given in graph.output] == [port.name for port in signature.outputs]


@pytest.mark.slow
@pytest.mark.api
def test_sizes_that_are_fixed_are_numbers_in_the_file():
    network = woken(models()["deblur.Restorer"])
    sizes = {"batch": 1, "height": 24, "width": 40}
    written = as_onnx(network, sizes=sizes)
    (given,) = onnx.load_from_string(written).graph.input
    assert [size.dim_value for size in given.type.tensor_type.shape.dim] == [1, 3, 24, 40]
    assert largest_difference(network, written, sizes=sizes) < 1e-3


@pytest.fixture
def generator(tmp_path):
    model = models()["dcgan.Generator"]
    network = model.build(model.config(size=16, width=16)).eval()
    save_model(tmp_path / "run/generator.safetensors", network)
    return network


@pytest.mark.full
def test_half_the_file_answers_nearly_the_same(tmp_path, generator):
    """The weights take half the room; inputs and outputs stay float32."""
    whole = export_model(str(tmp_path / "run"), tmp_path / "out/whole.onnx")
    half = export_model(str(tmp_path / "run/generator.safetensors"), tmp_path / "half.onnx", half=True)
    assert whole.size == (tmp_path / "out/whole.onnx").stat().st_size
    assert half.size < 0.6 * whole.size
    assert whole.difference < half.difference < 1 / 255
    session = onnxruntime.InferenceSession(tmp_path / "half.onnx", providers=["CPUExecutionProvider"])
    latents = torch.randn(5, 64)
    (images,) = session.run(["images"], {"latents": latents.numpy()})
    with torch.inference_mode():
        torch.testing.assert_close(torch.from_numpy(images), generator(latents), rtol=0, atol=1 / 255)


@pytest.mark.slow
@pytest.mark.api
def test_one_line_says_what_was_written_and_how_far_it_is_from_torch(tmp_path, generator):
    said = str(export_model(str(tmp_path / "run"), tmp_path / "g.onnx"))
    assert "\n" not in said
    assert "latents (batch, 64) → images (batch, 1, 16, 16)" in said
    assert "differs from torch by at most" in said


@pytest.mark.full
def test_nothing_is_overwritten_and_nothing_half_written(tmp_path, generator, monkeypatch):
    (tmp_path / "g.onnx").write_text("somebody else's")
    with pytest.raises(CompanionError, match="not overwritten"):
        export_model(str(tmp_path / "run"), tmp_path / "g.onnx")
    with pytest.raises(CompanionError, match="Could not write"):
        export_model(str(tmp_path / "run"), tmp_path / "g.onnx/below.onnx")
    monkeypatch.setattr(export, "largest_difference", lambda network, written: float("nan"))
    with pytest.raises(CompanionError, match="differs from torch by nan .*nothing was kept"):
        export_model(str(tmp_path / "run"), tmp_path / "other.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.onnx", "run"]


@pytest.mark.slow
@pytest.mark.api
def test_a_difference_is_found(generator):
    """The control: another network's file."""
    other = models()["dcgan.Generator"].build(generator.config).eval()
    with torch.no_grad():
        other.layers[-2].weight.mul_(50)
    assert largest_difference(other, as_onnx(generator)) > 1 / 255


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_package_that_is_missing_is_one_sentence(tmp_path, generator, monkeypatch, missing):
    monkeypatch.setattr(
        export, "as_onnx", export.as_onnx if missing != "onnxruntime" else lambda *_, **__: b""
    )
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CompanionError, match=rf"needs {missing}; .*pip install onnx"):
        export_model(str(tmp_path / "run"), tmp_path / "g.onnx")


def test_an_unknown_model_is_one_sentence(tmp_path):
    with pytest.raises(CompanionError, match="no pretrained run called “nothing”"):
        export_model("nothing", tmp_path / "g.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CompanionError, match=r"There is no file .*generator\.safetensors"):
        export_model(str(tmp_path / "empty"), tmp_path / "g.onnx")
