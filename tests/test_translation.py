"""Guards translation of files, and chapter 7's commands: what they leave, what they refuse, and in which words."""

import json
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import torch
from pictures import save
from PIL import Image

from companion import translation
from companion.cli import main
from companion.data import load
from companion.data.faces import Caricatures, Portraits
from companion.errors import CompanionError
from companion.models.dcgan import DCGANConfig, Generator
from companion.models.munit import BothWays, MUNITConfig, Translator
from companion.models.store import load_model, save_model
from companion.training.munit import styles_of
from companion.translation import (
    drawn_styles,
    learnt_from,
    mended,
    still,
    style_like,
    translate_files,
    translator,
)

SMALL = MUNITConfig(size=16, width=2, styles=3, blocks=1)
RED, GREEN, GREY, BLUE = (255, 0, 0), (0, 255, 0), (51, 51, 51), (0, 0, 255)
TINY = ["--steps", "2", "--batch", "2", "--size", "32", "--width", "4", "--device", "cpu"]


@pytest.fixture
def model(tmp_path) -> Translator:
    torch.manual_seed(0)
    made = Translator(SMALL).eval()
    save_model(tmp_path / "run/a_to_b.safetensors", made)
    save_model(tmp_path / "run/b_to_a.safetensors", Translator(MUNITConfig(16, 3, 3, 1)))
    return made


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Two folders of pictures."""
    for name in "ab":
        for index in range(4):
            save(tmp_path / name / f"{index}.png", seed=index + 10 * (name == "b"))
    return tmp_path / "a", tmp_path / "b"


def test_a_translator_is_found_by_file_and_by_run_in_both_directions(tmp_path, model):
    assert translator(str(tmp_path / "run")).config == model.config
    assert translator(str(tmp_path / "run/a_to_b.safetensors")).config == model.config
    assert translator(str(tmp_path / "run"), back=True).config.width == 3
    both = BothWays(SMALL).eval()
    save_model(tmp_path / "both.safetensors", both)
    images, styles = torch.rand(2, 3, 16, 16) * 2 - 1, torch.randn(2, 3)
    there, back = both(images, styles)
    ways = [translator(str(tmp_path / "both.safetensors"), back=way) for way in (False, True)]
    assert torch.equal(ways[0](images, styles), there)
    assert torch.equal(ways[1](there, ways[1].style(images)), back)
    with pytest.raises(CompanionError, match="knows one way only"):
        translator(str(tmp_path / "run/a_to_b.safetensors"), back=True)


def test_what_does_not_translate_is_one_sentence(tmp_path):
    save_model(tmp_path / "g.safetensors", Generator(DCGANConfig(size=16, width=2)))
    for back in (False, True):
        with pytest.raises(CompanionError, match="does not translate"):
            translator(str(tmp_path / "g.safetensors"), back=back)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CompanionError, match=r"There is no file .*a_to_b\.safetensors"):
        translator(str(tmp_path / "empty"))
    with pytest.raises(CompanionError, match="no pretrained run called “nothing”"):
        translator("nothing")


def test_pictures_are_drawn_in_as_many_styles_as_asked_for(tmp_path, model):
    save(tmp_path / "wide.png", 40, 20)
    styles = drawn_styles(model, 2, seed=5)
    assert torch.equal(styles, drawn_styles(model, 2, seed=5))
    assert not torch.equal(styles, drawn_styles(model, 2, seed=6))
    ((_, places),) = translate_files(model, [tmp_path / "wide.png"], tmp_path / "out", styles)
    assert [place.name for place in places] == ["wide-1.png", "wide-2.png"]
    assert all(Image.open(place).size == (16, 16) for place in places)
    assert places[0].read_bytes() != places[1].read_bytes()
    ((_, again),) = translate_files(model, [tmp_path / "wide.png"], tmp_path / "one", styles[1:])
    assert [place.name for place in again] == ["wide.png"]
    assert again[0].read_bytes() == places[1].read_bytes()


def test_a_style_is_taken_from_an_example(tmp_path, model):
    save(tmp_path / "example.png", 16, 16)
    style = style_like(model, tmp_path / "example.png")
    assert style.shape == (1, 3)
    pixels = torch.from_numpy(save(tmp_path / "example.png", 16, 16)).permute(2, 0, 1)[None]
    torch.testing.assert_close(style, model.style(pixels.float() / 127.5 - 1).detach())


def test_only_what_is_still_over_all_pictures_is_drawn_anew():
    styles = torch.tensor([[0.1, -1.0, 0.0], [0.0, 1.0, 0.5], [0.1, 0.0, 1.0]])
    drawn = torch.full((3, 3), 7.0)
    found = mended(styles, drawn)
    assert found[:, 0].tolist() == [7, 7, 7]
    assert torch.equal(found[:, 1:], styles[:, 1:])


@pytest.mark.parametrize(
    ("styles", "drawn", "said"),
    [
        ((1, 3), (1, 3), "give those of two pictures"),
        ((4, 3), (1, 3), "draw as many"),
        ((3,), (3,), "two pictures"),
    ],
)
def test_one_style_says_nothing_of_what_varies_and_other_draws_mend_nothing(styles, drawn, said):
    with pytest.raises(CompanionError, match=said):
        mended(torch.zeros(styles), torch.zeros(drawn))


def test_a_number_is_still_below_three_tenths_of_what_a_normals_varies_by():
    spread = torch.tensor([-1.0, 0.0, 1.0])[:, None]  # of deviation 1
    assert still(spread * torch.tensor([0.2, 0.29, 0.31, 0.4])).tolist() == [True, True, False, False]


def test_an_examples_still_numbers_are_drawn_and_the_others_are_as_they_were_read(tmp_path, model):
    save(tmp_path / "example.png", 16, 16)
    others = torch.randn(6, 3, 16, 16)
    with torch.no_grad():
        deviations = styles_of(model, others).std(0)
        model.style[-1].weight /= deviations[:, None] * torch.tensor([1.0, 10.0, 1.0])[:, None]
    read = style_like(model, tmp_path / "example.png")
    style = style_like(model, tmp_path / "example.png", others, seed=4)
    assert torch.equal(style[:, [0, 2]], read[:, [0, 2]])
    assert torch.equal(style[:, 1], drawn_styles(model, 1, seed=4)[:, 1])


def test_what_a_model_learnt_from_is_had_from_its_run_and_not_from_a_lone_file(tmp_path, model, folders):
    about = {"status": "finished", "step": 1, "seconds": 0.0, "data_fingerprint": "", "environment": {}}
    settings = {"data": [str(folders[0]), "digits"], "device": "cpu"}
    (tmp_path / "run/run.json").write_text(json.dumps({**about, "settings": settings}), encoding="utf-8")
    run = str(tmp_path / "run")
    assert torch.equal(learnt_from(run, 16, back=True), load(folders[0], size=16)[:])
    assert torch.equal(learnt_from(run, 16), load("digits", size=16)[:64].expand(-1, 3, -1, -1))
    for none in (f"{run}/a_to_b.safetensors", "munit-people", "nothing", ""):
        assert learnt_from(none, 16) is None
    rmtree(folders[0])
    assert learnt_from(run, 16, back=True) is None


def test_the_shipped_translation_knows_the_faces_it_learnt_from(monkeypatch):
    monkeypatch.setattr(translation, "SOME", 2)
    for back, faces in ((False, Caricatures), (True, Portraits)):
        assert torch.equal(learnt_from("munit-faces", 32, back=back), faces(2, size=32).rendered()[:])


def test_one_bad_file_is_named_and_the_others_are_drawn(tmp_path, model):
    save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    files = [tmp_path / name for name in ("bad.png", "none.png", "good.png")]
    found = dict(translate_files(model, files, tmp_path / "out", drawn_styles(model, 1)))
    assert "cannot be read" in str(found[files[0]])
    assert "does not exist" in str(found[files[1]])
    assert found[files[2]] == [tmp_path / "out/good.png"]
    (again,) = dict(translate_files(model, files[2:], tmp_path / "out", drawn_styles(model, 1))).values()
    assert "not overwritten" in str(again)


@pytest.mark.parametrize("count", [0, 1001, 10**22])
def test_no_style_at_all_and_more_than_anybody_looks_at_are_refused(model, count):
    with pytest.raises(CompanionError, match=f"cannot be drawn in {count} styles; choose 1 to 1000"):
        drawn_styles(model, count)


def test_styles_are_drawn_from_a_standard_normal(model):
    styles = torch.cat([drawn_styles(model, 1000, seed) for seed in range(4)]).flatten()  # 12,000 numbers
    assert styles.mean() == pytest.approx(0, abs=0.05)
    assert styles.std() == pytest.approx(1, abs=0.05)
    assert (styles < 0).float().mean() == pytest.approx(0.5, abs=0.02)
    assert (styles.abs() > 2).float().mean() == pytest.approx(0.0455, abs=0.01), "a normal's, not a uniform's"


def test_many_styles_are_drawn_a_few_at_a_time_and_each_is_its_own(tmp_path, model, monkeypatch):
    monkeypatch.setattr(translation, "AT_ONCE", 2)
    save(tmp_path / "a.png")
    styles = drawn_styles(model, 5)
    ((_, places),) = translate_files(model, [tmp_path / "a.png"], tmp_path / "out", styles)
    for place, style in zip(places, styles, strict=True):
        ((_, (alone,)),) = translate_files(model, [tmp_path / "a.png"], tmp_path / place.stem, style[None])
        near = np.abs(np.asarray(Image.open(place), int) - np.asarray(Image.open(alone), int))
        assert near.max() <= 1
    assert len({place.read_bytes() for place in places}) == 5


def test_an_interrupted_picture_leaves_none_of_its_styles_and_is_drawn_the_next_time(
    tmp_path, model, monkeypatch
):
    """Else the first of them would stand in the way of the others for ever."""
    save(tmp_path / "a.png")
    write, written = Image.Image.save, []

    def interrupted(picture, *more):
        written.append(picture)
        if len(written) == 3:
            raise KeyboardInterrupt
        write(picture, *more)

    work = [model, [tmp_path / "a.png"], tmp_path / "out", drawn_styles(model, 4)]
    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(translate_files(*work))
    assert [*(tmp_path / "out").iterdir()] == []
    ((_, places),) = translate_files(*work)
    assert sorted(places) == sorted((tmp_path / "out").iterdir())
    assert len(places) == 4


def test_a_picture_is_turned_upright_and_its_middle_is_cut_out_not_squeezed(tmp_path, model):
    """A red left, green middle and blue right: of 40×20 the square is green; turned by its EXIF it lies upright."""
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :8], pixels[:8, 8:24], pixels[8:, 8:24], pixels[:, 24:] = RED, GREEN, GREY, BLUE
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the picture lies to the right
    Image.fromarray(pixels).save(tmp_path / "plain.png")
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    wanted = torch.zeros(1, 3, 16, 16)
    wanted[:, :, :8], wanted[:, :, 8:] = _colour(GREEN), _colour(GREY)
    torch.testing.assert_close(translation._square(tmp_path / "plain.png", 16), wanted)
    turned = wanted.rot90(-1, (2, 3))
    torch.testing.assert_close(translation._square(tmp_path / "turned.png", 16), turned)


def _colour(rgb) -> torch.Tensor:
    return torch.tensor(rgb)[None, :, None, None] / 127.5 - 1


# ---- the commands ----


def test_the_command_draws_in_the_styles_of_its_seed(tmp_path, model):
    save(tmp_path / "a.png")
    common = ["translate", str(tmp_path / "a.png"), "--model", str(tmp_path / "run")]
    drawn = {}
    for seed in (1, 2):
        assert main([*common, "--seed", str(seed), "--out", str(tmp_path / f"out-{seed}")]) == 0
        drawn[seed] = (tmp_path / f"out-{seed}/a.png").read_bytes()
        ((_, (place,)),) = translate_files(
            model, [tmp_path / "a.png"], tmp_path / f"wanted-{seed}", drawn_styles(model, 1, seed)
        )
        assert drawn[seed] == place.read_bytes()
    assert drawn[1] != drawn[2]


def test_the_command_mends_the_style_of_an_example_or_says_that_it_cannot(
    tmp_path, model, monkeypatch, capsys
):
    save(tmp_path / "a.png")
    command = [
        "translate",
        str(tmp_path / "a.png"),
        "--model",
        str(tmp_path / "run"),
        "--like",
        str(tmp_path / "a.png"),
    ]
    assert main([*command, "--out", str(tmp_path / "as read")]) == 0
    assert "the style is used as it was read" in capsys.readouterr().err
    alike = torch.zeros(2, 3, 16, 16)  # over which every number is still
    monkeypatch.setattr(translation, "learnt_from", lambda name, size, back: alike)
    assert main([*command, "--seed", "7", "--out", str(tmp_path / "out")]) == 0
    assert "as it was read" not in capsys.readouterr().err
    work = [tmp_path / "a.png"], tmp_path / "wanted", drawn_styles(model, 1, seed=7)
    ((_, (place,)),) = translate_files(model, *work)
    assert (tmp_path / "out/a.png").read_bytes() == place.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "No model was named; give"),
        ("a.png", "a.png is no model; give"),
        ("run.json", "run.json is no model; give"),
    ],
)
def test_what_is_no_model_at_all_is_called_so(tmp_path, model, monkeypatch, capsys, name, said):
    """Not taken for the folder where one stands, nor for the misspelt name of a run."""
    monkeypatch.chdir(tmp_path / "run")
    save(Path("a.png"))
    Path("run.json").write_text("{}", encoding="utf-8")
    assert main(["translate", "a.png", "--model", name, "--out", "out"]) == 2
    assert said in capsys.readouterr().err


def test_data_without_a_name_are_not_the_folder_where_one_stands(tmp_path, folders, monkeypatch, capsys):
    monkeypatch.chdir(folders[0])
    for command in (["munit", "--data", str(folders[1]), ""], ["dcgan", "--data", ""]):
        assert main(["train", *command, *TINY, "--out", str(tmp_path / "run")]) == 2
        assert "No data were named" in capsys.readouterr().err


def test_paths_of_odd_letters_are_told_on_one_line(tmp_path, folders, capsys):
    command = ["train", "munit", "--data", *map(str, folders), *TINY, "--out", str(folders[1] / "r\nun")]
    assert main(command) == 2
    assert "r\\nun lies within" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.api
def test_a_sagan_run_leaves_a_generator_and_says_how_it_was_made(tmp_path):
    command = ["train", "sagan", *TINY, "--width", "8", "--batch", "4", "--data", "digits", "--classes", "10"]
    assert main([*command, "--resize", "--out", str(tmp_path / "run")]) == 0
    settings = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["settings"]
    assert settings["objective"]["name"] == "Hinge"
    assert (settings["generator_rate"], settings["critic_rate"]) == (1e-4, 4e-4)
    assert (settings["attention"], settings["spectral"]) == (16, True)
    config = load_model(tmp_path / "run/generator.safetensors").config
    assert (config.classes, config.resize, config.channels) == (10, True, 1)


def test_a_sagan_without_attention_under_another_objective(tmp_path):
    command = ["train", "sagan", *TINY, "--data", "digits", "--objective", "non-saturating-r1"]
    assert main([*command, "--attention", "0", "--no-spectral-norm", "--out", str(tmp_path / "run")]) == 0
    settings = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["settings"]
    assert settings["objective"]["name"] == "NonSaturatingR1"
    assert (settings["attention"], settings["spectral"]) == (0, False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--attention", "12"], "choose 16, 8, 4, or 0"),
        (["--attention", "-1"], "--attention cannot be -1"),
        (["--classes", "3", "--width", "8"], "of 10 classes and not of 3"),
        (["--width", "2"], "choose a larger width, or no attention"),
        (["--size", "48"], "power of two"),
    ],
)
def test_an_impossible_sagan_is_one_sentence(tmp_path, capsys, more, said):
    assert main(["train", "sagan", *TINY, "--data", "digits", *more, "--out", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.api
def test_a_translation_is_trained_on_two_folders_continued_and_used(tmp_path, folders, capsys):
    """The continued run is the uninterrupted one byte for byte; its models translate, there and back."""
    options = ["--data", *map(str, folders), *TINY, "--budget", "smoke"]

    def run(name: str, steps: int, *more: str) -> None:
        command = ["train", "munit", *options, "--steps", str(steps), "--out", str(tmp_path / name), *more]
        assert main(command) == 0

    run("whole", 3)
    run("cut", 2)
    run("cut", 3, "--resume")
    for file in ("metrics.csv", "a_to_b.safetensors", "b_to_a.safetensors", "checkpoint/last.safetensors"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "cut" / file).read_bytes(), file
    grid = Image.open(tmp_path / "whole/samples/000003.png")
    assert grid.size == (8 * 34 + 2, 8 * 34 + 2)
    picture = str(folders[0] / "0.png")
    command = ["translate", picture, "--model", str(tmp_path / "whole"), "--out", str(tmp_path / "out")]
    assert main([*command, "--styles", "2"]) == 0
    assert "0-1.png" in capsys.readouterr().out
    assert main([*command, "--back", "--like", str(folders[0] / "1.png")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0.png", "0-1.png", "0-2.png"}
    assert main(command) == 2
    assert "1 of 1 files were not translated" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--cycle", "-1"], "--cycle cannot be -1"),
        (["--perceptual", "nan"], "--perceptual cannot be nan"),
        (["--size", "40"], "multiple of 16"),
        (["--scales", "6"], "fewer sizes"),
        (["--batch", "9"], "“a”, which holds 4 images; choose a batch from 1 to 4"),
        (["--blocks", "1000000000"], "--blocks cannot be 1000000000; choose 1 to 64"),
        (["--objective", "hinge", "--generator-rate", "0"], "--generator-rate cannot be 0"),
        (["--identity", "-1"], "--identity cannot be -1"),
        (["--distilled", "inf"], "--distilled cannot be inf"),
        (["--identity", "1", "--teacher", "identiti"], "no teacher called “identiti”; did you mean"),
        (
            ["--identity", "1", "--teacher", ""],
            "no teacher called “”; did you mean faces-identity or identity",
        ),
        (["--identity", "1", "--teacher", "munit-people"], "left numbers and no network"),
        (["--identity", "1", "--teacher", "digit-features"], "--teacher cannot be “digit-features”; choose"),
        (["--distilled", "1", "--teacher", "munit-faces"], "people: identity or faces-identity"),
        (["--distilled", "1", "--teacher", "deblur-any"], "people: identity or faces-identity"),
        (["--paired", "3"], "no way to name them; leave it out, or give pairs to"),
        (["--paired"], "--paired needs people who are known on both sides"),
    ],
)
def test_an_impossible_translation_is_one_sentence(tmp_path, folders, capsys, more, said):
    command = ["train", "munit", "--data", *map(str, folders), *TINY, *more]
    assert main([*command, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["identity", "faces-identity"])
def test_a_translation_is_told_whom_it_draws_by_the_teacher_that_is_named(tmp_path, folders, teacher):
    """Whatever the size of the pictures that the teacher reads; both parts of the loss are in the run's table."""
    command = ["train", "munit", "--data", *map(str, folders), *TINY, "--teacher", teacher]
    assert main([*command, "--identity", "2", "--distilled", "30", "--out", str(tmp_path / "run")]) == 0
    settings = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["settings"]
    assert settings["teacher"] == teacher
    assert (settings["shares"]["identity"], settings["shares"]["distilled"]) == (2, 30)
    titles, *_, last = (tmp_path / "run/metrics.csv").read_text(encoding="utf-8").splitlines()
    numbers = dict(zip(titles.split(","), last.split(","), strict=True))
    assert float(numbers["identity_loss"]) >= 0
    assert float(numbers["distilled_loss"]) > 0


