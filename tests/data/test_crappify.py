"""Guards crappify: what happens to a picture follows from its name, and a folder is ruined once, whole, elsewhere."""

import io

import numpy as np
import pytest
from pictures import save
from PIL import Image

from companion.cli import main
from companion.data.crappify import INSIDE, Damage, _Draws, _writing, crappify
from companion.errors import CompanionError

GENTLE = Damage(writing=False, least_shrink=1, most_shrink=1, least_quality=95, most_quality=95)


def bytes_below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def noise(seed=0, size=(90, 70)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return (
        Image.fromarray(pixels).resize((8, 8)).resize(size, Image.Resampling.BICUBIC)
    )  # smooth, as photographs are


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "below/b.png", "c.jpg"):
        save(tmp_path / "good" / name, seed=len(name))
    return tmp_path / "good"


def test_a_picture_is_ruined_by_its_name_and_not_by_its_neighbours(folder, tmp_path):
    list(crappify(folder, tmp_path / "all"))
    for name in ("a.png", "c.jpg"):
        (folder / name).unlink()
    list(crappify(folder, tmp_path / "one"))
    every, one = bytes_below(tmp_path / "all"), bytes_below(tmp_path / "one")
    assert set(every) == {"a.png", "below/b.png", "c.png", "crappify.json"}
    assert one["below/b.png"] == every["below/b.png"]


def test_name_and_seed_both_matter_and_nothing_else_does():
    picture = noise()
    once, again = (Damage().ruin(picture, "cat.jpg").picture for _ in range(2))
    assert once.tobytes() == again.tobytes()
    assert once.tobytes() != Damage().ruin(picture, "dog.jpg").picture.tobytes()
    assert once.tobytes() != Damage(seed=2).ruin(picture, "cat.jpg").picture.tobytes()


def test_without_shrinking_and_writing_it_is_pillows_own_jpeg():
    picture, stored = noise(), io.BytesIO()
    picture.save(stored, "JPEG", quality=95)
    ruined = GENTLE.ruin(picture, "any")
    assert ruined.picture.tobytes() == Image.open(stored).tobytes()
    assert not np.asarray(ruined.mark).any()


def test_amounts_fill_the_range_that_was_asked_for():
    picture = noise(size=(300, 200))
    every = [Damage(least_shrink=2, most_shrink=3).ruin(picture, str(n)) for n in range(60)]
    shrinks, qualities = [one.shrink for one in every], [one.quality for one in every]
    assert 2 <= min(shrinks) < 2.1
    assert 2.9 < max(shrinks) <= 3
    assert min(qualities) >= 10
    assert max(qualities) <= 70
    assert np.ptp(qualities) > 50


def test_the_mask_lies_where_the_writing_is():
    """With nothing else done to it, a picture differs inside the mask, and outside by what JPEG and the rim leave."""
    picture = Image.new("RGB", (200, 160), (90, 90, 90))
    damage = Damage(least_shrink=1, most_shrink=1, least_quality=95, most_quality=95)
    found = 0
    for name in "abcdefgh":
        ruined = damage.ruin(picture, name)
        apart = np.abs(np.asarray(ruined.picture).astype(int) - 90).max(2)
        inside = np.asarray(ruined.mark) > 0
        assert set(np.unique(ruined.mark)) <= {0, 255}
        assert apart[~inside].mean() < 2
        found += int(inside.any() and apart[inside].mean() > 25)
    assert found >= 7  # a colour may by chance be nearly that of the ground
    assert INSIDE < 255


def test_pictures_keep_their_size_and_small_ones_survive():
    for size in ((7, 300), (8, 8), (301, 77)):
        ruined = Damage().ruin(noise(size=size), "x")
        assert ruined.picture.size == ruined.mark.size == size


def test_the_command_can_be_stopped_and_goes_on_without_touching_what_is_there(folder, tmp_path, capsys):
    out, masks = tmp_path / "bad", tmp_path / "masks"
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    outcomes = crappify(folder, out, masks=masks)
    next(outcomes)
    outcomes.close()
    whole = bytes_below(out)
    assert main(["crappify", str(folder), str(out), "--masks", str(masks)]) != 0
    said = capsys.readouterr()
    assert "broken.jpg" in said.err
    assert whole.items() <= bytes_below(out).items()
    assert set(bytes_below(masks)) == set(bytes_below(out))
    (folder / "broken.jpg").unlink()
    assert main(["crappify", str(folder), str(out), "--masks", str(masks)]) == 0
    assert "0 pictures ruined, 3 were there already" in capsys.readouterr().out


def test_it_never_writes_among_the_pictures(folder, capsys):
    for place in (folder, folder / "bad"):
        assert main(["crappify", str(folder), str(place)]) != 0
        assert "lies within the pictures" in capsys.readouterr().err
    assert main(["crappify", str(folder), str(folder.parent / "out"), "--masks", str(folder / "m")]) != 0
    assert set(bytes_below(folder)) == {"a.png", "below/b.png", "c.jpg"}


