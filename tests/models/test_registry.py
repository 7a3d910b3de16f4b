"""Guards every registered model with its signature: shapes, ranges, a round trip, and that each image stands alone."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from networks import woken
from safetensors import safe_open
from torch import Tensor, nn

import companion
from companion import pretrained
from companion.errors import CompanionError
from companion.models.configs import Config
from companion.models.registry import models, signature_of
from companion.models.store import load_model, save_model

IN_FILES = {  # what readers' files call their models, wherever the classes move
    "anyblur.KernelRestorer",
    "colour.Generator",
    "dcgan.Generator",
    "deblur.Restorer",
    "digits.DigitClassifier",
    "identity.FaceReader",
    "munit.Translator",
    "sagan.Generator",
}
every_model = pytest.mark.parametrize("model", models().values(), ids=list(models()))


def run(network: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        outputs = network(*inputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def test_every_model_of_the_folder_is_found_and_none_by_hand():
    """Each module that has a `MODELS` is in the registry; names in files outlive moves."""
    folder = Path(companion.__file__).parent / "models"
    declared = [path for path in folder.glob("*.py") if "\nMODELS = " in path.read_text(encoding="utf-8")]
    assert len(declared) == len({model.build.__module__ for model in models().values()}) > 0
    assert models().keys() >= IN_FILES


@every_model
def test_outputs_have_the_shapes_and_the_ranges_of_the_signature(model):
    network = woken(model)
    signature = signature_of(network)
    for sizes in ({"batch": 3}, {"batch": 1, "height": 17, "width": 30}):
        outputs = run(network, *signature.example(**sizes))
        assert len(outputs) == len(signature.outputs)
        for port, output in zip(signature.outputs, outputs, strict=True):
            wanted = port.draw({"batch": 2, "height": 24, "width": 40, **sizes}, torch.Generator()).shape
            assert output.shape == wanted
            assert output.dtype == torch.float32
            assert output.isfinite().all()
            assert port.low <= output.min() < output.max() <= port.high


@every_model
def test_an_example_is_valid_and_the_same_for_the_same_seed(model):
    config = model.small
    signature, example = model.signature(config), model.example(config, batch=500)
    for port, values in zip(signature.inputs, example, strict=True):
        assert values.dtype == torch.float32
        assert values.shape[0] == 500
        assert port.low <= values.min() < values.max() <= port.high
    assert all(map(torch.equal, example, model.example(config, batch=500)))
    assert not any(map(torch.equal, example, model.example(config, batch=500, seed=1)))


@every_model
@pytest.mark.slow
@pytest.mark.api
def test_a_saved_network_answers_the_same(model, tmp_path):
    network = woken(model)
    save_model(tmp_path / "m.safetensors", network)
    loaded = load_model(tmp_path / "m.safetensors")
    example = signature_of(network).example()
    assert type(loaded) is type(network)
    assert loaded.config == network.config
    assert all(map(torch.equal, run(loaded, *example), run(network, *example)))
    assert not any(value.is_meta for value in [*loaded.parameters(), *loaded.buffers()])
    assert all(weight.requires_grad for weight in loaded.parameters())


@every_model
def test_in_eval_mode_twice_is_the_same_and_each_of_a_batch_stands_alone(model):
    network = woken(model)
    example = signature_of(network).example(batch=4)
    together = run(network, *example)
    assert all(map(torch.equal, together, run(network, *example)))
    alone = [run(network, *(values[index : index + 1] for values in example)) for index in range(4)]
    for output, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(output, torch.cat(parts), rtol=1e-4, atol=1e-5)


@every_model
def test_a_config_comes_back_from_json(model):
    """JSON can hold each field, and an older file may lack any."""
    assert model.config.from_json(model.small.as_json()) == model.small
    assert model.config.from_json("{}") == model.config()
    types = {field.type for field in fields(model.config)}
    assert types <= {int, bool}
    assert issubclass(model.config, Config)


def test_latents_come_from_the_prior_that_the_signature_names():
    model = models()["colour.Generator"]
    uniform, normal = (replace(model.small, uniform=uniform) for uniform in (True, False))
    assert model.signature(uniform).prior == "uniform on [0, 1]"
    assert model.signature(normal).prior == "standard normal"
    assert 0 <= model.example(uniform, batch=2000)[0].min() < 0.01
    assert model.example(normal, batch=2000)[0].std() == pytest.approx(1, abs=0.05)
    assert models()["deblur.Restorer"].signature(models()["deblur.Restorer"].config()).prior is None


def test_only_a_model_from_colour_images_to_colour_images_of_any_size_restores():
    restoring = {name for name, model in models().items() if signature_of(woken(model)).restores}
    blind = {"anyblur.PlainRestorer", "anyblur.GatedRestorer", "anyblur.KernelRestorer"}
    assert restoring == {"deblur.Restorer", "unet.UNet", *blind}


def test_a_network_that_is_not_registered_has_no_signature():
    with pytest.raises(CompanionError, match="Linear is no registered model; add it to MODELS"):
        signature_of(nn.Linear(1, 1))


FILES = sorted((Path(companion.__file__).parent / "pretrained").glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.slow
@pytest.mark.api
def test_every_packaged_file_still_loads_and_fits_its_signature(path):
    network = pretrained.load(path.stem)
    with safe_open(path, "pt") as opened:
        assert models()[opened.metadata()["model"]].build is type(network)
    signature = signature_of(network)
    outputs = run(network, *signature.example(batch=1))
    assert [output.shape[1:] for output in outputs] == [
        tuple({"height": 24, "width": 40}.get(size, size) for size in port.shape[1:])
        for port in signature.outputs
    ]
