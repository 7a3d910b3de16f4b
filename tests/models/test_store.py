"""Guards the model files: they load back as they were, never run code, and say so when they are damaged."""

import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from companion import files
from companion.errors import CompanionError
from companion.models.dcgan import DCGANConfig, Generator
from companion.models.deblur import Restorer, RestorerConfig
from companion.models.digits import DigitClassifier, DigitClassifierConfig
from companion.models.store import load_model, read_tensors, save_model, write_tensors


def small_generator() -> Generator:
    return Generator(DCGANConfig(size=16, channels=3, latents=4, width=2))


@pytest.mark.parametrize(
    "model", [small_generator(), DigitClassifier(DigitClassifierConfig(width=2, features=8))]
)
def test_a_saved_model_comes_back_with_its_config_in_eval_mode(tmp_path, model):
    model.train()
    save_model(tmp_path / "m.safetensors", model)
    loaded = load_model(tmp_path / "m.safetensors")
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert not loaded.training
    assert all(
        torch.equal(a, b)
        for a, b in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True)
    )


def test_half_precision_halves_the_file_and_loads_back_as_float32(tmp_path):
    model = Generator(DCGANConfig(size=32, width=8))
    save_model(tmp_path / "full.safetensors", model)
    save_model(tmp_path / "half.safetensors", model, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * (
        tmp_path / "full.safetensors"
    ).stat().st_size
    for key, value in load_model(tmp_path / "half.safetensors").state_dict().items():
        original = model.state_dict()[key]
        assert value.dtype == original.dtype
        torch.testing.assert_close(value, original, rtol=1e-3, atol=1e-4)


def test_tensors_of_every_kind_and_their_notes_come_back_exactly(tmp_path):
    """bfloat16, integers, scalars, empty ones, channels-last layout."""
    tensors = {
        "half": torch.randn(3).bfloat16(),
        "step": torch.tensor(2**40),
        "nothing": torch.zeros(0, 3),
        "last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "weight": torch.nn.Parameter(torch.randn(2)),
    }
    write_tensors(tmp_path / "t", tensors, {"who": "Käthe"})
    back, about = read_tensors(tmp_path / "t")
    assert about == {"who": "Käthe"}
    assert back.keys() == tensors.keys()
    assert all(
        torch.equal(back[key], tensors[key]) and back[key].dtype == tensors[key].dtype for key in tensors
    )


def test_equal_contents_make_equal_files(tmp_path):
    """Safetensors alone writes its notes in an order that changes from call to call."""
    notes = {f"note {n}": str(n) for n in range(8)}
    for name in ("a", "b", "c"):
        write_tensors(tmp_path / name, {"x": torch.arange(3), "y": torch.ones(2)}, notes)
    assert len({(tmp_path / name).read_bytes() for name in ("a", "b", "c")}) == 1


@pytest.fixture
def written(tmp_path) -> Path:
    write_tensors(tmp_path / "t.safetensors", {"a": torch.arange(64.0)}, {"step": "7"})
    return tmp_path / "t.safetensors"


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(written, keep):
    written.write_bytes(written.read_bytes()[:keep])
    with pytest.raises(CompanionError, match="is damaged .*delete it"):
        read_tensors(written)


def test_any_changed_byte_is_noticed(written):
    """In the numbers and in the notes alike: every eighth byte in turn, one bit flipped."""
    good = written.read_bytes()
    for place in range(0, len(good), 8):
        bad = bytearray(good)
        bad[place] ^= 1
        written.write_bytes(bad)
        try:
            tensors, about = read_tensors(written)
        except CompanionError:
            continue
        # a change that leaves the meaning as it was, such as padding or another spelling of the same JSON, may pass
        assert torch.equal(tensors["a"], torch.arange(64.0))
        assert about == {"step": "7"}


def test_a_file_whose_numbers_were_replaced_is_refused(written):
    """A valid safetensors file with the old notes, so the format itself has nothing to complain about."""
    _, about = read_tensors(written)
    tensors = load_file(written)
    tensors["a"][3] = -1
    save_file(tensors, written, {**about, "sha256": "0" * 64})
    with pytest.raises(CompanionError, match="do not match their checksum"):
        read_tensors(written)
    save_file(tensors, written)  # nor does leaving the checksum out help
    with pytest.raises(CompanionError, match="do not match their checksum"):
        read_tensors(written)


class Bomb:
    """Unpickled, it would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_a_pickle_in_disguise_is_refused_and_never_run(tmp_path):
    disguised = tmp_path / "model.safetensors"
    disguised.write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(CompanionError, match="is damaged"):
        load_model(disguised)
    torch.save({"a": Bomb(tmp_path / "ran")}, disguised)
    with pytest.raises(CompanionError, match="is damaged"):
        load_model(disguised)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_not_there_or_holds_no_model_is_named(tmp_path, written):
    with pytest.raises(CompanionError, match="There is no file .*nowhere"):
        load_model(tmp_path / "nowhere.safetensors")
    with pytest.raises(CompanionError, match="holds no model of this package"):
        load_model(written)


def test_the_old_file_stays_whole_when_the_new_one_cannot_be_written(written, monkeypatch):
    """A full disk while writing: one sentence, the old file untouched, no fragment left beside it."""
    before = written.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CompanionError, match=r"Could not write .*No space left on device.*free some space"):
        write_tensors(written, {"a": torch.zeros(1000)}, {})
    assert written.read_bytes() == before
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_a_file_where_a_folder_should_be_gives_one_sentence(written):
    with pytest.raises(CompanionError, match="Could not write"):
        write_tensors(written / "below" / "x", {"a": torch.zeros(1)}, {})


def forged(path: Path, *, config: object, model: str = "deblur.Restorer", **changed: torch.Tensor) -> Path:
    """The file of a small restorer that says something else of itself, or holds other weights, its checksum right."""
    tensors = {**Restorer(RestorerConfig(width=2, blocks=1)).state_dict(), **changed}
    about = {"model": model} if config is None else {"model": model, "config": str(config)}
    write_tensors(path / "forged.safetensors", tensors, about)
    return path / "forged.safetensors"


GOOD = '{"width": 2, "blocks": 1, "normalised": false}'


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "config cannot be read"),
        ("", "config cannot be read"),
        ("[" * 5000, "config cannot be read"),
        ("{", "config cannot be read"),
        ("[2, 1, false]", "config cannot be read"),
        (f'{{"width": {"9" * 5000}}}', "config cannot be read"),
        (
            '{"width": 2, "blocks": 1, "attention": true}',
            "“attention”, which this version does not know; update",
        ),
        ('{"width": "2", "blocks": 1}', 'gives "2" for width, which is a whole number'),
        ('{"width": 2.0, "blocks": 1}', "gives 2.0 for width, which is a whole number"),
        ('{"width": true, "blocks": 1}', "gives true for width, which is a whole number"),
        ('{"width": 2, "blocks": 1, "normalised": 0}', "gives 0 for normalised, which is True or False"),
        ('{"width": null, "blocks": 1}', "gives null for width, which is a whole number"),
        ('{"width": 2, "blocks": -1}', "no fewer than 0 blocks"),
        ('{"width": 2, "blocks": 10000000}', "blocks cannot be 10000000; choose 64 at most"),
        ('{"width": 2, "blocks": 64}', "are not those of the model it names"),
        ('{"width": 2000000000, "blocks": 1}', "are not those of the model it names"),
        (f'{{"width": {2**70}, "blocks": 1}}', "are not those of the model it names"),
        ('{"width": 3, "blocks": 1}', "are not those of the model it names"),
        ('{"width": 2, "blocks": 0}', "are not those of the model it names"),
        ("{}", "are not those of the model it names"),
    ],
)
def test_a_config_that_is_missing_newer_of_other_types_or_absurd_is_one_sentence(tmp_path, config, said):
    """Its checksum is right, so nothing was damaged; ten million blocks cost no minute and no gigabyte."""
    path = forged(tmp_path, config=config)
    with pytest.raises(CompanionError, match=re.escape(said)) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_config_of_another_model_is_refused(tmp_path):
    with pytest.raises(CompanionError, match="“blocks”, which this version does not know"):
        load_model(forged(tmp_path, config=GOOD, model="dcgan.Generator"))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, number):
    """They have a valid checksum, and restored to a black picture."""
    spoilt = forged(tmp_path, config=GOOD, **{"layers.0.bias": torch.tensor([0.0, number])})
    with pytest.raises(CompanionError, match=r"not finite \(layers\.0\.bias\)"):
        load_model(spoilt)


def test_weights_of_another_kind_of_number_are_refused(tmp_path):
    whole = forged(tmp_path, config=GOOD, **{"layers.0.bias": torch.tensor([0, 1])})
    with pytest.raises(CompanionError, match="are not those of the model it names"):
        load_model(whole)


def test_a_model_that_no_module_registers_cannot_be_saved(tmp_path):
    with pytest.raises(CompanionError, match="Linear is no registered model"):
        save_model(tmp_path / "m.safetensors", torch.nn.Linear(1, 1))


def test_loading_leaves_the_readers_random_numbers_alone(tmp_path):
    save_model(tmp_path / "m.safetensors", small_generator())
    before = torch.get_rng_state()
    load_model(tmp_path / "m.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