def test_a_run_within_one_of_its_folders_is_refused(tmp_path, folders, capsys):
    command = ["train", "munit", "--data", *map(str, folders), *TINY, "--out", str(folders[1] / "run")]
    assert main(command) == 2
    assert "choose an --out elsewhere" in capsys.readouterr().err
    missing = [
        "train",
        "munit",
        "--data",
        str(folders[0]),
        "nowhere/at/all",
        *TINY,
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(missing) == 2
    assert "does not exist" in capsys.readouterr().err


def test_pictures_of_one_name_all_have_their_results_and_the_longest_names_are_cut(tmp_path, model):
    names = ["a.png", "b/a.bmp", "c/a.bmp", "x" * 251 + ".png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(tmp_path / name)
    files = [tmp_path / name for name in names]
    found = dict(translate_files(model, files, tmp_path / "out", drawn_styles(model, 2)))
    assert [[place.name for place in found[file]] for file in files] == [
        ["a-1.png", "a-2.png"],
        ["a.bmp-1.png", "a.bmp-2.png"],
        ["a.bmp-2-1.png", "a.bmp-2-2.png"],
        ["x" * 249 + "-1.png", "x" * 249 + "-2.png"],
    ]


def test_what_cannot_be_read_is_told_in_the_words_of_the_other_commands(tmp_path, model):
    (tmp_path / "empty.png").touch()
    ((_, told),) = translate_files(model, [tmp_path / "empty.png"], tmp_path / "out", drawn_styles(model, 1))
    assert "cannot be read: it is empty (0 bytes); copy it again" in str(told)