def test_masks_replace_nothing(folder, tmp_path):
    """Neither somebody's pictures, nor the ruined ones, nor masks of another seed."""
    save(tmp_path / "mine/a.png")
    mine = bytes_below(tmp_path / "mine")
    with pytest.raises(CompanionError, match=r"a\.png is not what this call would make there"):
        list(crappify(folder, tmp_path / "one", masks=tmp_path / "mine"))
    assert bytes_below(tmp_path / "mine") == mine
    with pytest.raises(CompanionError, match="masks would replace the pictures"):
        list(crappify(folder, tmp_path / "two", masks=tmp_path / "two"))
    list(crappify(folder, tmp_path / "three", masks=tmp_path / "masks"))
    list(crappify(folder, tmp_path / "four", Damage(seed=2)))
    with pytest.raises(CompanionError, match="other settings"):
        list(crappify(folder, tmp_path / "four", Damage(seed=2), masks=tmp_path / "masks"))


def test_other_settings_need_another_folder(folder, tmp_path):
    list(crappify(folder, tmp_path / "bad"))
    with pytest.raises(CompanionError, match="other settings"):
        list(crappify(folder, tmp_path / "bad", Damage(seed=2)))


def test_a_folder_with_other_files_is_refused_and_one_with_its_masks_in_it_is_not(folder, tmp_path):
    bad = tmp_path / "bad"
    for _ in range(2):
        list(crappify(folder, bad, masks=bad / "masks"))
    save(bad / "mine.png")
    with pytest.raises(CompanionError, match=r"mine\.png is not what this call would make there"):
        list(crappify(folder, bad, masks=bad / "masks"))
    save(tmp_path / "full/a.png")
    with pytest.raises(CompanionError, match=r"a\.png is not what this call would make there"):
        list(crappify(folder, tmp_path / "full"))


def test_two_pictures_of_one_name_are_refused_before_anything_is_written(folder, tmp_path):
    save(folder / "a.jpg")
    with pytest.raises(CompanionError, match=r"would both become a\.png"):
        list(crappify(folder, tmp_path / "bad"))
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--least-shrink", "5"], "the first is to be the smaller one"),
        (["--most-quality", "99"], "--most-quality"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_impossible_damage_is_one_sentence(folder, tmp_path, capsys, more, said):
    assert main(["crappify", str(folder), str(tmp_path / "bad"), *more]) != 0
    assert said in capsys.readouterr().err


def test_a_folder_without_pictures_is_named(tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/notes.txt").write_text("none")
    with pytest.raises(CompanionError, match=r"notes\.txt"):
        list(crappify(tmp_path / "good", tmp_path / "bad"))


# ---- how much ----


@pytest.mark.parametrize("size", [(90, 70), (20, 16)])
def test_without_writing_it_is_shrunk_stored_and_enlarged_by_pillow_as_drawn(size):
    """By the shrink and the quality that it says; and the low picture keeps 8 pixels."""
    for name in map(str, range(12)):
        picture, stored = noise(size=size), io.BytesIO()
        ruined = Damage(writing=False).ruin(picture, name)
        assert 1 <= ruined.shrink <= min(size) / 8
        low = tuple(round(length / ruined.shrink) for length in size)
        picture.resize(low, Image.Resampling.BICUBIC).save(stored, "JPEG", quality=ruined.quality)
        wanted = Image.open(stored).resize(size, Image.Resampling.BICUBIC)
        assert ruined.picture.tobytes() == wanted.tobytes()


def test_what_is_drawn_fills_its_limits_evenly():
    """Of 400 names, within four deviations of what an even draw between the limits would give."""
    ruined = [Damage(writing=False).ruin(noise(size=(90, 70)), str(name)) for name in range(400)]
    for values, low, high in (
        ([each.shrink for each in ruined], 1.5, 4.0),
        ([each.quality for each in ruined], 10, 70),
    ):
        share = (np.array(values) - low) / (high - low)
        assert abs(share.mean() - 0.5) < 4 * (1 / 12 / 400) ** 0.5
        assert 0.27 < share.std() < 0.31  # of an even draw, 1/√12
        assert share.min() < 0.03
        assert share.max() > 0.97


def test_writing_differs_in_place_size_and_angle():
    """Its middle lies between a fifth and four fifths; letters are an eighth to three tenths high, turned or not."""
    places, upright, shares = [], 0, []
    for name in range(120):
        ink = np.asarray(_writing((400, 400), _Draws(1, str(name)))) > 128
        down, right = np.nonzero(ink)
        places.append((right.mean(), down.mean()))
        turn = np.linalg.eigh(np.cov(right, down))[1][:, 1]  # along the word
        upright += abs(turn[1]) > 0.3
        shares.append(ink.mean())
    places = np.array(places)
    assert (places.std(0) > 50).all()  # an even draw over three fifths: 69
    assert places.min() > 40
    assert places.max() < 360
    assert 25 < upright < 110
    assert 0.04 < max(shares) < 0.1  # of the picture: PREVIEW in the largest letters
    assert min(shares) < 0.01


def test_one_writing_in_two_is_white_and_the_others_any_colour():
    colours = [_Draws(1, str(name)).colour() for name in range(200)]
    assert 70 < colours.count((255, 255, 255)) < 130
    assert len(set(colours)) > 70


def test_a_mask_that_is_missing_is_made_again(folder, tmp_path):
    out, masks = tmp_path / "bad", tmp_path / "masks"
    list(crappify(folder, out, masks=masks))
    made = bytes_below(masks)
    (masks / "a.png").unlink()
    assert [each.name for each in crappify(folder, out, masks=masks) if each.written] == ["a.png"]
    assert bytes_below(masks) == made
