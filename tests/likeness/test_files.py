"""Guards `companion caricature`: a drawing for each face, no file replaced, one bad file costing no other."""

import numpy as np
import pytest
import torch
from pictures import save
from PIL import Image

from companion.cli import main
from companion.data.faces.parameters import PARAMETERS
from companion.errors import CompanionError
from companion.likeness import drawing, measuring
from companion.likeness.files import Wish, draw_files
from companion.likeness.measuring import Measurer
from companion.models.likeness import MEASURED, WORN


@pytest.fixture
def measurer(monkeypatch, reader, tracker):
    """The real one, on a tracker that finds a face in everything."""
    monkeypatch.setattr(measuring, "FaceMesh", lambda **options: tracker)
    monkeypatch.setattr(drawing, "real_mean", lambda: {p.name: p.mean for p in PARAMETERS if p.shape})
    with Measurer(reader=reader) as made:
        yield made


def photo_at(path, seed=0):
    save(path, 60, 50, seed)
    return path


def outcomes(measurer, files, folder, **wish):
    return dict(draw_files(measurer, files, folder, Wish(size=48, **wish)))


def test_a_face_is_measured_and_only_what_is_told_differs_from_the_mean(measurer):
    picture = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    (measured,) = measurer.measure(picture)
    assert measured.faces.values.shape == (1, len(PARAMETERS))
    assert measured.faces.values.isfinite().all()
    assert set(measured.doubts) == set(MEASURED)
    assert set(measured.worn) == set(WORN)
    assert measured.crop.shape == (32, 32, 3)
    assert torch.allclose(sum(measured.parts.values()), torch.ones(32, 32), atol=1e-4)
    (seen,) = measurer.read(picture)
    assert torch.allclose(seen.doubts[0], torch.tensor(list(measured.doubts.values())))


def test_what_is_doubted_rests_where_exaggerating_moves_nothing(measurer, reader, monkeypatch):
    rest = {p.name: p.mean + 0.1 * (p.high - p.low) for p in drawing.SHAPE if p.name in MEASURED}
    monkeypatch.setattr(drawing, "real_mean", lambda: rest)
    seen = measurer.read(np.zeros((80, 80, 3), np.uint8))[0]
    unsure = seen._replace(means=torch.full_like(seen.means, 3.0), logs=torch.full_like(seen.logs, -0.01))
    sure = unsure._replace(logs=torch.full_like(seen.logs, -0.7))
    doubted, told = (measuring._believed(reader, these) for these in (unsure, sure))
    for column, name in enumerate(MEASURED):
        middle, spread = float(reader.middle[column]), float(reader.spread[column])
        assert doubted[name].item() == pytest.approx(rest.get(name, middle), abs=1e-5), name
        assert told[name].item() == pytest.approx(middle + 3 * spread, abs=1e-4), name
    names = [name for name in rest if name in MEASURED]
    moved = drawing.exaggerated(doubted, 2.5)
    for name in names:
        assert moved[name].item() == pytest.approx(doubted[name].item(), abs=1e-5), name


@pytest.mark.slow
@pytest.mark.api
def test_one_face_has_the_files_name_and_several_have_numbers(tmp_path, measurer, tracker):
    photo = photo_at(tmp_path / "a.jpg")
    assert outcomes(measurer, [photo], tmp_path / "one") == {photo: [tmp_path / "one/a.png"]}
    assert Image.open(tmp_path / "one/a.png").size == (48, 48)
    tracker.faces = 2
    made = outcomes(measurer, [photo], tmp_path / "two")[photo]
    assert made == [tmp_path / "two/a-1.png", tmp_path / "two/a-2.png"]
    assert all(place.is_file() for place in made)


def test_several_faces_appear_together_or_not_at_all(tmp_path, measurer, tracker, monkeypatch):
    """Ctrl-C at the second drawing leaves no first one, which would refuse the picture the next time."""
    photo, tracker.faces = photo_at(tmp_path / "a.jpg"), 2
    drawn = iter([Wish().draw, None])
    monkeypatch.setattr(
        Wish, "draw", lambda wish, measured: np.zeros((4, 4, 3), np.uint8) if next(drawn) else stop()
    )

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcomes(measurer, [photo], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.slow
def test_a_morph_comes_beside_the_drawing(tmp_path, measurer):
    photo = photo_at(tmp_path / "a.png")
    made = outcomes(measurer, [photo], tmp_path / "out", moving=True)[photo]
    assert [place.name for place in made] == ["a.png", "a.gif"]
    film = Image.open(made[1])
    assert film.is_animated
    assert film.n_frames > 10


def test_one_bad_file_costs_no_other_and_none_is_replaced(tmp_path, measurer, tracker):
    good, other = photo_at(tmp_path / "good.png"), photo_at(tmp_path / "good.jpg")
    (tmp_path / "text.png").write_text("no picture")
    files = [tmp_path / "text.png", tmp_path / "missing.png", good, other]
    found = outcomes(measurer, files, tmp_path / "out")
    assert [isinstance(found[file], CompanionError) for file in files] == [True, True, False, False]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.jpg.png", "good.png"]
    before = (tmp_path / "out/good.png").read_bytes()
    again = outcomes(measurer, [good], tmp_path / "out")
    assert "not overwritten" in str(again[good])
    assert (tmp_path / "out/good.png").read_bytes() == before
    tracker.faces = 0
    assert "No face was found" in str(outcomes(measurer, [good], tmp_path / "out2")[good])
    assert not list((tmp_path / "out2").iterdir())


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"strength": 9.0}, "choose 0"),
        ({"style": "oil"}, "choose ink"),
        ({"size": 4}, "choose from 16"),
        ({"size": 100_000}, "choose from 16"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_looked_at(wish, said):
    with pytest.raises(CompanionError, match=said):
        Wish(**wish)


def test_the_command_says_what_it_drew_and_what_not(tmp_path, monkeypatch, reader, tracker, capsys):
    monkeypatch.setattr(measuring, "FaceMesh", lambda **options: tracker)
    monkeypatch.setattr(measuring.pretrained, "load", lambda name: reader)
    monkeypatch.setattr(drawing, "real_mean", lambda: {})
    photo = photo_at(tmp_path / "a.jpg")
    out = ["--out", str(tmp_path / "out"), "--size", "48"]
    assert main(["caricature", str(photo), str(tmp_path / "missing.jpg"), *out]) != 0
    said = capsys.readouterr()
    assert "a.jpg → " in said.out
    assert "1 of 2 files were not drawn" in said.err
    assert main(["caricature", str(photo), *out, "--style", "portrait", "--morph"]) != 0
    assert "choose another --style" in capsys.readouterr().err
    assert tracker.closed
